package config

import (
	"github.com/tollgate-mail/tollgate/internal/diag"
)

// section is a table of the policy, or an array of them.
type section struct {
	key  string
	many bool        // written [[key]]
	read func(*node) // of one table; nil: its feature is not part of this version
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
		{key: "rule", many: true, read: d.rule},
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
	for _, c := range root.children {
		if c.key == other {
			continue
		}
		s, ok := findSection(all, c.key)
		switch {
		case !ok:
			d.unknownSection(c, all)
		case s.read == nil:
			d.errorf(c, "%s %s", s, notYet)
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
	case !s.many && n.kind == table:
		s.read(n)
	case s.many && (n.tables() || n.kind == array && len(n.children) == 0):
		for _, c := range n.children {
			s.read(c)
		}
	case !s.many && n.tables():
		d.errorf(n, "%s can stand only once: write it %s", s.key, s)
	default:
		d.errorf(n, "%s must be written %s; it is %s", s.key, s, n.what())
	}
}

func (d *decoder) unknownSection(n *node, all []section) {
	what := "section [" + quoteKey(n.key) + "]"
	switch {
	case n.tables():
		what = "section [[" + quoteKey(n.key) + "]]"
	case n.kind != table:
		what = "key " + quoteKey(n.key) + " before the first section"
	}
	var valid []string
	for _, s := range all {
		if s.read != nil {
			valid = append(valid, s.key)
		}
	}
	near := diag.Nearest(n.key, valid)
	if s, ok := findSection(all, near); ok && n.kind != single {
		d.errorf(n, "unknown %s; did you mean %s?", what, s)
		return
	}
	if holder := d.holder(n.key); holder != "" && n.kind != table {
		d.errorf(n, "unknown %s; it belongs in %s", what, holder)
		return
	}
	d.errorf(n, "unknown %s", what)
}
