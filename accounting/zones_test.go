package accounting

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// zones are all of this machine's database.
func zones(t *testing.T) (list []*time.Location) {
	t.Helper()
	const dir = "/usr/share/zoneinfo"
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		name := strings.TrimPrefix(path, dir+"/")
		if err != nil || d.IsDir() || strings.HasPrefix(name, "right/") || strings.HasPrefix(name, "posix/") {
			return nil
		}
		if loc, err := time.LoadLocation(name); err == nil {
			list = append(list, loc)
		}
		return nil
	})
	for _, name := range []string{"Asia/Amman", "America/Havana", "Pacific/Apia", "America/Asuncion", "Australia/Lord_Howe"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, loc)
	}
	return list
}

// A period takes the time that belongs to it and no other, and the next one follows
// without a gap: in every zone, on every day, also where clocks go forward or back
// at midnight and where a day is left out.
func TestSpanIsThePeriod(t *testing.T) {
	t.Parallel()
	for _, loc := range zones(t) {
		for at := time.Date(2010, 12, 31, 12, 0, 0, 0, time.UTC); at.Year() < 2028; at = at.AddDate(0, 0, 1) {
			// Elsewhere days are like others.
			_, before := at.Add(-48 * time.Hour).In(loc).Zone()
			if _, after := at.Add(48 * time.Hour).In(loc).Zone(); before == after && (at.Month() != time.March || at.Day() > 2) {
				continue
			}
			for _, kind := range []string{ByDay, ByWeek, ByMonth} {
				period := PeriodOf(kind, at, loc)
				from, to, err := Span(period, loc)
				if err != nil {
					t.Fatal(err)
				}
				if at.Before(from) || !at.Before(to) {
					t.Fatalf("%s: %s is of %s, which is from %s to %s", loc, at, period, from, to)
				}
				for moment, want := range map[time.Time]bool{from: true, from.Add(-1): false, to.Add(-1): true, to: false} {
					if is := PeriodOf(kind, moment, loc); (is == period) != want {
						t.Fatalf("%s: %s is of %s; %s is from %s to %s", loc, moment, is, period, from, to)
					}
				}
				if next, _, err := Span(PeriodOf(kind, to, loc), loc); err != nil || !next.Equal(to) {
					t.Fatalf("%s: behind %s, which ends at %s, comes what begins at %s, %v", loc, period, to, next, err)
				}
			}
		}
	}
}
