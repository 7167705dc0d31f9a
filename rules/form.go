package rules

import (
	"math"
	"net/netip"
	"slices"

	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
	"github.com/tollgate-mail/tollgate/rules/number"
)

// Form is what a rule tests, in plain terms, for those who reason about rules
// without a message.
type Form struct {
	Match, Any, Unless []Term
}

// Term is one condition of a form: on an attribute any of the wants, or a group.
type Term struct {
	Pos   Pos
	Key   Key // of dnsbl and sender_dnsbl without the zone
	Wants []Want
	All   bool   // each of the wants, in place of any
	Hits  string // how many of them, as a comparison; "" for one or more
	Group []Term // all of these together; there is nothing else then
}

// Want is one operand, read. Only the fields of its kind are set.
type Want struct {
	Pos  Pos
	V    any // as it was written
	Kind WantKind

	Pattern  *expr.Pattern // over a text, or an address as text
	List     *list.List
	ListName string
	Prefix   netip.Prefix
	// Low and High bound a number in thousandths, both included.
	Low, High int64
	Name      string // of an enumeration; of rule: the rule
	Truth     bool
	Zone      string          // of a DNS list
	Answers   [4]map[int]bool // octets of its answers that count; nil for any
}

// WantKind is what an operand is.
type WantKind uint8

const (
	WantPattern WantKind = iota
	WantList
	WantPrefix
	WantNumber
	WantName
	WantTruth
	WantZone
	WantRule
	WantReference // the value of another attribute
)

// Row is the attribute's row in the catalogue.
func (t *Term) Row() Attribute {
	row := catalogue[t.Key.Attr]
	row.Attr = t.Key.Attr
	return row
}

// Forms are the forms of a source's rules, in its order. Operands that do not
// compile are left out: [Compile] tells of them.
func Forms(src Source) []Form {
	c := newCompiler(&src, readingOf(&src))
	forms := make([]Form, len(src.Rules))
	for i := range src.Rules {
		forms[i] = c.form(&src.Rules[i])
	}
	return forms
}

// form reads one rule.
func (c *compiler) form(src *SourceRule) Form {
	c.current, c.limit = src.Name, Complete
	if s, ok := ParseStage(src.Stage); ok {
		c.limit = s
	}
	return Form{
		Match:  c.terms(src.Match, nil, src.Pos),
		Any:    c.terms(src.Any, src.AnyOf, src.Pos),
		Unless: c.terms(src.Unless, src.UnlessAll, src.Pos),
	}
}

func (c *compiler) terms(src []Condition, groups [][]Condition, rule Pos) []Term {
	var all []Term
	for i := range src {
		if t, ok := c.term(&src[i], rule); ok {
			all = append(all, t)
		}
	}
	for _, g := range groups {
		if inner := c.terms(g, nil, rule); len(inner) > 0 {
			all = append(all, Term{Pos: inner[0].Pos, Group: inner})
		}
	}
	return all
}

func (c *compiler) term(src *Condition, rule Pos) (Term, bool) {
	key, err := parseKey(src.Attr)
	if err != nil {
		return Term{}, false
	}
	t := Term{Pos: src.Pos.OrElse(rule), Key: key, All: src.All, Hits: src.Hits}
	for _, op := range src.Values {
		one := Condition{Pos: src.Pos, Attr: src.Attr, Values: []Operand{op}}
		before := len(c.problems)
		m := c.leaf(&one, c.limit, rule)
		if c.problems[before:].Err() == nil && m != nil {
			w := wantOf(m)
			w.Pos, w.V = op.Pos.OrElse(t.Pos), op.V
			if s, ok := op.V.(string); ok && w.Kind == WantList {
				w.ListName = s[len("list:"):]
			}
			t.Wants = append(t.Wants, w)
		}
		c.problems = c.problems[:before]
	}
	return t, len(t.Wants) > 0
}

// wantOf is the one operand of a condition.
func wantOf(m *condition) Want {
	switch {
	case len(m.alternatives) > 0:
		one := m.alternatives[0]
		return Want{Kind: WantZone, Zone: one.key.Name, Answers: one.filters[0].octets()}
	case len(m.refs) > 0:
		return Want{Kind: WantReference}
	case len(m.rules) > 0:
		return Want{Kind: WantRule, Name: m.rules[0]}
	case len(m.patterns) > 0:
		return Want{Kind: WantPattern, Pattern: m.patterns[0]}
	case len(m.lists) > 0:
		return Want{Kind: WantList, List: m.lists[0]}
	case len(m.prefixes.All) > 0:
		return Want{Kind: WantPrefix, Prefix: m.prefixes.All[0]}
	case len(m.comparisons) > 0:
		w := Want{Kind: WantNumber}
		w.Low, w.High = interval(m.comparisons[0], &catalogue[m.key.Attr])
		return w
	case len(m.names) > 0:
		return Want{Kind: WantName, Name: m.names[0]}
	}
	return Want{Kind: WantTruth, Truth: len(m.truths) > 0 && m.truths[0]}
}

// octets are those that a filter takes; nil maps for all of them.
func (f answerFilter) octets() (o [4]map[int]bool) {
	if f == everyAnswer() {
		return o
	}
	for i := range f {
		o[i] = make(map[int]bool)
		for n := range 256 {
			if f[i][n/64]&(1<<(n%64)) != 0 {
				o[i][n] = true
			}
		}
	}
	return o
}

// interval is the numbers for which a comparison holds, among those that the
// attribute can have: whole ones but for scores, and none below zero but where
// they have a sign. It is empty, low above high, where there are none.
func interval(c number.Comparison, row *Attribute) (low, high int64) {
	low, high = math.MinInt64/1000*1000, math.MaxInt64/1000*1000
	if !row.Signed {
		low = 0
	}
	switch c.Operator {
	case ">":
		low = max(low, c.Bound+1)
	case ">=":
		low = max(low, c.Bound)
	case "<":
		high = c.Bound - 1
	case "<=":
		high = c.Bound
	default:
		low, high = max(low, c.Bound), c.Bound
	}
	if row.Member == "" { // whole numbers
		low, high = ceil(low), -ceil(-high)
	}
	return low, high
}

// ceil is the next thousand.
func ceil(n int64) int64 {
	if r := n % 1000; r > 0 {
		return n - r + 1000
	} else if r < 0 {
		return n - r
	}
	return n
}

// Tried are the rules of stage s in the order in which they are tried.
func (p *Policy) Tried(s Stage) []*Rule {
	if int(s) >= len(p.plans) || p.plans[s] == nil {
		return nil
	}
	return slices.Clone(p.plans[s].rules)
}
