package accounting

import (
	"fmt"
	"time"
)

const (
	monthFormat = "2006-01"
	dayFormat   = "2006-01-02"
)

// Month is the period that t belongs to in loc: "2026-11".
func Month(t time.Time, loc *time.Location) string { return t.In(loc).Format(monthFormat) }

// Day is the day that t belongs to in loc: "2026-11-23".
func Day(t time.Time, loc *time.Location) string { return t.In(loc).Format(dayFormat) }

// Midnight is when a day begins in loc. Day may lie outside the month, as for
// time.Date.
func Midnight(year int, month time.Month, day int, loc *time.Location) time.Time {
	want := time.Date(year, month, day, 12, 0, 0, 0, time.UTC).Format(dayFormat)
	t := time.Date(year, month, day, 0, 0, 0, 0, loc)
	// Where clocks go forward at midnight there is none, and t may be an hour
	// of the day before.
	for Day(t, loc) < want {
		t = t.Add(15 * time.Minute)
	}
	return t
}

// Span is the time that a month or day takes in loc: [from, to).
func Span(period string, loc *time.Location) (from, to time.Time, err error) {
	var t time.Time
	switch len(period) {
	case len(monthFormat):
		t, err = time.Parse(monthFormat, period)
		from, to = Midnight(t.Year(), t.Month(), 1, loc), Midnight(t.Year(), t.Month()+1, 1, loc)
	case len(dayFormat):
		t, err = time.Parse(dayFormat, period)
		from, to = Midnight(t.Year(), t.Month(), t.Day(), loc), Midnight(t.Year(), t.Month(), t.Day()+1, loc)
	default:
		err = fmt.Errorf("want %s or %s", monthFormat, dayFormat)
	}
	if err != nil {
		return time.Time{}, time.Time{}, fmt.Errorf("period %q: %w", period, err)
	}
	return from, to, nil
}

// Months are the months that [from, to) touches in loc, in order.
func Months(from, to time.Time, loc *time.Location) []string {
	if !from.Before(to) {
		return nil
	}
	var months []string
	last := Month(to.Add(-1), loc)
	y, m, _ := from.In(loc).Date()
	for i := 0; ; i++ {
		// Noon UTC of the 15th: no change of clocks can move it elsewhere.
		month := time.Date(y, m+time.Month(i), 15, 12, 0, 0, 0, time.UTC).Format(monthFormat)
		months = append(months, month)
		if month >= last {
			return months
		}
	}
}
