package config

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tollgate-mail/tollgate/internal/config/document"
	"github.com/tollgate-mail/tollgate/rules"
)

// manyRules reads [[rule]] tables, of which there may be very many: no tree of
// text stays beside what was read of it.
func (d *decoder) manyRules(all []*node) {
	d.source.Rules = slices.Grow(d.source.Rules, len(all))
	for _, n := range all {
		d.rule(n)
		n.Forget()
	}
}

// rule is [[rule]]. What its texts mean is for rules to say; a text that is
// none has been told of, and rules gets one that says nothing more.
func (d *decoder) rule(n *node) {
	if d.ruleKeys == nil {
		d.ruleKeys = d.ruleFields(&d.oneRule)
	}
	r := &d.oneRule
	*r = rules.SourceRule{Pos: n.Pos(), At: textPlaces(n)}
	before := len(d.Problems)
	d.Read(n, "[[rule]]", d.ruleKeys)
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
	d.source.Rules = append(d.source.Rules, *r)
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
	bad := d.Problems[before:].Err() != nil
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
		d.Boolean(&on)(n)
		r.Disabled = !on
	}
	return []field{
		{Key: "name", Read: d.Text(&r.Name)},
		{Key: "stage", Read: d.Text(&r.Stage)},
		{Key: "match", Read: d.conditions(&r.Match)},
		{Key: "all", Read: d.conditions(&r.Match)},
		{Key: "any", Read: d.groups(&r.Any, &r.AnyOf)},
		{Key: "unless", Read: d.groups(&r.Unless, &r.UnlessAll)},
		{Key: "weight", Read: d.weight(&r.Weight)},
		{Key: "weight_each", Read: d.weight(&r.WeightEach)},
		{Key: "weight_max", Read: d.weight(&r.WeightMost)},
		{Key: "remove_header", Read: d.tagHeader(&r.RemoveHeader)},
		{Key: "tag_subject", Read: d.Text(&r.TagSubject)},
		{Key: "tag_header", Read: d.tagHeader(&r.TagHeader)},
		{Key: "action", Read: d.Text(&r.Action)},
		{Key: "reply", Read: d.Text(&r.Reply)},
		{Key: "last", Read: d.Boolean(&r.Last)},
		{Key: "on_temperror", Read: d.Text(&r.OnTemperror)},
		{Key: "shadow", Read: d.Boolean(&r.Shadow)},
		{Key: "enabled", Read: enabled},
		{Key: "comment", Read: d.Text(&r.Comment)},
		{Key: "unless_signed", Read: d.Text(&r.UnlessSigned)},
	}
}

// threshold is [[threshold]].
func (d *decoder) threshold(n *node) {
	t := rules.SourceThreshold{Pos: n.Pos(), At: textPlaces(n)}
	before := len(d.Problems)
	d.Read(n, "[[threshold]]", d.thresholdFields(&t))
	d.broken(n, before)
	d.source.Thresholds = append(d.source.Thresholds, t)
}

func (d *decoder) thresholdFields(t *rules.SourceThreshold) []field {
	return []field{
		{Key: "above", Read: d.weight(&t.Above), Required: true},
		{Key: "tag_subject", Read: d.Text(&t.TagSubject)},
		{Key: "tag_header", Read: d.tagHeader(&t.TagHeader)},
		{Key: "action", Read: d.Text(&t.Action)},
		{Key: "reply", Read: d.Text(&t.Reply)},
		{Key: "unless_signed", Read: d.Text(&t.UnlessSigned)},
		{Key: "shadow", Read: d.Boolean(&t.Shadow)},
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
			if s, ok := d.ReadString(n); ok {
				*into = []string{s}
			}
			return
		}
		for _, c := range d.TextNodes(n) {
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
				d.Errorf(c, "a group of %s is empty", n.Key)
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
		if !d.Is(n, document.Table) {
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
			d.Errorf(n, "%s is empty", attr)
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
			d.Errorf(hits, `%s: hits is a comparison such as ">= 2", not %s`, attr, hits.What())
			return
		}
	}
	all, some := n.Child("all"), n.Child("any")
	switch {
	case all != nil && (some != nil || c.Hits != ""):
		d.Errorf(n, "%s: all is every value; it stands alone", attr)
	case all != nil:
		c.All = true
		d.values(into, all, c)
	case some != nil:
		d.values(into, some, c)
	default:
		d.Errorf(n, "%s: hits counts the values of any, and there are none", attr)
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
			d.Errorf(v, "%s must have strings, numbers or booleans as values, not %s", attr, v.What())
		}
	}
	if len(c.Values) > 0 || len(values) == 0 {
		*into = append(*into, c)
	}
}

// weight reads a number in thousandths.
func (d *decoder) weight(into *rules.Weight) func(*node) { return d.Thousandths((*int64)(into)) }
