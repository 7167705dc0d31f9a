package accounting

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Schedule is when a client receives: "Mo-Fr 08:00-20:00; Sa 10:00-14:00". It
// goes by the wall clock: an hour that a change of clocks repeats is inside
// both times, one that it leaves out never comes.
type Schedule struct {
	spans []span // of the week; sorted, apart from each other
}

// span is a part of the week in minutes since Monday 00:00, without its end.
type span struct{ from, to int }

const (
	dayMinutes  = 24 * 60
	weekMinutes = 7 * dayMinutes
)

// Contains tells whether t, as the clock of its location shows it, is inside.
// The end of a range is outside.
func (s *Schedule) Contains(t time.Time) bool {
	hour, minute, _ := t.Clock()
	at := (int(t.Weekday())+6)%7*dayMinutes + hour*60 + minute
	for _, p := range s.spans {
		if at < p.to {
			return at >= p.from
		}
	}
	return false
}

// newSchedule joins spans of up to a day that may overlap and pass the end of
// the week.
func newSchedule(spans []span) *Schedule {
	var cut []span
	for _, p := range spans {
		if p.to <= weekMinutes {
			cut = append(cut, p)
			continue
		}
		cut = append(cut, span{p.from, weekMinutes}, span{0, p.to - weekMinutes})
	}
	slices.SortFunc(cut, func(a, b span) int { return a.from - b.from })
	var joined []span
	for _, p := range cut {
		if last := len(joined) - 1; last >= 0 && p.from <= joined[last].to {
			joined[last].to = max(joined[last].to, p.to)
			continue
		}
		joined = append(joined, p)
	}
	return &Schedule{joined}
}

// String writes the schedule anew: two that have the same minutes have the
// same string, and ParseSchedule reads it.
func (s *Schedule) String() string {
	var begin [7][]span // on each day; in minutes of that day
	for _, p := range s.round() {
		for p.from < p.to {
			first := p.from / dayMinutes
			midnight := (first + 1) * dayMinutes
			to := p.to
			// What reaches over one midnight, and ends there earlier in the
			// day than it began, is one range; anything longer is cut.
			if to > midnight && to-midnight >= p.from-first*dayMinutes {
				to = midnight
			}
			begin[first%7] = append(begin[first%7], span{p.from - first*dayMinutes, to - first*dayMinutes})
			p.from = to
		}
	}
	var days [7]string
	for i, ranges := range begin {
		slices.SortFunc(ranges, func(a, b span) int { return a.from - b.from })
		for j, r := range ranges {
			if j > 0 {
				days[i] += ","
			}
			days[i] += clock(r.from) + "-" + clockEnd(r.to)
		}
	}
	var entries []string
	for i, d := range days {
		if d != "" && slices.Index(days[:], d) == i {
			entries = append(entries, dayList(&days, d)+" "+d)
		}
	}
	return strings.Join(entries, "; ")
}

// round are the spans as they follow each other on a round week: what ends
// with it goes on with what begins it.
func (s *Schedule) round() []span {
	n := len(s.spans)
	if n < 2 || s.spans[0].from != 0 || s.spans[n-1].to != weekMinutes {
		return s.spans
	}
	out := slices.Clone(s.spans[1:])
	out[n-2].to += s.spans[0].to
	return out
}

// dayList names the days whose ranges are want, neighbours as a range.
func dayList(days *[7]string, want string) string {
	var out []string
	for i := range 7 {
		if days[i] != want || days[(i+6)%7] == want {
			continue
		}
		n := 1
		for n < 7 && days[(i+n)%7] == want {
			n++
		}
		name := dayNames[i]
		if n > 1 {
			name += "-" + dayNames[(i+n-1)%7]
		}
		out = append(out, name)
	}
	if out == nil { // every day
		return dayNames[0] + "-" + dayNames[6]
	}
	return strings.Join(out, ",")
}

func clock(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

func clockEnd(m int) string {
	if m > dayMinutes {
		m -= dayMinutes
	}
	return clock(m)
}
