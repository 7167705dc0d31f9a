package rules

import (
	"context"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// measure fills in what a rule that matched adds for each value, and what its
// tags and reply ask for. Where what cannot be had now would change what it adds, a
// rule that defers for such things does; another adds what is sure.
func (e *evaluation) measure(h *Hit) {
	r := h.Rule
	if r.each != 0 {
		sure, open := e.matching(r.test)
		extra := r.extra(sure)
		if h.Temperror = r.test.tempfail && extra != r.extra(sure+open); h.Temperror {
			return
		}
		h.Weight += extra
	}
	if r.captures {
		h.Captures = e.captures(r.test)
	}
	e.explain(h)
}

// extra is what the rule adds for so many values.
func (r *Rule) extra(values int) Weight {
	return max(-r.most, min(r.each*Weight(values), r.most))
}

// matching is how many values of match and any hold, and how many more may, which
// cannot be told now.
func (e *evaluation) matching(t *test) (sure, open int) {
	for _, clause := range [...][]*condition{t.match, t.any} {
		for _, c := range clause {
			for leaf := range c.leaves() {
				s, o := e.values(leaf)
				sure, open = sure+s, open+o
			}
		}
	}
	return sure, open
}

// values is how many values of a condition hold, and may hold: each by itself, but
// that networks count together.
func (e *evaluation) values(c *condition) (sure, open int) {
	if c.key.Attr == RuleName {
		return e.rulesNamed(c), 0
	}
	others := *c.operands
	others.lists, others.refs, others.comparisons = nil, nil, nil
	rest := condition{key: c.key, kind: c.kind, operands: &others}
	a := e.ask(int(c.probe))
	if a.err != nil {
		return 0, len(c.patterns) + len(c.lists) + len(c.refs) + len(c.comparisons) + 1
	}
	count := func(v truthValue) {
		switch {
		case v == yes:
			sure++
		case v == missing || c.leftOpen(&a.known):
			open++
		}
	}
	found := func(ok bool) truthValue {
		switch {
		case ok:
			return yes
		case a.unread != nil:
			return missing
		}
		return no
	}
	for _, p := range c.patterns {
		a.unread = nil
		count(found(slices.ContainsFunc(a.texts, func(s string) bool { return p.Match(s, e.work) })))
	}
	for _, l := range c.lists {
		one := condition{key: c.key, kind: c.kind, operands: &operands{lists: []*list.List{l}}}
		_, ok := one.findOther(&a.known, e.work)
		count(found(ok))
	}
	for i := range c.refs {
		one := condition{key: c.key, kind: c.kind, operands: &operands{refs: c.refs[i : i+1]}}
		_, v := e.holdsRef(&one, a)
		count(v)
	}
	for _, cmp := range c.comparisons {
		a.unread = nil
		count(found(a.value.Known && cmp.Holds(a.value.Num)))
	}
	if _, ok := rest.findOther(&a.known, e.work); ok || len(c.names)+len(c.truths) > 0 {
		count(found(ok))
	}
	return sure, open
}

// rulesNamed is how many operands of the attribute rule stand for one that
// matched before.
func (e *evaluation) rulesNamed(c *condition) int {
	names, _ := e.ruleNames()
	n := 0
	for _, want := range c.rules {
		if slices.Contains(names, want) {
			n++
		}
	}
	for _, p := range c.patterns {
		if slices.ContainsFunc(names, func(name string) bool { return p.Match(name, e.work) }) {
			n++
		}
	}
	return n
}

// captures are the groups of the first expression of match and any that matches
// and has some.
func (e *evaluation) captures(t *test) []string {
	for _, clause := range [...][]*condition{t.match, t.any} {
		for _, c := range clause {
			for leaf := range c.leaves() {
				if leaf.key.Attr == RuleName {
					continue
				}
				a := e.ask(int(leaf.probe))
				for _, p := range leaf.patterns {
					if p.Groups() == 0 {
						continue
					}
					for _, s := range a.texts {
						if found := p.Captures(s, e.work); found != nil {
							return found[1:]
						}
					}
				}
			}
		}
	}
	return nil
}

const (
	// MaxBecause is how many octets of a value are told of a hit.
	MaxBecause = 160
	// tellingWork is what finding them may cost in one stage, in steps: a
	// five-hundredth of what matching may.
	tellingWork = 1 << 18
)

// reason is why a rule matches: the first condition that holds. What of a value made
// it hold is looked for with a budget of its own: it is for people, and no verdict
// depends on it.
type reason struct {
	because *condition
	telling *budget.Budget
}

// noted keeps the first condition of a rule that holds.
func (e *evaluation) noted(c *condition, v truthValue) truthValue {
	if v == yes && e.because == nil {
		e.because = c
	}
	return v
}

// explain tells by what a rule matched.
func (e *evaluation) explain(h *Hit) {
	c := e.because
	if c == nil {
		return
	}
	h.Attr = c.key.String()
	if c.key.Attr == RuleName {
		h.Text, _ = e.holdsRule(c)
		return
	}
	a := e.ask(int(c.probe))
	if a.err != nil {
		return
	}
	if e.telling == nil {
		e.telling = budget.New(context.Background(), tellingWork, math.MaxInt64)
	}
	i := 0
	if c.kind != KindText || len(a.texts)+len(a.value.Mailboxes) > 1 {
		var ok bool
		if i, ok = c.find(&a.known, e.telling); !ok {
			return // it is a comparison with another attribute, or too dear to say
		}
	} else if len(a.texts) == 0 {
		return
	}
	text := c.show(&a.known, i)
	from, to := 0, 0
	if len(text) > MaxBecause {
		for _, p := range c.patterns {
			var ok bool
			if from, to, ok = p.Find(text, e.telling); ok {
				break
			}
		}
	}
	h.Text = around(text, from, to)
}

// around is a piece of a text with what stands from one place to another in its
// middle, and marks where something is left out.
func around(text string, from, to int) string {
	if len(text) <= MaxBecause {
		return text
	}
	begin := max(0, min(from-max(0, MaxBecause-(to-from))/2, len(text)-MaxBecause))
	for begin > 0 && !utf8.RuneStart(text[begin]) {
		begin--
	}
	end := min(len(text), begin+MaxBecause)
	for end < len(text) && !utf8.RuneStart(text[end]) {
		end--
	}
	piece := text[begin:end]
	if begin > 0 {
		piece = "…" + piece
	}
	if end < len(text) {
		piece += "…"
	}
	return piece
}
