package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// conditions compiles a clause of a rule whose stage is limit. Conditions that
// have an error are left out. Those that must be waited for come last.
func (c *compiler) conditions(src []Condition, limit Stage, rule Pos) []*condition {
	var all []*condition
	for i := range src {
		if m := c.condition(&src[i], limit, rule); m != nil {
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(x, y *condition) int { return x.delay() - y.delay() })
	return all
}

func (c *compiler) condition(src *Condition, limit Stage, rule Pos) *condition {
	pos := src.Pos.orElse(rule)
	key, err := parseKey(src.Attr)
	if !c.err(pos, err) {
		return nil
	}
	row := &catalogue[key.Attr]
	if row.Stage > limit {
		c.errorf(pos, "attribute %q is known from stage %s on, not at %s", src.Attr, row.Stage, limit)
	}
	c.available(key, src.Attr, pos)
	if len(src.Values) == 0 {
		c.errorf(pos, "attribute %q has no value to compare with", src.Attr)
	}
	if row.Kind == KindDNSBL {
		return c.dnsLists(src, key.Attr, pos)
	}
	m := &condition{key: key, kind: row.Kind}
	for _, op := range src.Values {
		at := op.Pos.orElse(pos)
		if err := c.operand(m, row, op, at); err != nil {
			c.errorf(at, "%s: %v", src.Attr, err)
		}
	}
	return m
}

// available reports an attribute that nobody will answer.
func (c *compiler) available(k Key, name string, at Pos) {
	switch {
	case k.Attr == Virus && !c.source.Antivirus:
		c.errorf(at, "attribute %q needs [antivirus], which the policy does not have", name)
	case catalogue[k.Attr].Member != "" && len(c.source.Modules) == 0:
		c.errorf(at, "%s: the policy has no [[module]]", name)
	case catalogue[k.Attr].Member != "" && !slices.Contains(c.source.Modules, k.Name):
		c.err(at, unknown("[[module]]", k.Name, c.source.Modules))
	}
}

// operand adds one operand to a condition.
func (c *compiler) operand(m *condition, row *Attribute, op Operand, at Pos) error {
	if is, ok := op.V.(bool); ok && (row.Kind == KindBool || row.Presence && m.key.Name != anyField) {
		m.truths = append(m.truths, is)
		return nil
	}
	if row.Kind == KindNumber {
		cmp, err := parseComparison(op.V, row.Octets)
		m.comparisons = append(m.comparisons, cmp)
		return err
	}
	s, ok := op.V.(string)
	if !ok || row.Kind == KindBool {
		return fmt.Errorf("%s is needed, not %s", operandNames[row.Kind], typeName(op.V))
	}
	if row.Kind == KindEnum {
		if !slices.Contains(row.Names, s) {
			return unknown("value", s, row.Names)
		}
		m.names = append(m.names, s)
		return nil
	}
	if name, ok := strings.CutPrefix(s, "list:"); ok {
		return c.list(m, name)
	}
	if row.Kind == KindIP {
		return c.address(m, s, at)
	}
	if s == "" {
		c.warnf(at, "%s: an empty expression matches every value; the empty value is \"^$\"", m.key)
	}
	return c.pattern(m, s, at)
}

// operandNames are what an operand must be.
var operandNames = [...]string{
	KindText:   "a regular expression or \"list:NAME\"",
	KindIP:     "an address, a prefix, \"/regex/\" or \"list:NAME\"",
	KindNumber: "a comparison",
	KindEnum:   "a name",
	KindBool:   "true or false",
	KindDNSBL:  "a zone",
}

func typeName(v any) string {
	switch v.(type) {
	case string:
		return "a text"
	case bool:
		return "true or false"
	case int64, float64:
		return "a number"
	}
	return "a value of another type"
}

func (c *compiler) list(m *condition, name string) error {
	l, ok := c.lists[name]
	if !ok {
		return unknown("list", name, slices.Sorted(maps.Keys(c.lists)))
	}
	if l != nil {
		m.lists = append(m.lists, l)
	}
	return nil
}

func (c *compiler) address(m *condition, s string, at Pos) error {
	if len(s) > 1 && s[0] == '/' {
		source, ok := strings.CutSuffix(s[1:], "/")
		if !ok {
			return errors.New("the expression is not closed by a slash")
		}
		return c.pattern(m, source, at)
	}
	p, exact, err := parsePrefix(s)
	if err != nil {
		return err
	}
	if !exact {
		c.warnf(at, "%s: %s", m.key, hostBits(s, p))
	}
	m.prefixes.add(p)
	return nil
}

// pattern compiles an expression, or finds it compiled.
func (c *compiler) pattern(m *condition, source string, at Pos) error {
	k, ok := c.patterns[source]
	if !ok {
		k = c.newPattern(source)
		c.patterns[source] = k
	}
	if k.err != nil {
		return k.err
	}
	if k.ascii != "" {
		c.warnf(at, "%s: %s", m.key, k.ascii)
	}
	m.patterns = append(m.patterns, k.pattern)
	return nil
}

func (c *compiler) newPattern(source string) *knownPattern {
	p, err := parsePattern(source)
	if err != nil {
		return &knownPattern{err: err}
	}
	k := &knownPattern{pattern: &p.pattern, ascii: asciiTrouble(p.tree)}
	c.required[k.pattern] = p.required()
	return k
}
