package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
	"github.com/tollgate-mail/tollgate/rules/number"
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

// groupsOf compiles the groups of a clause: each is one condition of it.
func (c *compiler) groupsOf(src [][]Condition, limit Stage, rule Pos) []*condition {
	var all []*condition
	for _, group := range src {
		if parts := c.conditions(group, limit, rule); len(parts) > 0 {
			whole := newCondition(parts[0].key, parts[0].kind, parts[0].pos)
			whole.own().parts = parts
			all = append(all, whole)
		}
	}
	return all
}

// condition compiles one: of a condition all of whose values must match, or of
// which so many must, a part for each.
func (c *compiler) condition(src *Condition, limit Stage, rule Pos) *condition {
	if !src.All && src.Hits == "" {
		return c.leaf(src, limit, rule)
	}
	pos := src.Pos.OrElse(rule)
	var each []*condition
	for _, op := range src.Values {
		one := *src
		one.Values = []Operand{op}
		if m := c.leaf(&one, limit, rule); m != nil {
			each = append(each, m)
		}
	}
	if len(each) == 0 {
		if len(src.Values) == 0 {
			c.errorf(pos, "attribute %q has no value to compare with", src.Attr)
		}
		return nil
	}
	whole := newCondition(each[0].key, each[0].kind, pos)
	if src.Hits == "" {
		whole.own().parts = each
		return whole
	}
	hits, err := number.ParseComparisonText(src.Hits, number.Plain)
	switch {
	case src.All:
		c.errorf(pos, "%s: all is every value; hits counts them: one of both", src.Attr)
	case err != nil:
		c.errorf(pos, "%s: hits: %v", src.Attr, err)
	case !hits.Possible(len(each)):
		c.errorf(pos, "%s: hits %q can never be with %d values", src.Attr, src.Hits, len(each))
	}
	whole.own().counted, whole.own().hits = each, hits
	return whole
}

func (c *compiler) leaf(src *Condition, limit Stage, rule Pos) *condition {
	pos := src.Pos.OrElse(rule)
	key, err := parseKey(src.Attr)
	if !c.err(pos, err) {
		return nil
	}
	row := &catalogue[key.Attr]
	if row.Stage > limit {
		c.errorf(pos, "attribute %q is known from stage %s on, not at %s: write stage = %q", src.Attr, row.Stage, limit, row.Stage.String())
	}
	c.available(key, src.Attr, pos)
	if len(src.Values) == 0 {
		c.errorf(pos, "attribute %q has no value to compare with", src.Attr)
	}
	if row.Kind == KindDNSBL {
		return c.dnsLists(src, key.Attr, pos)
	}
	m := newCondition(key, row.Kind, pos)
	for _, op := range src.Values {
		at := op.Pos.OrElse(pos)
		if err := c.operand(m, row, op, at); err != nil {
			c.errorf(at, "%s: %v", src.Attr, err)
		}
	}
	c.warnNumbers(m, pos)
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
		m.own().truths = append(m.truths, is)
		return nil
	}
	if row.Kind == KindNumber {
		if s, ok := op.V.(string); ok {
			if name, operator, ok := parseReference(s, row.Kind); ok {
				return c.reference(m, name, operator)
			}
		}
		cmp, err := number.ParseComparison(op.V, row.unit())
		m.own().comparisons = append(m.comparisons, cmp)
		return err
	}
	s, ok := op.V.(string)
	if !ok || row.Kind == KindBool {
		return fmt.Errorf("%s is needed, not %s", operandNames[row.Kind], typeName(op.V))
	}
	if row.Kind == KindEnum {
		if !slices.Contains(row.Names, s) {
			if not := strings.TrimLeft(strings.TrimPrefix(s, "not "), "!^ "); not != s && slices.Contains(row.Names, not) {
				return fmt.Errorf("unknown value %q; what must not be stands in unless: unless.%s = %q", s, m.key, not)
			}
			return unknown("value", s, row.Names)
		}
		m.own().names = append(m.names, s)
		return nil
	}
	if name, operator, ok := parseReference(s, row.Kind); ok {
		return c.reference(m, name, operator)
	}
	if m.key.Attr == RuleName {
		return c.ruleOperand(m, s, at)
	}
	if name, ok := strings.CutPrefix(s, "list:"); ok {
		return c.list(m, name, at)
	}
	if row.Kind == KindIP {
		return c.address(m, s, at)
	}
	if s == "" {
		c.warnf(at, "%s: an empty expression matches every value; the empty value is \"^$\"", m.key)
	}
	c.warnPattern(m, s, at)
	c.warnWords(m, s, at)
	return badExpression(m.key, s, c.pattern(m, s, at))
}

// ruleOperand adds a rule by its name, or an expression over names.
func (c *compiler) ruleOperand(m *condition, s string, at Pos) error {
	place, known := c.places[s]
	switch here := c.places[c.current]; {
	case !known && s != "" && plainName(s) != "":
		names := slices.Sorted(maps.Keys(c.places))
		i := slices.IndexFunc(names, func(name string) bool { return strings.Contains(strings.ToLower(name), strings.ToLower(s)) })
		if i < 0 {
			return unknown("rule", s, names)
		}
		c.warnf(at, "%s: no rule is called %q: it is found within %q", m.key, s, names[i])
		return c.pattern(m, s, at)
	case !known:
		return c.pattern(m, s, at)
	case s == c.current:
		return errors.New("the rule is this one itself")
	case c.stageOf(place) > c.limit || c.stageOf(place) == c.limit && place > here:
		return fmt.Errorf("rule %q is tried after this one, at %s", s, c.heads[place].Pos)
	case c.heads[place].Disabled:
		c.warnf(at, "%s: rule %q is disabled and never matches", m.key, s)
	case c.heads[place].Shadow:
		c.warnf(at, "%s: rule %q has shadow = true: it is without effect here, too", m.key, s)
	}
	m.own().rules = append(m.rules, s)
	return nil
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

func (c *compiler) list(m *condition, name string, at Pos) error {
	l, ok := c.lists[name]
	if !ok {
		return unknown("list", name, slices.Sorted(maps.Keys(c.lists)))
	}
	if l != nil {
		m.own().lists = append(m.lists, l)
		c.warnList(m, name, l, at)
		c.warnListWords(m, name, l, at)
		c.warnEndings(m, name, l, at)
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
	p, exact, err := list.ParsePrefix(s)
	if err != nil {
		return err
	}
	if !exact {
		c.warnf(at, "%s: %s", m.key, list.HostBits(s, p))
	}
	m.own().prefixes.Add(p)
	return nil
}

// pattern compiles an expression, or finds it compiled.
func (c *compiler) pattern(m *condition, source string, at Pos) error {
	p, ok := c.patterns[source]
	if !ok {
		if err := c.bad[source]; err != nil {
			return err
		}
		parsed, err := c.cache.Parse(source)
		if err != nil {
			c.bad[source] = err
			return err
		}
		p = c.newPattern(source, parsed)
	}
	for _, s := range c.trouble[p] {
		c.warnf(at, "%s: %s", m.key, s)
	}
	m.patterns = append(m.patterns, p)
	return nil
}

func (c *compiler) newPattern(source string, parsed expr.Parsed) *expr.Pattern {
	p := parsed.Pattern
	trouble := parsed.Trouble()
	if p.Dear() {
		trouble = append(trouble, c.dear(p))
	}
	if len(trouble) > 0 {
		c.trouble[p] = trouble
	}
	c.patterns[source], c.required[p] = p, parsed.Required()
	return p
}

// maxMeasured bounds the expressions that are measured: it takes a moment each.
const maxMeasured = 20

// dear says what an expression costs.
func (c *compiler) dear(p *expr.Pattern) string {
	const advice = "long fields may use up what a message may cost; smaller repetitions are cheaper"
	if c.source.Now == nil || c.measured >= maxMeasured {
		return "the expression is dear: " + advice
	}
	c.measured++
	return fmt.Sprintf("the expression is dear, it is looked for in %d octets/s: %s", p.Speed(c.source.Now), advice)
}
