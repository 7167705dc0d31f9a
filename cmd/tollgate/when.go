package main

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var errWhen = errors.New(`want "2h", "3d" or "10 minutes" (ago), "today", "yesterday", "tuesday", "21:40", "24.11.2026", "2026-11-23", "2026-11-23 10:00" or RFC 3339`)

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

// layouts are read in the zone of who asks; of a day alone the second is true.
var layouts = []struct {
	layout string
	day    bool
}{
	{time.DateOnly, true}, {"2.1.2006", true},
	{"2006-01-02 15:04", false}, {"2006-01-02T15:04", false}, {"2006-01-02 15:04:05", false}, {"2006-01-02T15:04:05", false},
	{"2.1.2006 15:04", false}, {"2.1.2006 15:04:05", false},
}

// parseWhen reads a time as people write it, in the zone of now.
func parseWhen(s string, now time.Time) (moment, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	y, m, d := now.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, now.Location())
	switch s {
	case "now":
		return moment{at: now}, nil
	case "today":
		return moment{midnight, true}, nil
	case "yesterday":
		return moment{midnight.AddDate(0, 0, -1), true}, nil
	}
	for back := range 7 {
		day := midnight.AddDate(0, 0, -back)
		if name := strings.ToLower(day.Weekday().String()); s == name || s == name[:3] {
			return moment{day, true}, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, strings.ToUpper(s)); err == nil {
		return moment{at: t}, nil
	}
	for _, l := range layouts {
		if t, err := time.ParseInLocation(l.layout, strings.ToUpper(s), now.Location()); err == nil {
			return moment{t, l.day}, nil
		}
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		clock, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		at := time.Date(y, m, d, clock.Hour(), clock.Minute(), clock.Second(), 0, now.Location())
		if at.After(now) { // it was yesterday: the journals know no future
			at = at.AddDate(0, 0, -1)
		}
		return moment{at: at}, nil
	}
	ago, err := parseAgo(strings.TrimSpace(strings.TrimSuffix(s, "ago")))
	if err != nil || ago < 0 {
		return moment{}, errWhen
	}
	return moment{at: now.Add(-ago)}, nil
}

var spelt = regexp.MustCompile(`^([0-9]+) *(s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?|d|days?|w|weeks?)$`)

// parseAgo reads a duration that may be in days or weeks, too, and spelt out.
func parseAgo(s string) (time.Duration, error) {
	if m := spelt.FindStringSubmatch(s); m != nil {
		n, err := strconv.ParseInt(m[1], 10, 32)
		unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
		return time.Duration(n) * unit[m[2][0]], err
	}
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if n, ok := strings.CutSuffix(s, unit); ok {
			hours, err := time.ParseDuration(n + "h")
			return hours * (length / time.Hour), err
		}
	}
	return time.ParseDuration(s)
}
