package accounting

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	monthFormat = "2006-01"
	dayFormat   = "2006-01-02"
)

// Kinds of periods: what a tariff's fee and included volume are for.
const (
	ByMonth = "month" // "2026-11"
	ByWeek  = "week"  // "2026-W48", ISO 8601: from Monday
	ByDay   = "day"   // "2026-11-23"
)

// Month is the period that t belongs to in loc: "2026-11".
func Month(t time.Time, loc *time.Location) string {
	day := Day(t, loc)
	return day[:len(day)-len("-02")]
}

// Day is the day that t belongs to in loc: "2026-11-23".
func Day(t time.Time, loc *time.Location) string {
	var room [len(dayFormat)]byte
	return string(appendDay(room[:0], t.In(loc)))
}

// appendDay is t.AppendFormat(b, dayFormat): each record has its days and its time
// written several times.
func appendDay(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, dayFormat)
	}
	b = append(appendTwo(appendTwo(b, year/100), year%100), '-')
	b = append(appendTwo(b, int(month)), '-')
	return appendTwo(b, day)
}

// appendTwo writes a number below a hundred with two digits.
func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// Week is the ISO 8601 week that t belongs to in loc: "2026-W48".
func Week(t time.Time, loc *time.Location) string {
	year, week := t.In(loc).ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, week)
}

// PeriodOf is the period of a kind that t belongs to in loc. Any kind but
// ByWeek and ByDay is ByMonth.
func PeriodOf(kind string, t time.Time, loc *time.Location) string {
	switch kind {
	case ByWeek:
		return Week(t, loc)
	case ByDay:
		return Day(t, loc)
	}
	return Month(t, loc)
}

// KindOf tells which kind of period a text is by its form alone.
func KindOf(period string) string {
	switch {
	case strings.Contains(period, "W"):
		return ByWeek
	case len(period) == len(dayFormat):
		return ByDay
	}
	return ByMonth
}

// Midnight is when a day begins in loc. Day may lie outside the month, as for
// time.Date.
func Midnight(year int, month time.Month, day int, loc *time.Location) time.Time {
	const step = 15 * time.Minute // zones differ by multiples of it, and change by such
	want := time.Date(year, month, day, 12, 0, 0, 0, time.UTC).Format(dayFormat)
	t := time.Date(year, month, day, 0, 0, 0, 0, loc)
	// Where clocks go back to midnight there are two, and t may be the second.
	for Day(t.Add(-step), loc) >= want {
		t = t.Add(-step)
	}
	// Where clocks go forward at midnight there is none, and t may be an hour
	// of the day before.
	for Day(t, loc) < want {
		t = t.Add(step)
	}
	return t
}

// Span is the time that a month, week or day takes in loc: [from, to).
func Span(period string, loc *time.Location) (from, to time.Time, err error) {
	var t time.Time
	switch len(period) {
	case len(monthFormat):
		t, err = time.Parse(monthFormat, period)
		from, to = Midnight(t.Year(), t.Month(), 1, loc), Midnight(t.Year(), t.Month()+1, 1, loc)
	case len("2006-W01"):
		t, err = monday(period)
		from, to = Midnight(t.Year(), t.Month(), t.Day(), loc), Midnight(t.Year(), t.Month(), t.Day()+7, loc)
	case len(dayFormat):
		t, err = time.Parse(dayFormat, period)
		from, to = Midnight(t.Year(), t.Month(), t.Day(), loc), Midnight(t.Year(), t.Month(), t.Day()+1, loc)
	default:
		err = fmt.Errorf("want %s, 2006-W01 or %s", monthFormat, dayFormat)
	}
	if err != nil {
		return time.Time{}, time.Time{}, fmt.Errorf("period %q: %w", period, err)
	}
	return from, to, nil
}

// monday is the first day of a week such as "2026-W48".
func monday(period string) (time.Time, error) {
	year, week, ok := strings.Cut(period, "-W")
	y, err := strconv.ParseUint(year, 10, 16)
	w, err2 := strconv.ParseUint(week, 10, 8)
	if !ok || err != nil || err2 != nil || len(year) != 4 || y == 0 {
		return time.Time{}, fmt.Errorf("want a week such as 2026-W48")
	}
	// The 4th of January is always in the first week.
	t := time.Date(int(y), 1, 4, 0, 0, 0, 0, time.UTC)
	t = t.AddDate(0, 0, -(int(t.Weekday())+6)%7+7*(int(w)-1))
	if Week(t, time.UTC) != period {
		return time.Time{}, fmt.Errorf("there is no such week")
	}
	return t, nil
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

// Touches tells whether a period, in whatever zone, may have a part of [from,
// to). What is no period touches everything: nothing is left out.
func Touches(period string, from, to time.Time) bool {
	begin, end, err := Span(period, time.UTC)
	// No zone is further from UTC.
	return err != nil || begin.Add(-15*time.Hour).Before(to) && end.Add(15*time.Hour).After(from)
}

// SortPeriods sorts periods by when they begin; of those that begin together
// the shorter comes first.
func SortPeriods(list []string) []string {
	slices.SortFunc(list, func(a, b string) int {
		from, to, _ := Span(a, time.UTC)
		from2, to2, _ := Span(b, time.UTC)
		return cmp.Or(from.Compare(from2), to.Compare(to2), strings.Compare(a, b))
	})
	return list
}

// FarthestZone is further than any time zone is from UTC.
const FarthestZone = 15 * time.Hour

// MonthsOf are the months that a period may have a part in, in whatever zone: of
// a month that month alone.
func MonthsOf(period string) []string {
	if KindOf(period) == ByMonth {
		return []string{period}
	}
	from, to, err := Span(period, time.UTC)
	if err != nil {
		return nil
	}
	return Months(from.Add(-FarthestZone), to.Add(FarthestZone), time.UTC)
}
