package config

import (
	"fmt"
	"os"

	"github.com/tollgate-mail/tollgate/rules"
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

func (d *decoder) list(n *node) *rules.List {
	switch n.kind {
	case table:
		var path string
		d.read(n, "list "+n.key, d.listFields(&path))
		if path == "" {
			return nil
		}
		return d.listFile(n.child("file"), path)
	case array:
		var entries []rules.Operand
		for _, c := range d.textNodes(n) {
			entries = append(entries, rules.Operand{Pos: c.pos(), V: c.value})
		}
		list, problems := rules.NewList(entries)
		d.problems = append(d.problems, problems...)
		return list
	}
	d.errorf(n, `list %s must be an array of entries or { file = "path" }, not %s`, n.key, n.what())
	return nil
}

func (d *decoder) listFields(path *string) []field {
	return []field{{key: "file", read: d.path(path), required: true}}
}

// listFile reads a file with one entry a line.
func (d *decoder) listFile(n *node, path string) *rules.List {
	list, problems, err := readList(path)
	if err != nil {
		d.errorf(n, "cannot read the list %s: %v", path, err)
		return nil
	}
	d.problems = append(d.problems, problems...)
	return list
}

func readList(path string) (list *rules.List, problems rules.Problems, err error) {
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
	list, problems = rules.ReadList(path, f)
	return list, problems, nil
}
