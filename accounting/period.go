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

// Span is the time that a month or day takes in loc: [from, to).
func Span(period string, loc *time.Location) (from, to time.Time, err error) {
	switch len(period) {
	case len(monthFormat):
		from, err = time.ParseInLocation(monthFormat, period, loc)
		to = from.AddDate(0, 1, 0)
	case len(dayFormat):
		from, err = time.ParseInLocation(dayFormat, period, loc)
		to = from.AddDate(0, 0, 1)
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
