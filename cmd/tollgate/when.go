package main

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

var errWhen = errors.New(`want "2h", "3d" or "10 minutes" (ago), "today", "yesterday", "tuesday", "last week", "november", "21:40", "yesterday 12:00", "24.11.2026", "2026-11-23", "2026-11-23 10:00" or RFC 3339`)

// moment is a point in time, or a whole day, week or month from its beginning.
type moment struct {
	at, end time.Time // end is zero for a point
}

// until is the end of what was named: of a day the beginning of the next.
func (m moment) until() time.Time {
	if m.end.IsZero() {
		return m.at
	}
	return m.end
}

// parseWhen reads a time as people write it, in the zone of now.
func parseWhen(s string, now time.Time) (moment, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	y, m, d := now.Date()
	if s == "now" {
		return moment{at: now}, nil
	}
	if day, clock, ok := strings.Cut(s, " "); ok {
		if at, ok := onDay(day, strings.TrimSpace(clock), now); ok {
			return moment{at: at}, nil
		}
	}
	// Days, weeks and months are those of every other command.
	if period, err := accounting.NamePeriod(s, now); err == nil {
		from, to, err := accounting.Span(period, now.Location())
		return moment{from, to}, err
	}
	if t, err := time.Parse(time.RFC3339, strings.ToUpper(s)); err == nil {
		return moment{at: t}, nil
	}
	for _, l := range []string{
		"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2.1.2006 15:04", "2.1.2006 15:04:05",
	} {
		if t, err := time.ParseInLocation(l, strings.ToUpper(s), now.Location()); err == nil {
			return moment{at: t}, nil
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

// onDay reads a day that is named, and a time on it: "yesterday 12:00".
func onDay(day, clock string, now time.Time) (time.Time, bool) {
	period, err := accounting.NamePeriod(day, now)
	if err != nil {
		return time.Time{}, false
	}
	from, to, err := accounting.Span(period, now.Location())
	if err != nil || from.AddDate(0, 0, 1) != to {
		return time.Time{}, false
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, clock); err == nil {
			return time.Date(from.Year(), from.Month(), from.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location()), true
		}
	}
	return time.Time{}, false
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
