package config

import (
	"fmt"
	"os"

	"github.com/tollgate-mail/tollgate/internal/config/document"
	"github.com/tollgate-mail/tollgate/internal/config/source"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// lists is [lists]: each key is a list's name, each value its entries or the
// file that has them.
func (d *decoder) lists(n *node) {
	for _, c := range n.Children {
		if !isListName(c.Key) {
			d.Errorf(c, "list %q: letters, digits and . _ - can name a list", c.Key)
		}
		// A list that cannot be read is nil: rules that name it are not to
		// blame.
		d.source.Lists[c.Key] = d.list(c)
		d.source.ListsAt[c.Key] = c.Pos()
	}
}

func isListName(s string) bool {
	for i := range len(s) {
		if !document.Bare(s[i]) && s[i] != '.' {
			return false
		}
	}
	return s != ""
}

func (d *decoder) list(n *node) *list.List {
	switch n.Kind {
	case document.Table:
		l := listSource{kind: list.KindNames()[list.Names]}
		d.Read(n, "list "+n.Key, d.listFields(&l))
		kind, _ := list.ParseKind(l.kind)
		switch {
		case l.entries != nil && l.path != "":
			d.Errorf(n, "list %s has a file and entries; it can have one of them", n.Key)
		case l.entries != nil:
			return d.listEntries(l.entries, kind)
		case l.path != "":
			return d.listFile(n.Child("file"), n.Key, l.path, kind)
		case n.Child("file") == nil && n.Child("entries") == nil:
			d.Errorf(n, "list %s needs file or entries", n.Key)
		}
		return nil
	case document.Array:
		return d.listEntries(n, list.Names)
	}
	d.Errorf(n, `list %s must be an array of entries or { file = "path" }, not %s`, n.Key, n.What())
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
		{Key: "file", Read: d.Path(&l.path)},
		{Key: "entries", Read: func(n *node) { l.entries = n }},
		{Key: "type", Read: d.OneOf(&l.kind, list.KindNames()...)},
	}
}

func (d *decoder) listEntries(n *node, kind list.Kind) *list.List {
	var entries []rules.Operand
	for _, c := range d.TextNodes(n) {
		entries = append(entries, rules.Operand{Pos: c.Pos(), V: c.Value})
	}
	made, problems := list.New(entries, kind, d.cache)
	d.Problems = append(d.Problems, problems...)
	return made
}

// listFile reads a file with one entry a line.
func (d *decoder) listFile(n *node, name, path string, kind list.Kind) *list.List {
	read, problems, err := d.readList(name, path, kind)
	if err != nil {
		d.Errorf(n, "cannot read the list %s: %v", path, err)
		return nil
	}
	d.Problems = append(d.Problems, problems...)
	return read
}

func (d *decoder) readList(name, path string, kind list.Kind) (read *list.List, problems rules.Problems, err error) {
	// A device or pipe would have no end, or no beginning.
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, nil, document.Plain(err)
	case info.IsDir():
		return nil, nil, document.ErrDirectory
	case !info.Mode().IsRegular():
		return nil, nil, document.ErrNoFile
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, document.Plain(err)
	}
	defer func() {
		if e := f.Close(); e != nil && err == nil {
			err = fmt.Errorf("closing: %w", document.Plain(e))
		}
	}()
	var text *source.Copy
	err = document.Steady(f, func() error {
		text = source.NewCopy()
		read, problems = list.Read(path, text.Of(f), kind, d.cache)
		return nil
	})
	if err == nil {
		d.config.Sources = append(d.config.Sources, text.File(path, source.List, name))
	}
	return read, problems, err
}
