package config

import (
	"fmt"

	"github.com/tollgate-mail/tollgate/rules"
)

// rule is [[rule]]. What its texts mean is for rules to say; a text that is
// none has been told of, and rules gets one that says nothing more.
func (d *decoder) rule(n *node) {
	r := rules.SourceRule{Pos: n.pos(), At: textPlaces(n)}
	before := len(d.problems)
	d.read(n, "[[rule]]", d.ruleFields(&r))
	d.broken(n, before, "name", "stage")
	if notText(n, "name") {
		r.Name = fmt.Sprintf("rule-%d", len(d.source.Rules))
	}
	if notText(n, "stage") {
		r.Stage = rules.Complete.String()
	}
	if notText(n, "action") {
		r.Reply = "" // it may agree
		delete(r.At, "reply")
	}
	d.source.Rules = append(d.source.Rules, r)
}

func notText(n *node, key string) bool {
	c := n.child(key)
	if c == nil {
		return false
	}
	_, ok := c.value.(string)
	return !ok
}

// broken notes that a rule or threshold has had errors, or lacks what it needs:
// warnings that it does nothing or always matches would be beside the point.
func (d *decoder) broken(n *node, before int, needs ...string) {
	bad := d.problems[before:].Err() != nil
	for _, key := range needs {
		bad = bad || n.child(key) == nil
	}
	if bad {
		d.brokenAt[n.pos()] = true
	}
}

func (d *decoder) ruleFields(r *rules.SourceRule) []field {
	enabled := func(n *node) {
		on := true
		d.boolean(&on)(n)
		r.Disabled = !on
	}
	return []field{
		{key: "name", read: d.text(&r.Name)},
		{key: "stage", read: d.text(&r.Stage)},
		{key: "match", read: d.conditions(&r.Match)},
		{key: "any", read: d.conditions(&r.Any)},
		{key: "unless", read: d.conditions(&r.Unless)},
		{key: "weight", read: d.weight(&r.Weight)},
		{key: "tag_subject", read: d.text(&r.TagSubject)},
		{key: "tag_header", read: d.tagHeader(&r.TagHeader)},
		{key: "action", read: d.text(&r.Action)},
		{key: "reply", read: d.text(&r.Reply)},
		{key: "last", read: d.boolean(&r.Last)},
		{key: "on_temperror", read: d.text(&r.OnTemperror)},
		{key: "shadow", read: d.boolean(&r.Shadow)},
		{key: "enabled", read: enabled},
		{key: "comment", read: d.text(&r.Comment)},
		{key: "unless_signed", read: d.text(&r.UnlessSigned)},
	}
}

// threshold is [[threshold]].
func (d *decoder) threshold(n *node) {
	t := rules.SourceThreshold{Pos: n.pos(), At: textPlaces(n)}
	before := len(d.problems)
	d.read(n, "[[threshold]]", d.thresholdFields(&t))
	d.broken(n, before)
	d.source.Thresholds = append(d.source.Thresholds, t)
}

func (d *decoder) thresholdFields(t *rules.SourceThreshold) []field {
	return []field{
		{key: "above", read: d.weight(&t.Above), required: true},
		{key: "tag_subject", read: d.text(&t.TagSubject)},
		{key: "tag_header", read: d.tagHeader(&t.TagHeader)},
		{key: "action", read: d.text(&t.Action)},
		{key: "reply", read: d.text(&t.Reply)},
		{key: "unless_signed", read: d.text(&t.UnlessSigned)},
	}
}

// textPlaces are the places of the keys that stand there, but for texts that
// are none: those are left out as if they did not.
func textPlaces(n *node) map[string]rules.Pos {
	at := make(map[string]rules.Pos, len(n.children))
	for _, c := range n.children {
		at[c.key] = c.pos()
	}
	for _, key := range []string{"name", "stage", "tag_subject", "action", "reply", "on_temperror"} {
		if notText(n, key) {
			delete(at, key)
		}
	}
	return at
}

// tagHeader reads one header field or an array of them.
func (d *decoder) tagHeader(into *[]string) func(*node) {
	return func(n *node) {
		if n.kind == single {
			if s, ok := d.readString(n); ok {
				*into = []string{s}
			}
			return
		}
		for _, c := range d.textNodes(n) {
			*into = append(*into, c.value.(string))
		}
	}
}

// conditions reads match, any and unless: attributes with their values. Those
// of a family are tables in tables: header.NAME.
func (d *decoder) conditions(into *[]rules.Condition) func(*node) {
	return func(n *node) {
		if !d.is(n, table) {
			return
		}
		for _, c := range n.children {
			d.condition(into, c, c.key)
		}
	}
}

func (d *decoder) condition(into *[]rules.Condition, n *node, attr string) {
	if n.kind == table {
		if len(n.children) == 0 {
			d.errorf(n, "%s is empty", attr)
		}
		for _, c := range n.children {
			d.condition(into, c, attr+"."+c.key)
		}
		return
	}
	values := []*node{n}
	if n.kind == array {
		values = n.children
	}
	c := rules.Condition{Pos: n.pos(), Attr: attr}
	for _, v := range values {
		switch v.value.(type) {
		case string, bool, int64, float64:
			c.Values = append(c.Values, rules.Operand{Pos: v.pos(), V: v.value})
		default:
			d.errorf(v, "%s must have strings, numbers or booleans as values, not %s", attr, v.what())
		}
	}
	if len(c.Values) > 0 || len(values) == 0 {
		*into = append(*into, c)
	}
}
