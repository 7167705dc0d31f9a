package accounting

import (
	"slices"
	"testing"
	"time"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestPeriodOf(t *testing.T) {
	at := time.Date(2026, 11, 30, 21, 30, 0, 0, time.UTC)
	if got := Month(at, zone(t, "Europe/Moscow")); got != "2026-12" {
		t.Error(got)
	}
	if got := Day(at, zone(t, "Europe/Moscow")); got != "2026-12-01" {
		t.Error(got)
	}
	if got := Month(at, time.UTC); got != "2026-11" {
		t.Error(got)
	}
}

// The spans of days and months meet, and hold just the times that belong to
// them, also where there is no midnight.
func TestSpan(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Moscow", "America/Santiago", "Asia/Beirut", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"} {
		loc := zone(t, name)
		var last time.Time
		for d := range 800 {
			day := time.Date(2025, 1, 1+d, 12, 0, 0, 0, time.UTC).Format(dayFormat)
			from, to, err := Span(day, loc)
			if err != nil {
				t.Fatal(err)
			}
			if !last.IsZero() && !from.Equal(last) {
				t.Fatalf("%s %s begins at %v, the day before ends at %v", name, day, from, last)
			}
			last = to
			if Day(from, loc) != day || Day(from.Add(-1), loc) == day || Day(to.Add(-1), loc) != day {
				t.Fatalf("%s %s: from %v to %v", name, day, from, to)
			}
		}
		from, to, err := Span("2026-12", loc)
		if err != nil || Month(from, loc) != "2026-12" || Month(from.Add(-1), loc) != "2026-11" || Month(to, loc) != "2027-01" || Month(to.Add(-1), loc) != "2026-12" {
			t.Errorf("%s: %v to %v, %v", name, from, to, err)
		}
	}
	for _, w := range []struct{ period, from, to string }{
		{"2026-W48", "2026-11-23", "2026-11-30"}, {"2026-W53", "2026-12-28", "2027-01-04"}, {"2027-W01", "2027-01-04", "2027-01-11"}, {"2025-W01", "2024-12-30", "2025-01-06"},
	} {
		from, to, err := Span(w.period, time.UTC)
		if err != nil || Day(from, time.UTC) != w.from || Day(to, time.UTC) != w.to || Week(from, time.UTC) != w.period || Week(to.Add(-1), time.UTC) != w.period {
			t.Errorf("%s: %v to %v, %v", w.period, from, to, err)
		}
	}
	for _, bad := range []string{"", "2026", "2026-00", "2026-02-30", "26-11", "2026-11-", "2026-W00", "2026-W54", "2027-W53", "2026-w48", "0000-W01", "2026-WW1"} {
		if _, _, err := Span(bad, time.UTC); err == nil {
			t.Errorf("%q is a period", bad)
		}
	}
}

func TestMonths(t *testing.T) {
	date := func(y int, m time.Month, d, h int) time.Time { return time.Date(y, m, d, h, 0, 0, 0, time.UTC) }
	moscow := zone(t, "Europe/Moscow")
	for _, c := range []struct {
		from, to time.Time
		want     []string
	}{
		{date(2026, 11, 1, 0), date(2026, 11, 30, 0), []string{"2026-11"}},
		{date(2026, 11, 1, 0), date(2026, 11, 30, 21), []string{"2026-11"}},
		{date(2026, 11, 1, 0), date(2026, 11, 30, 22), []string{"2026-11", "2026-12"}},
		{date(2026, 11, 30, 22), date(2027, 2, 1, 0), []string{"2026-12", "2027-01", "2027-02"}},
		{date(2026, 1, 31, 0), date(2026, 3, 31, 0), []string{"2026-01", "2026-02", "2026-03"}},
		{date(2026, 1, 31, 0), date(2026, 1, 31, 0), nil},
		{date(2026, 2, 1, 0), date(2026, 1, 31, 0), nil},
	} {
		if got := Months(c.from, c.to, moscow); !slices.Equal(got, c.want) {
			t.Errorf("%v to %v: %v", c.from, c.to, got)
		}
	}
}
