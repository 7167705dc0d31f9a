package document

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/diag"
)

// Node is one value of a policy with its place in the text: a table, an array
// or a single value. The places are found by scan, the values are toml's.
type Node struct {
	File string
	Line int
	Key  string // in its table; of an element that of its array

	Kind     Kind
	at       int32            // where the value begins in the text, of a folded table what is in it; 0: not known
	Value    any              // of a single value: string, int64, float64, bool or time.Time
	Children []*Node          // keys of a table as they follow in the text, or elements
	named    map[string]*Node // of a table with many keys
}

// Kind is what a value is made of.
type Kind uint8

// Kinds of values: one of its own, a table with keys, an array.
const (
	Single Kind = iota
	Table
	Array
)

// manyKeys of a table are looked up in a map.
const manyKeys = 16

// Pos is where the value stands.
func (n *Node) Pos() diag.Pos { return diag.Pos{File: n.File, Line: n.Line} }

// Child is the value of a key, nil where there is none.
func (n *Node) Child(key string) *Node {
	if n.named != nil {
		return n.named[key]
	}
	for _, c := range n.Children {
		if c.Key == key {
			return c
		}
	}
	return nil
}

// Add puts a new value under its key.
func (n *Node) Add(c *Node) {
	n.Children = append(n.Children, c)
	switch {
	case n.named != nil:
		n.named[c.Key] = c
	case len(n.Children) > manyKeys:
		n.named = make(map[string]*Node, 2*manyKeys)
		for _, c := range n.Children {
			n.named[c.Key] = c
		}
	}
}

// fill gives the places found by scan the values that toml read: what toml
// says is there, and nothing else. A value without a place gets that of what
// it stands in. Texts are kept as what they are in the text, where they stand there:
// it is in memory once then.
func (n *Node) fill(text string, v any) {
	switch v := v.(type) {
	case filledAlready:
	case map[string]any:
		found := n.Children
		n.Kind, n.Value, n.Children, n.named = Table, nil, found[:0], nil
		for _, c := range found {
			if inner, ok := v[c.Key]; ok {
				c.fill(text, inner)
				n.Add(c)
			}
		}
		if len(n.Children) == len(v) {
			return
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if n.Child(key) == nil {
				c := &Node{File: n.File, Line: n.Line, Key: key}
				c.fill(text, v[key])
				n.Add(c)
			}
		}
	case []map[string]any: // [[key]]
		n.elements(len(v))
		for i, inner := range v {
			n.Children[i].fill(text, inner)
			v[i] = nil // there may be very many, and each is twice in memory
		}
	case []any:
		n.elements(len(v))
		for i, inner := range v {
			n.Children[i].fill(text, inner)
		}
	case string:
		n.Kind, n.Value, n.Children, n.named = Single, standing(text, int(n.at), v), nil, nil
	default:
		n.Kind, n.Value, n.Children, n.named = Single, v, nil, nil
	}
}

// standing is s as it stands in a text from a place on, behind one or three quotes;
// a copy where it is written otherwise.
func standing(text string, at int, s string) string {
	for _, quotes := range [...]int{1, 3} {
		if from := at + quotes; at > 0 && from+len(s) <= len(text) && text[from:from+len(s)] == s {
			return text[from : from+len(s)]
		}
	}
	return strings.Clone(s)
}

// elements makes n an array of so many.
func (n *Node) elements(count int) {
	n.Kind, n.Value, n.named = Array, nil, nil
	n.Children = n.Children[:min(count, len(n.Children))]
	for len(n.Children) < count {
		n.Children = append(n.Children, &Node{File: n.File, Line: n.Line})
	}
	for _, c := range n.Children {
		c.Key = n.Key
	}
}

// Forget gives back what stands in a table or array that has been read. Its own
// place stays.
func (n *Node) Forget() { n.Children, n.named = nil, nil }

// Tables tells whether n is an array of tables, [[key]] or written inline.
func (n *Node) Tables() bool {
	for _, c := range n.Children {
		if c.Kind != Table {
			return false
		}
	}
	return n.Kind == Array && len(n.Children) > 0
}

// Locations by which toml tells local dates and times apart (its Go API).
const (
	LocalDate = "date-local"
	localTime = "time-local"
)

// What n is, for a message.
func (n *Node) What() string {
	switch n.Kind {
	case Table:
		return "a table"
	case Array:
		return "an array"
	}
	switch v := n.Value.(type) {
	case string:
		return "a string"
	case int64, float64:
		return "a number"
	case bool:
		return "a boolean"
	case time.Time:
		names := map[string]string{LocalDate: "a date", localTime: "a time of day"}
		return cmp.Or(names[v.Location().String()], "a date with a time")
	}
	return "nothing"
}
