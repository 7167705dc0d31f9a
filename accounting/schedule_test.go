package accounting

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func schedule(t testing.TB, s string) *Schedule {
	t.Helper()
	got, err := ParseSchedule(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return got
}

// 2026-11-23 is a Monday.
func weekday(name string) time.Time {
	for i, n := range dayNames {
		if n == name {
			return time.Date(2026, 11, 23+i, 0, 0, 0, 0, time.UTC)
		}
	}
	panic(name)
}

func TestScheduleContains(t *testing.T) {
	tests := []struct {
		schedule string
		in, out  string // day hour:minute[:second]
	}{
		{"Mo-Fr 08:00-20:00; Sa 10:00-14:00", "Mo 08:00, Mo 19:59:59, Fr 12:00, Sa 10:00, Sa 13:59", "Mo 07:59:59, Mo 20:00, Fr 20:00, Sa 09:59, Sa 14:00, Su 12:00"},
		{"We 00:00-24:00", "We 00:00, We 23:59:59", "Tu 23:59:59, Th 00:00"},
		{"Mo-Su 00:00-24:00", "Mo 00:00, Su 23:59:59, We 12:00", ""},
		{"Fr-Mo 10:00-11:00", "Fr 10:00, Sa 10:00, Su 10:30, Mo 10:59", "Tu 10:00, Th 10:00, Mo 11:00"},
		{"Mo,We,Fr 10:00-11:00", "Mo 10:00, We 10:00, Fr 10:00", "Tu 10:00, Th 10:00, Sa 10:00"},
		{"Mo-Tu,Th 10:00-11:00", "Mo 10:00, Tu 10:00, Th 10:00", "We 10:00, Fr 10:00"},
		{"Mo 22:00-06:00", "Mo 22:00, Mo 23:59, Tu 00:00, Tu 05:59", "Mo 05:59, Mo 21:59, Tu 06:00, Tu 22:00"},
		{"Su 22:00-06:00", "Su 22:00, Mo 00:00, Mo 05:59", "Su 05:00, Mo 06:00, Mo 22:00"},
		{"Mo 22:00-00:00", "Mo 22:00, Mo 23:59", "Tu 00:00"},
		{"Mo 08:00-12:00,13:00-17:00", "Mo 08:00, Mo 13:00", "Mo 12:00, Mo 12:59, Mo 17:00"},
		{"mo-fr  08:00 - 20:00 ;SA 10:00-14:00", "Mo 08:00, Sa 10:00", "Su 10:00"},
		{"Mo , We 08:00-09:00 , 10:00-11:00", "Mo 08:00, We 10:30", "Tu 08:00, We 09:30"},
		{"Mo 08:00-12:00; Mo 10:00-14:00", "Mo 08:00, Mo 11:00, Mo 13:59", "Mo 14:00"},
	}
	for _, tt := range tests {
		s := schedule(t, tt.schedule)
		for want, times := range map[bool]string{true: tt.in, false: tt.out} {
			for at := range strings.SplitSeq(times, ", ") {
				if at == "" {
					continue
				}
				day, clock, _ := strings.Cut(at, " ")
				if len(clock) == 5 {
					clock += ":00"
				}
				c, err := time.Parse(time.TimeOnly, clock)
				if err != nil {
					t.Fatal(err)
				}
				h, m, sec := c.Clock()
				moment := weekday(day).Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec)*time.Second)
				if got := s.Contains(moment); got != want {
					t.Errorf("%q at %s: %v, want %v", tt.schedule, at, got, want)
				}
			}
		}
	}
}

// Where clocks change the wall clock decides; instants are UTC.
func TestScheduleWhereClocksChange(t *testing.T) {
	tests := []struct {
		zone, schedule, at string
		want               bool
	}{
		// Berlin, 2026-03-29: 02:00 CET is 03:00 CEST.
		{"Europe/Berlin", "Su 01:00-02:30", "2026-03-29T00:59:59Z", true},
		{"Europe/Berlin", "Su 01:00-02:30", "2026-03-29T01:00:00Z", false}, // 03:00: the end never came
		{"Europe/Berlin", "Su 02:00-03:00", "2026-03-29T00:59:59Z", false},
		{"Europe/Berlin", "Su 02:00-03:00", "2026-03-29T01:00:00Z", false}, // an hour that never is
		{"Europe/Berlin", "Su 03:00-04:00", "2026-03-29T01:00:00Z", true},
		{"Europe/Berlin", "Sa 22:00-03:30", "2026-03-29T01:29:59Z", true},
		{"Europe/Berlin", "Sa 22:00-03:30", "2026-03-29T01:30:00Z", false},
		// Berlin, 2026-10-25: 03:00 CEST is 02:00 CET again.
		{"Europe/Berlin", "Su 02:00-02:30", "2026-10-25T00:29:59Z", true},
		{"Europe/Berlin", "Su 02:00-02:30", "2026-10-25T00:30:00Z", false},
		{"Europe/Berlin", "Su 02:00-02:30", "2026-10-25T01:00:00Z", true}, // 02:00 for the second time
		{"Europe/Berlin", "Su 02:00-02:30", "2026-10-25T01:30:00Z", false},
		{"Europe/Berlin", "Mo-Fr 08:00-20:00", "2026-07-01T06:00:00Z", true},
		{"Europe/Berlin", "Mo-Fr 08:00-20:00", "2026-12-01T06:00:00Z", false},
		// Moscow has had UTC+3 since 2014-10-26, UTC+4 before it.
		{"Europe/Moscow", "Mo-Fr 08:00-20:00", "2026-07-01T05:00:00Z", true},
		{"Europe/Moscow", "Mo-Fr 08:00-20:00", "2026-12-01T05:00:00Z", true},
		{"Europe/Moscow", "Mo-Fr 08:00-20:00", "2026-12-01T17:00:00Z", false},
		{"Europe/Moscow", "Sa 01:00-02:00", "2026-11-27T22:30:00Z", true}, // still Friday in UTC
		{"Europe/Moscow", "Su 01:00-02:00", "2014-10-25T21:30:00Z", true},
		{"Europe/Moscow", "Su 01:00-02:00", "2014-10-25T22:30:00Z", true}, // 01:30 for the second time
		{"Europe/Moscow", "Su 01:00-02:00", "2014-10-25T23:00:00Z", false},
	}
	for _, tt := range tests {
		loc, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		c := Client{Schedule: schedule(t, tt.schedule), Location: loc}
		if got := c.Blocks(at) == 0; got != tt.want {
			t.Errorf("%s %q at %s (%s): %v, want %v", tt.zone, tt.schedule, tt.at, at.In(loc).Format("Mon 15:04 MST"), got, tt.want)
		}
	}
}

func TestScheduleString(t *testing.T) {
	tests := map[string]string{
		"Mo-Fr 08:00-20:00; Sa 10:00-14:00": "Mo-Fr 08:00-20:00; Sa 10:00-14:00",
		"sa 10:00-14:00;mo-fr 08:00-20:00":  "Mo-Fr 08:00-20:00; Sa 10:00-14:00",
		"Mo,Tu,We 08:00-20:00":              "Mo-We 08:00-20:00",
		"Mo,We 08:00-20:00":                 "Mo,We 08:00-20:00",
		"Fr-Mo 10:00-11:00":                 "Fr-Mo 10:00-11:00",
		"Mo 10:00-11:00,08:00-10:00":        "Mo 08:00-11:00",
		"Mo 13:00-17:00; Mo 08:00-12:00":    "Mo 08:00-12:00,13:00-17:00",
		"Mo-Su 00:00-24:00":                 "Mo-Su 00:00-24:00",
		"Tu-Mo 22:00-06:00":                 "Mo-Su 22:00-06:00",
		"Fr 22:00-24:00; Sa 00:00-06:00":    "Fr 22:00-06:00",
		"Su 22:00-24:00; Mo 00:00-06:00":    "Su 22:00-06:00",
		"Mo 22:00-00:00":                    "Mo 22:00-24:00",
		"Sa-Mo 00:00-24:00":                 "Sa-Mo 00:00-24:00",
		"Sa 12:00-24:00; Su 00:00-24:00; Mo 00:00-10:00; Mo 12:00-13:00": "Mo 00:00-10:00,12:00-13:00; Sa 12:00-24:00; Su 00:00-24:00",
		"Mo 10:00-24:00; Tu-Su 00:00-24:00; Mo 00:00-09:00":              "Mo 00:00-09:00,10:00-24:00; Tu-Su 00:00-24:00",
	}
	for in, want := range tests {
		if got := schedule(t, in).String(); got != want {
			t.Errorf("%q is written %q, want %q", in, got, want)
		}
	}
}

func TestParseScheduleRefuses(t *testing.T) {
	tests := map[string]string{
		"":                                     "column 1: the end where a day is expected: Mo Tu We Th Fr Sa Su",
		"   ":                                  "column 4: the end where a day",
		"Mon 08:00-20:00":                      `column 1: "Mon" where a day`,
		"Пн 08:00-20:00":                       `column 1: "Пн" where a day`,
		"08:00-20:00":                          `column 1: "08:00" where a day`,
		"Mo":                                   "column 3: times are expected after the days: Mo 00:00-24:00",
		"Mo-":                                  "column 4: the end where a day",
		"Mo-Xx 08:00-20:00":                    `column 4: "Xx" where a day`,
		"Mo, 08:00-20:00":                      `column 5: "08:00" where a day`,
		"Mo08:00-20:00":                        `column 1: "Mo08:00" where a day`,
		"Mo 8:00-20:00":                        `column 4: "8:00" where a time is expected: HH:MM`,
		"Mo 08:00":                             "column 9: the end where - and the end of the range",
		"Mo 08:00-":                            "column 10: the end where a time",
		"Mo 08:00 20:00":                       "", // filled below: a dash is missing
		"Mo 08:00-20:00 Tu 1":                  `column 16: "Tu" where a ; or the end`,
		"Mo 08:00-20:00;":                      "column 16: the end where a day",
		"Mo 08:00-20:00,":                      "column 16: the end where a time",
		"Mo 08:00-20:60":                       "column 10: 20:60 is no time",
		"Mo 08:00-24:01":                       "column 10: 24:01 is no time",
		"Mo 25:00-26:00":                       "column 4: 25:00 is no time",
		"Mo 24:00-06:00":                       "column 4: 24:00 can only end a range",
		"Mo 08:00-08:00":                       "column 4: the range is empty: a whole day is 00:00-24:00",
		"Mo 08:00-20:000":                      `column 10: "20:000" where a time`,
		"Mo-Fr 08:00-20:00; So 10:00-14:00":    `column 20: "So" where a day`,
		"Mo 08:00-20:00; \u00a0Tu 08:00-20:00": "column 17:",
		"Mo, \xff 08:00-20:00":                 `column 5: "\xff" where a day`,
	}
	tests["Mo 08:00 20:00"] = `column 9: " " where - and the end of the range`
	for in, want := range tests {
		s, err := ParseSchedule(in)
		if err == nil || s != nil || !strings.HasPrefix(err.Error(), "schedule: "+want) {
			t.Errorf("%q\ngot  %v\nwant schedule: %s", in, err, want)
		}
	}
}

// A week has few enough minutes to try each.
func sameMinutes(t interface{ Fatalf(string, ...any) }, a, b *Schedule) {
	monday := weekday("Mo")
	for m := range weekMinutes {
		at := monday.Add(time.Duration(m) * time.Minute)
		if a.Contains(at) != b.Contains(at) {
			t.Fatalf("%q and %q differ at %s", a, b, at.Format("Mon 15:04"))
		}
	}
}

func TestScheduleStringRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Every minute as the entries say it, told apart from the parser.
		var inside [weekMinutes]bool
		var entries []string
		for range rapid.IntRange(1, 5).Draw(t, "entries") {
			first, n := rapid.IntRange(0, 6).Draw(t, "day"), rapid.IntRange(1, 7).Draw(t, "days")
			from, to := rapid.IntRange(0, 47).Draw(t, "from")*30, rapid.IntRange(1, 48).Draw(t, "to")*30
			if from == to {
				continue
			}
			entries = append(entries, dayNames[first]+"-"+dayNames[(first+n-1)%7]+" "+clock(from)+"-"+clock(to))
			length := to - from
			if length < 0 {
				length += dayMinutes
			}
			for d := range n {
				for m := range length {
					inside[((first+d)*dayMinutes+from+m)%weekMinutes] = true
				}
			}
		}
		if entries == nil {
			return
		}
		text := strings.Join(entries, "; ")
		s, err := ParseSchedule(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		monday := weekday("Mo")
		for m, want := range inside {
			if at := monday.Add(time.Duration(m) * time.Minute); s.Contains(at) != want {
				t.Fatalf("%q at %s: %v", text, at.Format("Mon 15:04"), !want)
			}
		}
		again, err := ParseSchedule(s.String())
		if err != nil {
			t.Fatalf("%q written as %q: %v", text, s, err)
		}
		sameMinutes(t, s, again)
		if again.String() != s.String() {
			t.Fatalf("%q, then %q", s, again)
		}
	})
}

func FuzzParseSchedule(f *testing.F) {
	for _, s := range []string{
		"Mo-Fr 08:00-20:00; Sa 10:00-14:00", "Mo,We,Fr 22:00-06:00,12:00-13:00", "Fr-Mo 00:00-24:00", "Su 23:59-00:00",
		"Mo 24:00-24:00", "Mo", ";", "Mo-Su-Tu 1", "Mo 08:00-20:00;", "Пн 08:00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSchedule(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "schedule: column ") {
				t.Fatal(err)
			}
			return
		}
		again, err := ParseSchedule(s.String())
		if err != nil {
			t.Fatalf("%q written as %q: %v", text, s, err)
		}
		sameMinutes(t, s, again)
		if again.String() != s.String() {
			t.Fatalf("%q, then %q", s, again)
		}
	})
}

func BenchmarkScheduleContains(b *testing.B) {
	s := schedule(b, "Mo-Fr 08:00-20:00; Sa 10:00-14:00")
	at := weekday("Sa")
	b.ReportAllocs()
	for b.Loop() {
		s.Contains(at)
	}
}
