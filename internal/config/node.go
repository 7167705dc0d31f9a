package config

import (
	"cmp"
	"time"

	"github.com/tollgate-mail/tollgate/rules"
)

// node is one value of a policy with its place in the text: a table, an array
// or a single value. The places are found by scan, the values are toml's.
type node struct {
	file string
	line int
	key  string // in its table; of an element that of its array

	kind     kind
	value    any              // of a single value: string, int64, float64, bool or time.Time
	children []*node          // keys of a table as they follow in the text, or elements
	named    map[string]*node // of a table with many keys
}

type kind uint8

const (
	single kind = iota
	table
	array
)

// manyKeys of a table are looked up in a map.
const manyKeys = 16

func (n *node) pos() rules.Pos { return rules.Pos{File: n.file, Line: n.line} }

// child is the value of a key, nil where there is none.
func (n *node) child(key string) *node {
	if n.named != nil {
		return n.named[key]
	}
	for _, c := range n.children {
		if c.key == key {
			return c
		}
	}
	return nil
}

// add puts a new value under its key.
func (n *node) add(c *node) {
	n.children = append(n.children, c)
	switch {
	case n.named != nil:
		n.named[c.key] = c
	case len(n.children) > manyKeys:
		n.named = make(map[string]*node, 2*manyKeys)
		for _, c := range n.children {
			n.named[c.key] = c
		}
	}
}

// fill gives the places found by scan the values that toml read: what toml
// says is there, and nothing else. A value without a place gets that of what
// it stands in.
func (n *node) fill(v any) {
	switch v := v.(type) {
	case map[string]any:
		found := n.children
		n.kind, n.children, n.named = table, nil, nil
		for _, c := range found {
			if inner, ok := v[c.key]; ok {
				c.fill(inner)
				n.add(c)
			}
		}
		if len(n.children) == len(v) {
			return
		}
		for key, inner := range v {
			if n.child(key) == nil {
				c := &node{file: n.file, line: n.line, key: key}
				c.fill(inner)
				n.add(c)
			}
		}
	case []map[string]any: // [[key]]
		n.elements(len(v))
		for i, inner := range v {
			n.children[i].fill(inner)
		}
	case []any:
		n.elements(len(v))
		for i, inner := range v {
			n.children[i].fill(inner)
		}
	default:
		n.kind, n.value, n.children, n.named = single, v, nil, nil
	}
}

// elements makes n an array of so many.
func (n *node) elements(count int) {
	n.kind, n.value, n.named = array, nil, nil
	n.children = n.children[:min(count, len(n.children))]
	for len(n.children) < count {
		n.children = append(n.children, &node{file: n.file, line: n.line})
	}
	for _, c := range n.children {
		c.key = n.key
	}
}

// tables tells whether n is an array of tables, [[key]] or written inline.
func (n *node) tables() bool {
	for _, c := range n.children {
		if c.kind != table {
			return false
		}
	}
	return n.kind == array && len(n.children) > 0
}

// Locations by which toml tells local dates and times apart (its Go API).
const (
	localDate = "date-local"
	localTime = "time-local"
)

// what n is, for a message.
func (n *node) what() string {
	switch n.kind {
	case table:
		return "a table"
	case array:
		return "an array"
	}
	switch v := n.value.(type) {
	case string:
		return "a string"
	case int64, float64:
		return "a number"
	case bool:
		return "a boolean"
	case time.Time:
		names := map[string]string{localDate: "a date", localTime: "a time of day"}
		return cmp.Or(names[v.Location().String()], "a date with a time")
	}
	return "nothing"
}
