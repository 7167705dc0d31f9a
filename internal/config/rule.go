package config

import (
	"github.com/tollgate-mail/tollgate/rules"
)

// rule is [[rule]]. What its texts mean is for rules to say.
func (d *decoder) rule(n *node) {
	r := rules.SourceRule{Pos: n.pos(), At: places(n)}
	d.read(n, "[[rule]]", d.ruleFields(&r))
	d.source.Rules = append(d.source.Rules, r)
}

func (d *decoder) ruleFields(r *rules.SourceRule) []field {
	enabled := func(n *node) {
		on := true
		d.boolean(&on)(n)
		r.Disabled = !on
	}
	return append([]field{
		{key: "name", read: d.text(&r.Name), required: true},
		{key: "stage", read: d.text(&r.Stage), required: true},
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
	}, later("unless_signed")...)
}

// threshold is [[threshold]].
func (d *decoder) threshold(n *node) {
	t := rules.SourceThreshold{Pos: n.pos(), At: places(n)}
	d.read(n, "[[threshold]]", d.thresholdFields(&t))
	d.source.Thresholds = append(d.source.Thresholds, t)
}

func (d *decoder) thresholdFields(t *rules.SourceThreshold) []field {
	return append([]field{
		{key: "above", read: d.weight(&t.Above), required: true},
		{key: "tag_subject", read: d.text(&t.TagSubject)},
		{key: "tag_header", read: d.tagHeader(&t.TagHeader)},
		{key: "action", read: d.text(&t.Action)},
		{key: "reply", read: d.text(&t.Reply)},
	}, later("unless_signed")...)
}

func places(n *node) map[string]rules.Pos {
	at := make(map[string]rules.Pos, len(n.children))
	for _, c := range n.children {
		at[c.key] = c.pos()
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
	if len(c.Values) == 0 && n.kind == array && len(n.children) == 0 {
		d.errorf(n, "%s has no values", attr)
	}
	if len(c.Values) > 0 {
		*into = append(*into, c)
	}
}
