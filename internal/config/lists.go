package config

import (
	"fmt"
	"os"

	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// lists is [lists]: each key is a list's name, each value its entries or the
// file that has them.
func (d *decoder) lists(n *node) {
	for _, c := range n.children {
		if !isListName(c.key) {
			d.errorf(c, "list %q: letters, digits and . _ - can name a list", c.key)
		}
		// A list that cannot be read is nil: rules that name it are not to
		// blame.
		d.source.Lists[c.key] = d.list(c)
	}
}

func isListName(s string) bool {
	for i := range len(s) {
		if !bare(s[i]) && s[i] != '.' {
			return false
		}
	}
	return s != ""
}

func (d *decoder) list(n *node) *list.List {
	switch n.kind {
	case table:
		l := listSource{kind: list.KindNames()[list.Names]}
		d.read(n, "list "+n.key, d.listFields(&l))
		kind, _ := list.ParseKind(l.kind)
		switch {
		case l.entries != nil && l.path != "":
			d.errorf(n, "list %s has a file and entries; it can have one of them", n.key)
		case l.entries != nil:
			return d.listEntries(l.entries, kind)
		case l.path != "":
			return d.listFile(n.child("file"), l.path, kind)
		case n.child("file") == nil && n.child("entries") == nil:
			d.errorf(n, "list %s needs file or entries", n.key)
		}
		return nil
	case array:
		return d.listEntries(n, list.Names)
	}
	d.errorf(n, `list %s must be an array of entries or { file = "path" }, not %s`, n.key, n.what())
	return nil
}

// listSource is what a list that is a table says.
type listSource struct {
	path    string
	entries *node
	kind    string
}

func (d *decoder) listFields(l *listSource) []field {
	return []field{
		{key: "file", read: d.path(&l.path)},
		{key: "entries", read: func(n *node) { l.entries = n }},
		{key: "type", read: d.oneOf(&l.kind, list.KindNames()...)},
	}
}

func (d *decoder) listEntries(n *node, kind list.Kind) *list.List {
	var entries []rules.Operand
	for _, c := range d.textNodes(n) {
		entries = append(entries, rules.Operand{Pos: c.pos(), V: c.value})
	}
	made, problems := list.New(entries, kind, d.cache)
	d.problems = append(d.problems, problems...)
	return made
}

// listFile reads a file with one entry a line.
func (d *decoder) listFile(n *node, path string, kind list.Kind) *list.List {
	read, problems, err := d.readList(path, kind)
	if err != nil {
		d.errorf(n, "cannot read the list %s: %v", path, err)
		return nil
	}
	d.problems = append(d.problems, problems...)
	return read
}

func (d *decoder) readList(path string, kind list.Kind) (read *list.List, problems rules.Problems, err error) {
	// A device or pipe would have no end, or no beginning.
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, nil, plain(err)
	case info.IsDir():
		return nil, nil, errDirectory
	case !info.Mode().IsRegular():
		return nil, nil, errNoFile
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, plain(err)
	}
	defer func() {
		if e := f.Close(); e != nil && err == nil {
			err = fmt.Errorf("closing: %w", plain(e))
		}
	}()
	err = steady(f, func() error {
		read, problems = list.Read(path, f, kind, d.cache)
		return nil
	})
	return read, problems, err
}
