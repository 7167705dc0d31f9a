package config

import (
	"fmt"
	"strconv"

	"github.com/tollgate-mail/tollgate/internal/config/document"
	"github.com/tollgate-mail/tollgate/rules"
)

// rule is [[rule]]. What its texts mean is for rules to say; a text that is
// none has been told of, and rules gets one that says nothing more.
func (d *decoder) rule(n *node) {
	r := rules.SourceRule{Pos: n.Pos(), At: textPlaces(n)}
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
	c := n.Child(key)
	if c == nil {
		return false
	}
	_, ok := c.Value.(string)
	return !ok
}

// broken notes that a rule or threshold has had errors, or lacks what it needs:
// warnings that it does nothing or always matches would be beside the point.
func (d *decoder) broken(n *node, before int, needs ...string) {
	bad := d.problems[before:].Err() != nil
	for _, key := range needs {
		bad = bad || n.Child(key) == nil
	}
	if bad {
		d.brokenAt[n.Pos()] = true
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
		{key: "all", read: d.conditions(&r.Match)},
		{key: "any", read: d.groups(&r.Any, &r.AnyOf)},
		{key: "unless", read: d.groups(&r.Unless, &r.UnlessAll)},
		{key: "weight", read: d.weight(&r.Weight)},
		{key: "weight_each", read: d.weight(&r.WeightEach)},
		{key: "weight_max", read: d.weight(&r.WeightMost)},
		{key: "remove_header", read: d.tagHeader(&r.RemoveHeader)},
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
	t := rules.SourceThreshold{Pos: n.Pos(), At: textPlaces(n)}
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
	at := make(map[string]rules.Pos, len(n.Children))
	for _, c := range n.Children {
		at[c.Key] = c.Pos()
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
		if n.Kind == document.Single {
			if s, ok := d.readString(n); ok {
				*into = []string{s}
			}
			return
		}
		for _, c := range d.textNodes(n) {
			*into = append(*into, c.Value.(string))
		}
	}
}

// groups reads any and unless: one table of conditions, of which one is enough,
// or many, of which each is one: [[rule.any]].
func (d *decoder) groups(into *[]rules.Condition, groups *[][]rules.Condition) func(*node) {
	return func(n *node) {
		if !n.Tables() {
			d.conditions(into)(n)
			return
		}
		for _, c := range n.Children {
			var group []rules.Condition
			d.conditions(&group)(c)
			if len(c.Children) == 0 {
				d.errorf(c, "a group of %s is empty", n.Key)
			}
			*groups = append(*groups, group)
		}
	}
}

// conditions reads match: attributes with their values. Those of a family are
// tables in tables: header.NAME. Several tables are all of their conditions.
func (d *decoder) conditions(into *[]rules.Condition) func(*node) {
	return func(n *node) {
		if n.Tables() {
			for _, c := range n.Children {
				d.conditions(into)(c)
			}
			return
		}
		if !d.is(n, document.Table) {
			return
		}
		for _, c := range n.Children {
			d.condition(into, c, c.Key)
		}
	}
}

func (d *decoder) condition(into *[]rules.Condition, n *node, attr string) {
	if n.Kind == document.Table && isCounted(n, attr) {
		d.counted(into, n, attr)
		return
	}
	if n.Kind == document.Table {
		if len(n.Children) == 0 {
			d.errorf(n, "%s is empty", attr)
		}
		for _, c := range n.Children {
			d.condition(into, c, attr+"."+c.Key)
		}
		return
	}
	d.values(into, n, rules.Condition{Pos: n.Pos(), Attr: attr})
}

// isCounted tells whether a table says of an attribute how many of its values
// must match. Of a family all keys are names.
func isCounted(n *node, attr string) bool {
	switch attr {
	case "header", "raw_header", "header_count", "module":
		return false
	}
	for _, c := range n.Children {
		if c.Key != "all" && c.Key != "any" && c.Key != "hits" {
			return false
		}
	}
	return len(n.Children) > 0
}

// counted reads { all = [...] } and { any = [...], hits = ">= 2" }.
func (d *decoder) counted(into *[]rules.Condition, n *node, attr string) {
	c := rules.Condition{Pos: n.Pos(), Attr: attr}
	if hits := n.Child("hits"); hits != nil {
		switch v := hits.Value.(type) {
		case string:
			c.Hits = v
		case int64:
			c.Hits = strconv.FormatInt(v, 10)
		default:
			d.errorf(hits, `%s: hits is a comparison such as ">= 2", not %s`, attr, hits.What())
			return
		}
	}
	all, some := n.Child("all"), n.Child("any")
	switch {
	case all != nil && (some != nil || c.Hits != ""):
		d.errorf(n, "%s: all is every value; it stands alone", attr)
	case all != nil:
		c.All = true
		d.values(into, all, c)
	case some != nil:
		d.values(into, some, c)
	default:
		d.errorf(n, "%s: hits counts the values of any, and there are none", attr)
	}
}

func (d *decoder) values(into *[]rules.Condition, n *node, c rules.Condition) {
	attr := c.Attr
	values := []*node{n}
	if n.Kind == document.Array {
		values = n.Children
	}
	for _, v := range values {
		switch v.Value.(type) {
		case string, bool, int64, float64:
			c.Values = append(c.Values, rules.Operand{Pos: v.Pos(), V: v.Value})
		default:
			d.errorf(v, "%s must have strings, numbers or booleans as values, not %s", attr, v.What())
		}
	}
	if len(c.Values) > 0 || len(values) == 0 {
		*into = append(*into, c)
	}
}
