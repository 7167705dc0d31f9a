package mutation

import (
	"slices"

	"github.com/tollgate-mail/tollgate/rules"
)

// goal is what a message must be for a mutant to show.
type goal struct {
	matches []int         // rules that must match
	sum     *rules.Weight // what the weights must add up to
	// truth: rule rule must match with its own condition and not with the other,
	// or the other way round. A condition that is nil is left out.
	truth   bool
	rule    int
	clause  clause
	k       int
	was, is *rules.Term
}

// aim is a condition that must hold, or must not.
type aim struct {
	term *rules.Term
	hold bool
}

// mostWays bounds the ways in which a goal is tried.
const mostWays = 24

// ways are sets of aims, each of which reaches a goal as far as conditions tell.
func (m *maker) ways(g *goal) [][]aim {
	if g.truth {
		return m.truthWays(g)
	}
	matches := g.matches
	if g.sum != nil {
		matches = m.subset(*g.sum)
	}
	all := [][]aim{nil}
	for _, i := range matches {
		all = product(all, m.matching(i))
	}
	return all
}

func product(a, b [][]aim) [][]aim {
	var all [][]aim
	for _, y := range b {
		for _, x := range a {
			if len(all) < mostWays {
				all = append(all, append(slices.Clone(x), y...))
			}
		}
	}
	return all
}

// matching are ways in which a rule matches.
func (m *maker) matching(i int) [][]aim {
	f := &m.forms[i]
	base := [][]aim{nil}
	for k := range f.Match {
		base = product(base, m.term(&f.Match[k], true))
	}
	for k := range f.Unless {
		base = product(base, m.term(&f.Unless[k], false))
	}
	if len(f.Any) == 0 {
		return base
	}
	var all [][]aim
	for k := range f.Any {
		all = append(all, product(base, m.term(&f.Any[k], true))...)
	}
	return all[:min(len(all), mostWays)]
}

// failing are ways in which it does not.
func (m *maker) failing(i int) [][]aim {
	f := &m.forms[i]
	var all [][]aim
	for k := range f.Match {
		all = append(all, m.term(&f.Match[k], false)...)
	}
	if len(f.Any) > 0 {
		none := [][]aim{nil}
		for k := range f.Any {
			none = product(none, m.term(&f.Any[k], false))
		}
		all = append(all, none...)
	}
	for k := range f.Unless {
		all = append(all, m.term(&f.Unless[k], true)...)
	}
	return all[:min(len(all), mostWays)]
}

// term are ways in which a condition holds, or does not.
func (m *maker) term(t *rules.Term, hold bool) [][]aim {
	switch {
	case t.Group != nil && hold:
		all := [][]aim{nil}
		for k := range t.Group {
			all = product(all, m.term(&t.Group[k], true))
		}
		return all
	case t.Group != nil:
		var all [][]aim
		for k := range t.Group {
			all = append(all, m.term(&t.Group[k], false)...)
		}
		return all
	case t.Key.Attr == rules.RuleName:
		return m.ruleTerm(t, hold)
	}
	return [][]aim{{{t, hold}}}
}

// ruleTerm has the rules match that a condition names.
func (m *maker) ruleTerm(t *rules.Term, hold bool) [][]aim {
	var all [][]aim
	none := [][]aim{nil}
	for i := range m.src.Rules {
		for _, w := range t.Wants {
			name := m.src.Rules[i].Name
			if w.Kind == rules.WantRule && w.Name != name || w.Kind == rules.WantPattern && !w.Pattern.Match(name, rules.Work()) {
				continue
			}
			if _, enabled := m.rules[name]; !enabled || asksRules(&m.forms[i]) {
				continue
			}
			if hold {
				all = append(all, m.matching(i)...)
			} else if not := m.failing(i); len(not) > 0 {
				none = product(none, not)
			}
		}
	}
	if hold {
		return all[:min(len(all), mostWays)]
	}
	return none
}

func asksRules(f *rules.Form) bool {
	for _, clause := range [...][]rules.Term{f.Match, f.Any, f.Unless} {
		for _, t := range clause {
			if t.Key.Attr == rules.RuleName {
				return true
			}
		}
	}
	return false
}

// truthWays are those in which one condition decides about its rule, and does so
// otherwise than the mutant's.
func (m *maker) truthWays(g *goal) [][]aim {
	f := &m.forms[g.rule]
	all := [][]aim{nil}
	others := func(terms []rules.Term, in clause, hold bool) {
		for k := range terms {
			if in != g.clause || k != g.k {
				all = product(all, m.term(&terms[k], hold))
			}
		}
	}
	others(f.Match, inMatch, true)
	others(f.Unless, inUnless, false)
	switch {
	case g.clause == inAny:
		others(f.Any, inAny, false)
	case len(f.Any) > 0:
		var some [][]aim
		for k := range f.Any {
			some = append(some, m.term(&f.Any[k], true)...)
		}
		all = product(all, some)
	}
	was := func(hold bool) [][]aim { return m.term(g.was, hold) }
	if g.is == nil {
		// Left out it is as if it held; of several in any as if it did not.
		asIf := g.clause == inMatch || g.clause == inAny && len(f.Any) == 1
		return product(all, was(!asIf))
	}
	is := func(hold bool) [][]aim { return m.term(g.is, hold) }
	return append(product(product(all, was(true)), is(false)), product(product(all, was(false)), is(true))...)
}
