package config

import (
	"strconv"

	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/rules"
)

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

// closedWords are the values of texts that can have no others, but for those of
// modules.
func closedWords() map[rules.Key][]string {
	words := make(map[rules.Key][]string)
	for _, d := range mail.Defects() {
		key := rules.Key{Attr: rules.MIMEDefects}
		words[key] = append(words[key], d.Name)
	}
	return words
}
