package tally_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/tally"
	"github.com/tollgate-mail/tollgate/rules"
)

// clock is a time that tests set.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func at(t *testing.T, zone, when string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	v, err := time.ParseInLocation(time.DateTime, when, loc)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func policy(t *testing.T, names ...string) *rules.Policy {
	t.Helper()
	var src rules.Source
	for _, n := range names {
		src.Rules = append(src.Rules, rules.SourceRule{
			Name: n, Stage: "helo", Weight: 1000, Match: []rules.Condition{{Attr: "helo", Values: []rules.Operand{{V: "^" + n + "$"}}}},
		})
	}
	p, problems := rules.Compile(src)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

func count(c *tally.Tally, p *rules.Policy, v gate.Verdict, stage string, hits ...int) {
	f := gate.Fate{Policy: p, Verdict: v, Stage: stage, Accepted: 2, Refused: 1}
	for _, i := range hits {
		f.Hits = append(f.Hits, rules.Hit{Rule: p.Rules()[i]})
	}
	c.Count(f)
}

// told is what figures say, briefly: what is zero is left out.
func told(f tally.Figures) string {
	var b strings.Builder
	fmt.Fprint(&b, f.Day)
	for _, v := range f.Verdicts {
		for _, s := range v.Stages {
			if s.Total > 0 {
				fmt.Fprintf(&b, " %s/%s %d/%d", v.Verdict, s.Stage, s.Total, s.Today)
			}
		}
	}
	for _, r := range f.Rules {
		if r.Total > 0 {
			fmt.Fprintf(&b, " %s %d/%d", r.Rule, r.Total, r.Today)
		}
	}
	return b.String()
}

func want(t *testing.T, c *tally.Tally, text string) {
	t.Helper()
	if got := told(c.Figures()); got != text {
		t.Errorf("got  %s\nwant %s", got, text)
	}
}

// Numbers are by verdict, stage and rule; those of today end at midnight of the
// accounting zone, whether mail comes then or not.
func TestDays(t *testing.T) {
	moscow := at(t, "Europe/Moscow", "2026-11-28 23:59:58")
	now := &clock{moscow}
	c := tally.New(now.now)
	c.In(moscow.Location())
	p := policy(t, "one", "two")
	c.Take(p)
	count(c, p, gate.Accepted, "complete", 0)
	count(c, p, gate.Rejected, "rcptto", 0, 1)
	count(c, p, gate.Deferred, "somewhere odd")
	want(t, c, "2026-11-28 accept/complete 1/1 reject/rcptto 1/1 tempfail/_other 1/1 one 2/2 two 1/1")
	if f := c.Figures(); !f.Since.Equal(moscow) || f.Zone != "Europe/Moscow" || f.Recipients[0].Total != 6 || f.Recipients[2].Today != 3 {
		t.Errorf("%+v", f)
	}
	now.Time = moscow.Add(3 * time.Second)
	want(t, c, "2026-11-29 accept/complete 1/0 reject/rcptto 1/0 tempfail/_other 1/0 one 2/0 two 1/0")
	count(c, p, gate.Accepted, "complete", 1)
	want(t, c, "2026-11-29 accept/complete 2/1 reject/rcptto 1/0 tempfail/_other 1/0 two 2/1 one 2/0")
	if f := c.Figures(); !f.Since.Equal(moscow.Add(2*time.Second)) || !f.Last.Equal(now.Time) {
		t.Errorf("since %v, last %v", f.Since, f.Last)
	}
	// Days without mail and without anybody who looks.
	now.Time = moscow.Add(72 * time.Hour)
	count(c, p, gate.Held, "complete")
	want(t, c, "2026-12-01 accept/complete 2/0 reject/rcptto 1/0 tempfail/_other 1/0 hold/complete 1/1 one 2/0 two 2/0")
	// A clock that is set back over midnight: that day begins anew, and says so.
	now.Time = moscow
	count(c, p, gate.Held, "complete")
	want(t, c, "2026-11-28 accept/complete 2/0 reject/rcptto 1/0 tempfail/_other 1/0 hold/complete 2/1 one 2/0 two 2/0")
	if f := c.Figures(); !f.Since.Equal(moscow) {
		t.Errorf("since %v", f.Since)
	}
}

// A reload to another zone keeps today where the date is the same.
func TestAnotherZone(t *testing.T) {
	now := &clock{at(t, "UTC", "2026-11-28 12:00:00")}
	c, p := tally.New(now.now), policy(t)
	count(c, p, gate.Accepted, "complete")
	c.In(at(t, "Europe/Moscow", "2026-11-28 00:00:00").Location())
	want(t, c, "2026-11-28 accept/complete 1/1")
	now.Time = at(t, "UTC", "2026-11-28 20:59:59")
	want(t, c, "2026-11-28 accept/complete 1/1")
	now.Time = at(t, "UTC", "2026-11-28 21:00:00")
	want(t, c, "2026-11-29 accept/complete 1/0")
	count(c, p, gate.Accepted, "complete")
	c.In(time.UTC) // yesterday again
	want(t, c, "2026-11-28 accept/complete 2/0")
}

// Every second of a year in zones with odd midnights is of the date that the
// figures name.
func TestOddMidnights(t *testing.T) {
	for _, zone := range []string{"America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "America/Santiago", "Pacific/Apia"} {
		start := at(t, zone, "2011-12-25 00:30:00") // Apia had no 30 December that year
		now := &clock{start}
		c, p := tally.New(now.now), policy(t)
		c.In(start.Location())
		day, today := start.Format(time.DateOnly), int64(0)
		for range 370 * 24 * 2 {
			now.Time = now.Add(30 * time.Minute)
			if d := now.Format(time.DateOnly); d != day {
				day, today = d, 0
			}
			today++
			count(c, p, gate.Accepted, "complete")
			if f := c.Figures(); f.Day != day || f.Verdicts[0].Today != today {
				t.Fatalf("%s %v: %s %d, want %s %d", zone, now.Time, f.Day, f.Verdicts[0].Today, day, today)
			}
		}
	}
}

// However many rules there are, the figures are bounded, and no hit is lost.
func TestRulesBeyond(t *testing.T) {
	var names []string
	for i := range tally.MaxRules + 200 {
		names = append(names, fmt.Sprint("r", i))
	}
	c, p := tally.New(time.Now), policy(t, names...)
	c.Take(p)
	count(c, p, gate.Accepted, "complete", 0, tally.MaxRules-1, tally.MaxRules, tally.MaxRules+199)
	f := c.Figures()
	if len(f.Rules) != tally.MaxRules+1 || f.Rules[0].Rule != "r0" || f.Rules[1].Rule != fmt.Sprint("r", tally.MaxRules-1) {
		t.Errorf("%d rules, first %v", len(f.Rules), f.Rules[:2])
	}
	if last := f.Rules[tally.MaxRules]; last.Rule != tally.Other || last.Today != 2 {
		t.Errorf("the last: %v", last)
	}
}

// Rules of a policy by which nobody judges any more have no figures; hits of a
// policy that is not in force are counted by the name of the rule.
func TestRetiredRules(t *testing.T) {
	c := tally.New(time.Now)
	old, next, candidate := policy(t, "gone", "stays"), policy(t, "stays", "new"), policy(t, "tried", "stays")
	c.Take(old)
	c.Take(next)
	count(c, old, gate.Accepted, "complete", 0, 1) // a session that began before
	count(c, candidate, gate.Accepted, "complete", 0, 1)
	day := c.Figures().Day
	want(t, c, day+" accept/complete 2/2 stays 2/2 gone 1/1 _other 1/1")
	c.Drop(old)
	c.Drop(old)
	if f := c.Figures(); len(f.Rules) != 3 || f.Rules[0].Rule != "stays" || f.Rules[1].Rule != "new" {
		t.Errorf("%v", f.Rules)
	}
}

// Counting is what every message waits for.
func TestCountAllocates(t *testing.T) {
	c, p := tally.New(time.Now), policy(t, "one")
	c.Take(p)
	f := gate.Fate{Policy: p, Verdict: gate.Accepted, Stage: "complete", Hits: []rules.Hit{{Rule: p.Rules()[0]}}}
	if n := testing.AllocsPerRun(100, func() { c.Count(f) }); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}
