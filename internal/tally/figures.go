package tally

import (
	"cmp"
	"slices"
	"time"
)

// Count is how often something was.
type Count struct {
	Total int64 `json:"total"` // since the start
	Today int64 `json:"today"` // of them, on the day of Figures
}

// Figures are the numbers at one moment.
type Figures struct {
	Day   string    `json:"day"`   // that is today, such as 2026-11-28
	Zone  string    `json:"zone"`  // of its midnight
	Since time.Time `json:"since"` // today is counted since: its midnight, or the start if that was later
	Last  time.Time `json:"last"`  // when a message last came to its end; zero for never

	Verdicts   []Verdict `json:"verdicts"` // all that there are
	Recipients []Answer  `json:"recipients"`
	Rules      []Rule    `json:"rules"` // the most hits of today first; the hits of those beyond MaxRules last, as Other
}

// Verdict is how many messages came to one.
type Verdict struct {
	Verdict string `json:"verdict"`
	Count
	Stages []Stage `json:"stages"`
}

// Stage is where a verdict fell.
type Stage struct {
	Stage string `json:"stage"`
	Count
}

// Answer is how many recipients got one.
type Answer struct {
	Answer string `json:"answer"`
	Count
}

// Rule is how many messages a rule matched, of shadow rules too.
type Rule struct {
	Rule string `json:"rule"`
	Count
	Shadow bool `json:"shadow,omitempty"` // in the policy it has no effect
}

// Figures are the numbers now.
func (t *Tally) Figures() Figures {
	t.turnDay()
	t.mu.Lock()
	defer t.mu.Unlock()
	f := Figures{Day: t.date, Zone: t.loc.String(), Since: t.since.UTC()}
	if last := t.last.Load(); last != 0 {
		f.Last = time.Unix(0, last).UTC()
	}
	for _, v := range verdicts() {
		row := Verdict{Verdict: string(v)}
		for _, s := range stages() {
			c := t.fates[fate{v, s}].count()
			row.Total += c.Total
			row.Today += c.Today
			row.Stages = append(row.Stages, Stage{s, c})
		}
		f.Verdicts = append(f.Verdicts, row)
	}
	f.Recipients = []Answer{{"accepted", t.accepted.count()}, {"deferred", t.deferred.count()}, {"rejected", t.refused.count()}}
	f.Rules = make([]Rule, 0, len(t.named)+1)
	for name, n := range t.named {
		f.Rules = append(f.Rules, Rule{Rule: name, Count: n.cell.count()})
	}
	slices.SortFunc(f.Rules, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(b.Today, a.Today), cmp.Compare(b.Total, a.Total), cmp.Compare(a.Rule, b.Rule))
	})
	f.Rules = append(f.Rules, Rule{Rule: Other, Count: t.beyond.count()})
	return f
}
