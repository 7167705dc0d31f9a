package main

import (
	"errors"
	"strings"
	"time"
)

var errWhen = errors.New(`want "2h" or "3d" (ago), "today", "yesterday", "2026-11-23", "2026-11-23 10:00" or RFC 3339`)

// moment is a point in time, or a whole day from its beginning.
type moment struct {
	at  time.Time
	day bool
}

// until is the end of what was named: of a day the beginning of the next.
func (m moment) until() time.Time {
	if m.day {
		return m.at.AddDate(0, 0, 1)
	}
	return m.at
}

// localLayouts are read in the local time zone.
var localLayouts = []string{"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05"}

// parseWhen reads a time as people write it.
func parseWhen(s string, now time.Time) (moment, error) {
	s = strings.TrimSpace(s)
	y, m, d := now.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, now.Location())
	switch strings.ToLower(s) {
	case "now":
		return moment{at: now}, nil
	case "today":
		return moment{midnight, true}, nil
	case "yesterday":
		return moment{midnight.AddDate(0, 0, -1), true}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return moment{at: t}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, now.Location()); err == nil {
		return moment{t, true}, nil
	}
	for _, layout := range localLayouts {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return moment{at: t}, nil
		}
	}
	ago, err := parseAgo(strings.TrimSpace(strings.TrimSuffix(s, "ago")))
	if err != nil || ago < 0 {
		return moment{}, errWhen
	}
	return moment{at: now.Add(-ago)}, nil
}

// parseAgo reads a duration that may be in days or weeks, too.
func parseAgo(s string) (time.Duration, error) {
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if n, ok := strings.CutSuffix(s, unit); ok {
			hours, err := time.ParseDuration(n + "h")
			return hours * (length / time.Hour), err
		}
	}
	return time.ParseDuration(s)
}
