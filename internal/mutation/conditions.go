package mutation

import (
	"fmt"
	"maps"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// clause is one of the three lists of conditions of a rule.
type clause uint8

const (
	inMatch clause = iota
	inAny
	inUnless
)

var clauseNames = [...]string{"match", "any", "unless"}

func (c clause) of(f *rules.Form) []rules.Term {
	return [...][]rules.Term{f.Match, f.Any, f.Unless}[c]
}

// put replaces condition k of a clause, or takes it away with nil. Groups follow
// the conditions that stand alone.
func (c clause) put(s *rules.SourceRule, k int, by *rules.Condition) {
	plain := [...]*[]rules.Condition{&s.Match, &s.Any, &s.Unless}[c]
	groups := [...]*[][]rules.Condition{new([][]rules.Condition), &s.AnyOf, &s.UnlessAll}[c]
	switch {
	case k >= len(*plain):
		*groups = slices.Delete(*groups, k-len(*plain), k-len(*plain)+1)
	case by == nil:
		*plain = slices.Delete(*plain, k, k+1)
	default:
		(*plain)[k] = *by
	}
}

func (c clause) source(s *rules.SourceRule) []rules.Condition {
	return [...][]rules.Condition{s.Match, s.Any, s.Unless}[c]
}

// conditions changes what a rule tests.
func (m *maker) conditions(i int, r *rules.Rule) {
	src, form := &m.src.Rules[i], &m.forms[i]
	shadow := ""
	if src.Shadow {
		shadow = "shadow = true: the rule is without effect"
	}
	for c := inMatch; c <= inUnless; c++ {
		terms := c.of(form)
		for k := range terms {
			if len(terms) != len(c.source(src))+groupsOf(src, c) {
				return // a condition did not compile: told elsewhere
			}
			one := &condition{m: m, i: i, r: r, clause: c, k: k, term: &terms[k], shadow: shadow}
			one.leaveOut()
			if k < len(c.source(src)) {
				one.values()
			}
		}
	}
}

func groupsOf(s *rules.SourceRule, c clause) int {
	return [...]int{0, len(s.AnyOf), len(s.UnlessAll)}[c]
}

// condition is one that is changed.
type condition struct {
	m      *maker
	i      int
	r      *rules.Rule
	clause clause
	k      int
	term   *rules.Term
	shadow string
}

// add notes a mutant of the condition. By is what stands in its place, nil where
// it is left out.
func (c *condition) add(pos diag.Pos, why string, by *rules.Condition, lists map[string]*list.List, format string, args ...any) {
	other := c.m.changed(c.i, c.r, func(s *rules.SourceRule) { c.clause.put(s, c.k, by) }, lists)
	if other == nil {
		return
	}
	var is *rules.Term
	if by != nil {
		src := c.source(by, lists)
		one := &src.Rules[0]
		one.Match, one.Any, one.Unless, one.AnyOf, one.UnlessAll = []rules.Condition{*by}, nil, nil, nil, nil
		if f := rules.Forms(src); len(f[0].Match) == 1 {
			is = &f[0].Match[0]
		}
	}
	switch {
	case c.shadow != "":
		why = c.shadow
	case why == "" && c.m.never[c.i]:
		if as := c.m.prover.As(c.i, c.source(by, lists)); as.Dead(c.i) != "" || as.Covered(c.i) >= 0 {
			why = "the rule never matches, changed or not"
		}
	}
	name := c.term.Key.String()
	if c.term.Group != nil {
		name = "group " + fmt.Sprint(c.k+1)
	}
	c.m.add(pos, why, &Mutant{
		made: c.m.variants.With(map[*rules.Rule]*rules.Rule{c.r: other}), truth: other,
		goal: goal{rule: c.i, clause: c.clause, k: c.k, was: c.term, is: is, truth: true},
	}, "rule %q: %s %s: %s", c.m.src.Rules[c.i].Name, clauseNames[c.clause], name, fmt.Sprintf(format, args...))
}

// source is the rule as it is changed, alone.
func (c *condition) source(by *rules.Condition, lists map[string]*list.List) rules.Source {
	src := c.m.src
	one := src.Rules[c.i]
	one.Match, one.Any, one.Unless = slices.Clone(one.Match), slices.Clone(one.Any), slices.Clone(one.Unless)
	one.AnyOf, one.UnlessAll = slices.Clone(one.AnyOf), slices.Clone(one.UnlessAll)
	c.clause.put(&one, c.k, by)
	src.Rules = []rules.SourceRule{one}
	if lists != nil {
		src.Lists = maps.Clone(src.Lists)
		maps.Copy(src.Lists, lists)
	}
	return src
}

func (c *condition) leaveOut() {
	why := ""
	if c.clause == inMatch && c.m.prover.Implied(c.i, c.k) {
		why = "the other conditions of the rule imply it"
	}
	c.add(c.term.Pos, why, nil, nil, "the condition is left out")
}

// values changes each value of the condition.
func (c *condition) values() {
	src := c.clause.source(&c.m.src.Rules[c.i])[c.k]
	for w := range c.term.Wants {
		want := &c.term.Wants[w]
		at := slices.IndexFunc(src.Values, func(o rules.Operand) bool { return o.V == want.V })
		if at < 0 {
			continue
		}
		with := func(v any) *rules.Condition {
			other := src
			other.Values = slices.Clone(src.Values)
			if v == nil {
				other.Values = slices.Delete(other.Values, at, at+1)
			} else {
				other.Values[at].V = v
			}
			return &other
		}
		if len(src.Values) > 1 {
			c.add(want.Pos, c.covered(w), with(nil), nil, "%v is left out", shown(want.V))
		}
		switch want.Kind {
		case rules.WantPattern:
			c.anchors(want, with)
		case rules.WantNumber:
			c.bounds(want, with)
		case rules.WantList:
			c.classes(want, with)
		}
	}
}

func shown(v any) string {
	if s, ok := v.(string); ok {
		return "'" + s + "'"
	}
	return fmt.Sprint(v)
}

// covered tells why a value is not missed.
func (c *condition) covered(w int) string {
	if c.term.All || c.term.Hits != "" {
		return ""
	}
	others := slices.Delete(slices.Clone(c.term.Wants), w, w+1)
	if c.m.prover.Within(c.term.Key, &c.term.Wants[w], others) {
		return "another value of the condition covers it"
	}
	return ""
}

// anchors takes ^ and $ away.
func (c *condition) anchors(want *rules.Want, with func(any) *rules.Condition) {
	s, ok := want.V.(string)
	if !ok || want.Pattern == nil || strings.HasPrefix(s, "/") {
		return
	}
	try := func(other, what string) {
		if _, err := syntax.Parse(other, syntax.Perl); err != nil || other == "" {
			return
		}
		why := ""
		if c.m.prover.Same(want.Pattern, other) {
			why = "the expression is found in the same texts"
		}
		c.add(want.Pos, why, with(other), nil, "'%s' is without its %s", s, what)
	}
	if rest, ok := strings.CutPrefix(s, "^"); ok && !topChoice(s) {
		try(rest, "^")
	}
	if rest, ok := strings.CutSuffix(s, "$"); ok && !strings.HasSuffix(rest, `\`) && !topChoice(s) {
		try(rest, "$")
	}
}

// topChoice tells whether an expression is a choice: its anchors are those of
// one branch.
func topChoice(s string) bool {
	re, err := syntax.Parse(s, syntax.Perl)
	return err != nil || re.Op == syntax.OpAlternate
}

// bounds moves those of a number by the least step there is.
func (c *condition) bounds(want *rules.Want, with func(any) *rules.Condition) {
	row := c.term.Row()
	step := int64(1000)
	if row.Member != "" {
		step = 1
	}
	operator, rest := "=", ""
	if s, ok := want.V.(string); ok {
		rest = strings.TrimLeft(s, "<>= ")
		if operator = strings.TrimSpace(strings.TrimSuffix(s, rest)); operator == "" {
			operator = "="
		}
	}
	moved := func(op string, bound int64) {
		c.add(want.Pos, "", with(fmt.Sprintf("%s %s", op, rules.Weight(bound))), nil, "%v is %s %s", shown(want.V), op, rules.Weight(bound))
	}
	switch operator {
	case ">", ">=":
		if want.Low > 0 || row.Signed {
			moved(">=", want.Low-step)
		}
		moved(">=", want.Low+step)
	case "<", "<=":
		moved("<=", want.High+step)
		if want.High > 0 || row.Signed {
			moved("<=", want.High-step)
		}
	}
}

// classes takes each class of entries from a list.
func (c *condition) classes(want *rules.Want, with func(any) *rules.Condition) {
	if want.List.Len() > mostEntries || strings.HasPrefix(want.ListName, "{") {
		return
	}
	has := map[list.Class]bool{}
	for class := range want.List.Entries() {
		has[class] = true
	}
	kind := c.term.Row().Kind
	for _, class := range list.EveryClass() {
		if !has[class] {
			continue
		}
		less := want.List.Without(class, c.m.cache)
		why := ""
		switch {
		case kind == rules.KindIP && class&(list.Addresses|list.LocalParts|list.Domains|list.Subdomains) != 0:
			why = "an address is in no such entry"
		case c.term.Row().Lower && class&(list.Addresses|list.LocalParts) != 0:
			why = "a domain is in no such entry"
		case less.Covers(want.List):
			why = "other entries of the list cover them"
		}
		c.add(want.Pos, why, with(want.V), map[string]*list.List{want.ListName: less}, "list %s is without its %s", want.ListName, class)
	}
}

// mostEntries bounds the lists whose classes are changed.
const mostEntries = 20_000
