// Package policydiff says what one policy says otherwise than another, by what
// it means: a comment, the order of keys or the division into files is no
// difference; a rule that moved is one.
package policydiff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
)

// Policy is one side.
type Policy struct {
	Canonical []byte            // config.Config.Canonical
	Clients   [][]byte          // the contents of files with clients
	Lists     map[string][]byte // the contents of lists that have a file
	// Hashes are of the files of lists, by the lists' names, where the content may
	// be missing: it is too large to be kept.
	Hashes map[string]string
}

// Change is one difference.
type Change struct {
	Where string `json:"where"` // "rule lottery", "[greylist]"
	What  string `json:"what"`  // added, removed, moved, changed
	Key   string `json:"key"`   // that changed, "match.subject"; "" of the whole
	// Before and After are values as JSON; of what moved, which rule it stands
	// behind.
	Before string `json:"before"`
	After  string `json:"after"`
	// Of what has many values: those that came and went.
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
}

// The kinds of changes.
const (
	Added   = "added"
	Removed = "removed"
	Moved   = "moved"
	Changed = "changed"
)

// many are the tables of which there are several, each with the key that names
// one, and how a change calls it.
var many = []kind{
	{"rule", "name", "rule", true},
	{"threshold", "above", "threshold above", false},
	{"module", "name", "module", false},
	{"client", "id", "client", false},
	{"tariff", "name", "tariff", false},
}

type kind struct {
	section, key, word string
	ordered            bool // their order counts
}

type tables = map[string]any

// Diff is what the second policy says otherwise than the first.
func Diff(before, after Policy) ([]Change, error) {
	a, err := before.read()
	if err != nil {
		return nil, err
	}
	b, err := after.read()
	if err != nil {
		return nil, err
	}
	d := &diff{}
	for _, m := range many {
		d.many(m, list(a[m.section]), list(b[m.section]))
		delete(a, m.section)
		delete(b, m.section)
	}
	d.lists(before, after, table(a["lists"]), table(b["lists"]))
	delete(a, "lists")
	delete(b, "lists")
	for _, name := range union(a, b) {
		d.keys("["+name+"]", table(a[name]), table(b[name]))
	}
	return d.changes, nil
}

// read has the policy with its clients' files.
func (p Policy) read() (tables, error) {
	t, err := decode(p.Canonical)
	if err != nil {
		return nil, fmt.Errorf("the canonical form of a policy: %w", err)
	}
	for _, text := range p.Clients {
		root, problem := document.Parse("a file with clients", string(text), nil)
		if root == nil {
			return nil, diag.Problems{*problem}.Err()
		}
		// In the form that they have in a policy.
		more, err := decode(source.Canonical(root))
		if err != nil {
			return nil, fmt.Errorf("a file with clients: %w", err)
		}
		for _, section := range []string{"client", "tariff"} {
			all := append(list(t[section]), list(more[section])...)
			if all != nil {
				t[section] = anys(all)
			}
		}
	}
	return t, nil
}

func decode(canonical []byte) (t tables, err error) {
	dec := json.NewDecoder(bytes.NewReader(canonical))
	dec.UseNumber()
	err = dec.Decode(&t)
	return t, err
}

func anys(all []tables) []any {
	out := make([]any, len(all))
	for i, t := range all {
		out[i] = t
	}
	return out
}

// list has the tables of an array.
func list(v any) []tables {
	var all []tables
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			all = append(all, table(one))
		}
	case []map[string]any:
		all = v
	}
	return all
}

func table(v any) tables {
	t, _ := v.(tables)
	return t
}

func union(a, b tables) []string {
	names := maps.Clone(a)
	if names == nil {
		names = tables{}
	}
	maps.Copy(names, b)
	return slices.Sorted(maps.Keys(names))
}

type diff struct{ changes []Change }

func (d *diff) add(c Change) {
	if c.Added == nil {
		c.Added = []string{}
	}
	if c.Removed == nil {
		c.Removed = []string{}
	}
	d.changes = append(d.changes, c)
}

// many compares tables that have names; where their order counts, those that
// moved are told.
func (d *diff) many(k kind, a, b []tables) {
	was, is, word := named(k.key, a), named(k.key, b), k.word
	for _, name := range was.names {
		if _, there := is.by[name]; !there {
			d.add(Change{Where: word + " " + name, What: Removed, Before: text(was.by[name])})
		}
	}
	if k.ordered {
		d.moved(word, was, is)
	}
	for _, name := range is.names {
		before, there := was.by[name]
		if !there {
			d.add(Change{Where: word + " " + name, What: Added, After: text(is.by[name])})
			continue
		}
		d.keys(word+" "+name, before, is.by[name])
	}
}

type names struct {
	names []string
	by    map[string]tables
}

// named gives each table its name; of several of one name all but the first
// get a number.
func named(key string, all []tables) names {
	n := names{by: map[string]tables{}}
	for _, t := range all {
		name := plain(t[key])
		for again := 2; n.by[name] != nil; again++ {
			name = fmt.Sprintf("%s (%d)", plain(t[key]), again)
		}
		n.by[name] = t
		n.names = append(n.names, name)
	}
	return n
}

// keys compares two tables key by key, those within them by their path.
func (d *diff) keys(where string, a, b tables) {
	was, is := flat(a), flat(b)
	for _, key := range union(was, is) {
		before, had := was[key]
		after, has := is[key]
		switch {
		case had && has && text(before) == text(after):
			continue
		case !had:
			d.add(Change{Where: where, What: Changed, Key: key, After: text(after)})
			continue
		case !has:
			d.add(Change{Where: where, What: Changed, Key: key, Before: text(before)})
			continue
		}
		c := Change{Where: where, What: Changed, Key: key, Before: text(before), After: text(after)}
		if old, new := values(before), values(after); len(old) > 1 || len(new) > 1 {
			c.Added, c.Removed = without(new, old), without(old, new)
		}
		d.add(c)
	}
}
