package accounting

import (
	"testing"
	"time"
)

func TestClientBlocks(t *testing.T) {
	zone := func(name string) *time.Location {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return loc
	}
	moscow, beirut := zone("Europe/Moscow"), zone("Asia/Beirut")
	date := func(y int, m time.Month, d int, loc *time.Location) time.Time {
		return time.Date(y, m, d, 0, 0, 0, 0, loc)
	}
	newYear := date(2027, 1, 1, time.UTC)
	tests := map[string]struct {
		client Client
		at     string
		want   Block
	}{
		"nothing":                       {Client{}, "2026-11-23T10:00:00Z", 0},
		"disabled":                      {Client{Disabled: true}, "2026-11-23T10:00:00Z", Disabled},
		"the last moment of service":    {Client{Expires: newYear}, "2026-12-31T23:59:59Z", 0},
		"the first without":             {Client{Expires: newYear}, "2027-01-01T00:00:00Z", Expired},
		"long after":                    {Client{Expires: newYear}, "2031-02-01T00:00:00Z", Expired},
		"in Moscow, last":               {Client{Expires: date(2027, 1, 1, moscow), Location: moscow}, "2026-12-31T20:59:59Z", 0},
		"in Moscow, first":              {Client{Expires: date(2027, 1, 1, moscow), Location: moscow}, "2026-12-31T21:00:00Z", Expired},
		"a date is a date in Moscow":    {Client{Expires: newYear, Location: moscow}, "2026-12-31T21:00:00Z", Expired},
		"the day before the first":      {Client{ValidFrom: newYear}, "2026-12-31T23:59:59Z", NotYetValid},
		"the first day":                 {Client{ValidFrom: newYear}, "2027-01-01T00:00:00Z", 0},
		"in Moscow, not yet":            {Client{ValidFrom: newYear, Location: moscow}, "2026-12-31T20:59:59Z", NotYetValid},
		"in Moscow, now":                {Client{ValidFrom: newYear, Location: moscow}, "2026-12-31T21:00:00Z", 0},
		"never valid":                   {Client{ValidFrom: newYear, Expires: newYear}, "2027-01-01T00:00:00Z", Expired},
		"a day without midnight, last":  {Client{Expires: date(2026, 3, 29, time.UTC), Location: beirut}, "2026-03-28T21:59:59Z", 0},
		"a day without midnight, first": {Client{Expires: date(2026, 3, 29, time.UTC), Location: beirut}, "2026-03-28T22:00:00Z", Expired},
		"inside the schedule":           {Client{Schedule: schedule(t, "Mo 08:00-20:00")}, "2026-11-23T10:00:00Z", 0},
		"outside":                       {Client{Schedule: schedule(t, "Mo 08:00-20:00")}, "2026-11-23T20:00:00Z", OutOfSchedule},
		"outside in Moscow":             {Client{Schedule: schedule(t, "Mo 08:00-20:00"), Location: moscow}, "2026-11-23T17:00:00Z", OutOfSchedule},
		"all at once": {Client{Disabled: true, Expires: date(2026, 1, 1, time.UTC), ValidFrom: newYear, Schedule: schedule(t, "Tu 08:00-20:00")},
			"2026-11-23T10:00:00Z", Disabled | Expired | NotYetValid | OutOfSchedule},
	}
	for name, tt := range tests {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := tt.client.Blocks(at); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestCheckID(t *testing.T) {
	for _, id := range []string{"a", "sales", "0", "a_b", "a.b-c_1", ".", "-"} {
		if err := CheckID(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{"", "_", "_unbilled", "Sales", "a b", "a/b", "a}", "a:b", "отдел", "a\x00", "a\n", "a\xff", "é"} {
		if err := CheckID(id); err == nil {
			t.Errorf("%q passed", id)
		}
	}
}
