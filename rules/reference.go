package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/rules/list"
	"github.com/tollgate-mail/tollgate/rules/number"
)

// reference is an operand in braces: the values of another attribute.
type reference struct {
	key      Key
	operator string // of a number: how the attribute is to it
	probe    int
}

// parseReference reads "{recipient}" and, of numbers, "> {declared_size}". It is
// none when there are no braces around a name.
func parseReference(s string, kind Kind) (name, operator string, ok bool) {
	rest := strings.TrimSpace(s)
	operator = "="
	if kind == KindNumber {
		operator, rest = number.CutOperator(rest)
	}
	if len(rest) < 3 || rest[0] != '{' || rest[len(rest)-1] != '}' {
		return "", "", false
	}
	name = rest[1 : len(rest)-1]
	// In an expression braces repeat: {2,3}.
	return name, operator, strings.Trim(name, "0123456789,") != ""
}

// reference adds an operand in braces to a condition.
func (c *compiler) reference(m *condition, name, operator string) error {
	key, err := parseKey(name)
	if err != nil {
		return err
	}
	row := &catalogue[key.Attr]
	switch {
	case row.Stage > c.limit:
		return fmt.Errorf("{%s} is known from stage %s on, not at %s", name, row.Stage, c.limit)
	case key.Attr == RuleName || m.key.Attr == RuleName:
		return fmt.Errorf("rules are named as they are, not by {%s}", name)
	case key == m.key:
		return fmt.Errorf("{%s} is the attribute itself", name)
	case row.Kind != m.kind && !(m.kind == KindText && row.Kind == KindIP || m.kind == KindIP && row.Kind == KindText):
		return fmt.Errorf("{%s} cannot be compared with it: the one is %s, the other %s", name, kindNames[m.kind], kindNames[row.Kind])
	case m.kind != KindText && m.kind != KindIP && m.kind != KindNumber:
		return fmt.Errorf("{%s}: only texts, addresses and numbers can be compared", name)
	}
	m.own().refs = append(m.refs, reference{key: key, operator: operator})
	return nil
}

var kindNames = [...]string{
	KindText: "a text", KindIP: "an address", KindNumber: "a number", KindEnum: "a name", KindBool: "true or false", KindDNSBL: "a DNS list",
}

// holdsRef tells whether the value of c's attribute is that of another, and
// which of its texts or addresses is.
func (e *evaluation) holdsRef(c *condition, a *answer) (i int, v truthValue) {
	for n := range c.refs {
		r := &c.refs[n]
		other := e.ask(r.probe)
		if other.err != nil {
			v = missing
			continue
		}
		if i, ok := e.same(c, r, &a.known, &other.known); ok {
			return i, yes
		}
	}
	return 0, v
}

func (e *evaluation) same(c *condition, r *reference, a, other *known) (int, bool) {
	if c.kind == KindNumber {
		cmp := number.Comparison{Operator: r.operator, Bound: other.value.Num}
		return 0, a.value.Known && other.value.Known && cmp.Holds(a.value.Num)
	}
	names := list.NewSet()
	for _, s := range other.texts {
		// What Postfix calls a client without a name is no name.
		if s != "" && (r.key.Attr != ClientHost || s != "unknown") && e.work.Charge(len(s)+1) == nil {
			names.Add(s)
		}
	}
	for _, s := range other.value.Mailboxes {
		if e.work.Charge(len(s)+1) == nil {
			names.Add(s)
		}
	}
	for _, addr := range other.value.IPs {
		names.AddAddr(addr)
	}
	for i, s := range a.value.Mailboxes {
		if e.work.Charge(len(s)+1) == nil && names.Has(s) {
			return len(a.texts) + i, true
		}
	}
	for i, s := range a.texts {
		if e.work.Charge(len(s)+1) != nil {
			return 0, false
		}
		if names.Has(s) || c.key.Attr == HeaderField && names.HasMailbox(s) {
			return i, true
		}
	}
	for i, addr := range a.value.IPs {
		if names.HasAddr(addr) {
			return i, true
		}
	}
	return 0, false
}

// ruleNames are the rules that matched before, with effect: in earlier stages, as
// the facts have it, and in this one.
func (e *evaluation) ruleNames() ([]string, error) {
	if !e.askedRules {
		e.askedRules = true
		v, err := e.facts.Value(e.ctx, Key{Attr: RuleName})
		e.earlier, e.rulesErr = append(e.earlier[:0], v.Texts...), err
		e.heard = 0
	}
	for ; e.heard < len(e.out.Hits); e.heard++ {
		if h := e.out.Hits[e.heard]; !h.Temperror && !h.Rule.Shadow {
			e.earlier = append(e.earlier, h.Rule.Name)
		}
	}
	return e.earlier, e.rulesErr
}

// holdsRule tells whether a rule that the condition names has matched before.
func (e *evaluation) holdsRule(c *condition) (name string, v truthValue) {
	names, err := e.ruleNames()
	for _, name := range names {
		for _, want := range c.rules {
			if name == want {
				return name, yes
			}
		}
		for _, p := range c.patterns {
			if p.Match(name, e.work) {
				return name, yes
			}
		}
	}
	if err != nil {
		return "", missing
	}
	return "", no
}

// named are the rules that others name in conditions.
type named struct {
	names    map[string]bool
	patterns []*regexp.Regexp
}

// isAsked tells whether another rule names this one in a condition: it is then
// there for that.
func (c *compiler) isAsked(name string) bool {
	if c.named == nil {
		c.named = &named{names: map[string]bool{}}
		for _, s := range c.asked {
			c.named.add(s)
		}
	}
	return c.named.names[name] || slices.ContainsFunc(c.named.patterns, func(re *regexp.Regexp) bool { return re.MatchString(name) })
}

func (n *named) add(s string) {
	if n.names[s] {
		return
	}
	n.names[s] = true
	if plainName(s) != "" {
		return
	}
	if re, err := regexp.Compile("(?i)" + s); err == nil {
		n.patterns = append(n.patterns, re)
	}
}

// asksRules tells whether the rule builds on others.
func (t *test) asksRules() bool {
	for c := range t.conditions() {
		if c.key.Attr == RuleName {
			return true
		}
	}
	return false
}
