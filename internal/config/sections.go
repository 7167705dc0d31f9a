package config

import (
	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
)

// section is a table of the policy, or an array of them.
type section struct {
	key  string
	many bool        // written [[key]]
	read func(*node) // of one table; nil: its feature is not part of this version
	all  func(*node) // of the array, in place of read for each table; nil: none does
}

// sections are all that a policy can have.
func (d *decoder) sections() []section {
	return []section{
		{key: "gateway", read: d.gateway},
		{key: "recipients", read: d.recipients},
		{key: "outbound", read: d.outbound},
		{key: "clients", read: d.clients},
		{key: "client", many: true, read: d.client},
		{key: "lists", read: d.lists},
		{key: "rule", many: true, read: d.aRule, all: d.manyRules},
		{key: "threshold", many: true, read: d.threshold},
		{key: "replies", read: d.replies},
		{key: "greylist", read: d.greylist},
		{key: "correspondents", read: d.correspondents},
		{key: "antivirus", read: d.antivirus},
		{key: "module", many: true, read: d.module},
		{key: "journal", read: d.journal},
		{key: "metrics", read: d.metrics},
		{key: "accounting", read: d.accounting},
		{key: "redis", read: d.redis},
		{key: "tariff", many: true, read: d.tariff},
	}
}

func (s section) String() string {
	if s.many {
		return "[[" + s.key + "]]"
	}
	return "[" + s.key + "]"
}

// readSections reads the tables of a file; other is what may stand there
// without being a section.
func (d *decoder) readSections(root *node, all []section, other string) {
	for _, c := range root.Children {
		if c.Key == other {
			continue
		}
		s, ok := findSection(all, c.Key)
		switch {
		case !ok:
			d.unknownSection(c, all)
		case s.read == nil:
			d.Errorf(c, "%s %s", s, values.NotYet)
		default:
			d.readSection(c, s)
		}
	}
}

func findSection(all []section, key string) (section, bool) {
	for _, s := range all {
		if s.key == key {
			return s, true
		}
	}
	return section{}, false
}

func (d *decoder) readSection(n *node, s section) {
	switch {
	case !s.many && n.Kind == document.Table:
		s.read(n)
	case s.many && (n.Tables() || n.Kind == document.Array && len(n.Children) == 0):
		if s.all != nil {
			s.all(n)
			return
		}
		for _, c := range n.Children {
			s.read(c)
		}
	case !s.many && n.Tables():
		d.Errorf(n, "%s can stand only once: write it %s", s.key, s)
	case s.many && n.Kind == document.Table && len(n.Children) > 0 && n.Children[0].Tables():
		d.Errorf(n.Children[0], "[[%s.%s]] stands behind the %s that it belongs to", s.key, n.Children[0].Key, s)
	default:
		d.Errorf(n, "%s must be written %s; it is %s", s.key, s, n.What())
	}
}

func (d *decoder) unknownSection(n *node, all []section) {
	what := "section [" + document.QuoteKey(n.Key) + "]"
	switch {
	case n.Tables():
		what = "section [[" + document.QuoteKey(n.Key) + "]]"
	case n.Kind != document.Table:
		what = "key " + document.QuoteKey(n.Key) + " before the first section"
	}
	var valid []string
	for _, s := range all {
		if s.read != nil {
			valid = append(valid, s.key)
		}
	}
	near := diag.Nearest(n.Key, valid)
	if s, ok := findSection(all, near); ok && n.Kind != document.Single {
		d.Errorf(n, "unknown %s; did you mean %s?", what, s)
		return
	}
	if holder := d.holder(n.Key); holder != "" && n.Kind != document.Table {
		d.Errorf(n, "unknown %s; it belongs in %s", what, holder)
		return
	}
	if where := d.holders(n.Key); where != "" && n.Kind != document.Table && !n.Tables() {
		d.Errorf(n, "unknown %s; write the head of its section above it: %s", what, where)
		return
	}
	d.Errorf(n, "unknown %s", what)
}

// manyTables are the names of what is written [[name]].
func (d *decoder) manyTables() []string {
	var names []string
	for _, s := range d.sections() {
		if s.many {
			names = append(names, s.key)
		}
	}
	return names
}
