// Package mutation changes a policy, one small thing at a time, and finds the
// changes that no case of a policy test notices: there the policy can be broken
// and its tests still pass.
package mutation

import (
	"fmt"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/proof"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// Mutant is a policy with one thing changed.
type Mutant struct {
	File string `json:"file"`
	Line int    `json:"line"`
	What string `json:"what"` // `rule "lottery": weight 3.5 is gone`
	// Why tells of a mutant that was left out why it is no other policy.
	Why string `json:"why,omitempty"`
	// Case is one that notices it, as it stands in a file of cases; "" where
	// none was found.
	Case string `json:"case,omitempty"`

	made  *rules.Policy
	truth *rules.Rule   // a rule whose conditions are others; nil: they are the same
	of    []*rules.Rule // of which one must have matched for it to matter
	above *[2]rules.Weight
	goal  goal
}

// maker makes the mutants of a policy.
type maker struct {
	src      rules.Source
	policy   *rules.Policy
	forms    []rules.Form
	rules    map[string]*rules.Rule
	variants *rules.Variants
	prover   *proof.Prover
	cache    *expr.Cache
	mutants  []*Mutant
	scored   bool
	never    map[int]bool // rules that never match
}

func newMaker(p *proof.Policy) *maker {
	m := &maker{src: p.Source, policy: p.Compiled, forms: rules.Forms(p.Source), rules: map[string]*rules.Rule{}, scored: p.Scored, never: map[int]bool{}}
	m.variants, m.prover = rules.NewVariants(p.Source, p.Compiled), proof.New(p.Source, p.Compiled)
	if m.cache = p.Source.Cache; m.cache == nil {
		m.cache = expr.NewCache(expr.DefaultCache)
	}
	for _, r := range p.Compiled.Rules() {
		m.rules[r.Name] = r
	}
	return m
}

// all are the mutants of every rule and threshold.
func (m *maker) all() []*Mutant {
	for i := range m.src.Rules {
		if r := m.rules[m.src.Rules[i].Name]; r != nil {
			m.never[i] = m.prover.Dead(i) != "" || m.prover.Covered(i) >= 0
			m.conditions(i, r)
			m.effects(i, r)
		}
	}
	m.order()
	m.thresholds()
	return m.mutants
}

// add notes a mutant. Its why is that of whoever knows that it is none.
func (m *maker) add(pos diag.Pos, why string, mutant *Mutant, format string, args ...any) {
	mutant.File, mutant.Line, mutant.Why, mutant.What = pos.File, pos.Line, why, fmt.Sprintf(format, args...)
	m.mutants = append(m.mutants, mutant)
}

// changed is a rule in another form; nil when it is none that compiles.
func (m *maker) changed(i int, r *rules.Rule, change func(*rules.SourceRule), lists map[string]*list.List) *rules.Rule {
	src := m.src.Rules[i]
	src.Match, src.Any, src.Unless = slices.Clone(src.Match), slices.Clone(src.Any), slices.Clone(src.Unless)
	src.AnyOf, src.UnlessAll = slices.Clone(src.AnyOf), slices.Clone(src.UnlessAll)
	change(&src)
	other, problems := m.variants.Rule(r, src, lists)
	if problems.Err() != nil {
		return nil
	}
	return other
}

// effects changes what a rule does.
func (m *maker) effects(i int, r *rules.Rule) {
	src := &m.src.Rules[i]
	why := m.idle(i)
	effect := func(key string, change func(*rules.SourceRule), format string, args ...any) {
		if other := m.changed(i, r, change, nil); other != nil {
			m.add(src.At[key].OrElse(src.Pos), why, &Mutant{
				made: m.variants.With(map[*rules.Rule]*rules.Rule{r: other}), of: []*rules.Rule{r}, goal: goal{matches: []int{i}},
			}, "rule %q: %s", src.Name, fmt.Sprintf(format, args...))
		}
	}
	if src.Weight != 0 {
		effect("weight", func(s *rules.SourceRule) { s.Weight, s.At = 0, without(s.At, "weight") }, "weight %s is gone", src.Weight)
		effect("weight", func(s *rules.SourceRule) { s.Weight += 1000 }, "weight %s is %s", src.Weight, src.Weight+1000)
	}
	if src.Last {
		m.notLast(i, r, why)
	}
	for _, action := range otherActions(src) {
		what := action
		if action == "" {
			what = "gone"
		}
		effect("action", func(s *rules.SourceRule) {
			s.Action, s.Reply = action, ""
			s.At = without(s.At, "reply")
		}, "action %q is %s", src.Action, what)
	}
}

// notLast takes last away: it shows where a further rule of the stage matches.
func (m *maker) notLast(i int, r *rules.Rule, why string) {
	src := &m.src.Rules[i]
	other := m.changed(i, r, func(s *rules.SourceRule) { s.Last = false }, nil)
	if other == nil {
		return
	}
	mutant := &Mutant{made: m.variants.With(map[*rules.Rule]*rules.Rule{r: other}), of: []*rules.Rule{r}}
	if why == "" {
		why = "no further rule of the stage is for what it matches"
	}
	behind := false
	for s := rules.Connect; s <= rules.Inspected; s++ {
		for _, next := range m.policy.Tried(s) {
			if k := m.index(next.Name); next == r {
				behind = true
			} else if behind && !m.src.Rules[k].Shadow && !m.prover.Disjoint(i, k) && next.Stage == r.Stage {
				mutant.goal.matches, why = []int{i, k}, m.idle(i)
				m.add(src.At["last"].OrElse(src.Pos), why, mutant, "rule %q: last is gone", src.Name)
				return
			}
		}
	}
	m.add(src.At["last"].OrElse(src.Pos), why, mutant, "rule %q: last is gone", src.Name)
}

// index is the place of a rule in the source.
func (m *maker) index(name string) int {
	return slices.IndexFunc(m.src.Rules, func(r rules.SourceRule) bool { return r.Name == name })
}

// without is a copy of places without one.
func without(at map[string]rules.Pos, key string) map[string]rules.Pos {
	other := map[string]rules.Pos{}
	for k, v := range at {
		if k != key {
			other[k] = v
		}
	}
	return other
}

// otherActions are those that a rule might have in place of its own.
func otherActions(src *rules.SourceRule) []string {
	switch src.Action {
	case "reject":
		return []string{"", "tempfail"}
	case "tempfail":
		return []string{"", "reject"}
	case "discard":
		return []string{"", "hold"}
	case "hold":
		return []string{"", "discard"}
	case "accept", "greylist":
		return []string{""}
	}
	return nil
}

// idle tells why nothing that a rule does has an effect.
func (m *maker) idle(i int) string {
	src := &m.src.Rules[i]
	if src.Shadow {
		return "shadow = true: the rule is without effect"
	}
	if m.prover.Dead(i) != "" {
		return "the rule never matches"
	}
	if m.prover.Covered(i) >= 0 {
		return "an earlier rule covers it"
	}
	return ""
}
