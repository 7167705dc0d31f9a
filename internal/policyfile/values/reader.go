// Package values reads the values of a document: texts, numbers, sizes, times,
// networks, files that are named, and tables whose keys are known. It gathers
// what is wrong with them, each problem with its place, and knows no section of
// a policy.
package values

import (
	"fmt"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
)

// Reader reads values and gathers what is wrong with them.
type Reader struct {
	Problems diag.Problems
	// Meant is what may have been meant by a key that a table does not have,
	// as the end of a message; "" for nothing that its names do not tell.
	Meant func(table, key string) string

	// Reach says why a file that a policy names cannot be read by who reads it; nil:
	// nothing but the system says so.
	Reach func(path string) error
	// Files are the files and folders that were named.
	Files []string

	untold int // errors beyond MaxProblems
}

// Field is one key of a table and how it is read.
type Field struct {
	Key      string
	Read     func(*document.Node) // nil: its feature is not part of this version
	Without  any                  // with a nil Read: the value that says to do without it
	Required bool
}

// NotYet is the end of a message about what is reserved.
const NotYet = "is not part of this version of tollgate"

// Errorf adds an error at a value.
func (r *Reader) Errorf(at *document.Node, format string, args ...any) {
	r.ErrorAt(at.Pos(), format, args...)
}

// MaxProblems bounds what is told of a file that is no policy at all.
const MaxProblems = 10_000

// ErrorAt adds an error at a place.
func (r *Reader) ErrorAt(pos diag.Pos, format string, args ...any) {
	if len(r.Problems) >= MaxProblems {
		r.untold++
		return
	}
	r.Problems = append(r.Problems, diag.Problem{Pos: pos, Msg: fmt.Sprintf(format, args...)})
}

// Warnf adds a warning at a value.
func (r *Reader) Warnf(at *document.Node, format string, args ...any) {
	r.Problems = append(r.Problems, diag.Problem{Pos: at.Pos(), Msg: fmt.Sprintf(format, args...), Warning: true})
}

// Read reads a table: each key by its field, in the order in which they were
// written. Name is how messages call the table, such as "[gateway]".
func (r *Reader) Read(n *document.Node, name string, fields []Field) {
	if !r.Is(n, document.Table) {
		return
	}
	for _, c := range n.Children {
		f, ok := Find(fields, c.Key)
		switch {
		case !ok:
			r.unknown(c, name, fields)
		case f.Read == nil && f.Without != nil && c.Value == f.Without:
		case f.Read == nil:
			r.Errorf(c, "%s in %s %s", c.Key, name, NotYet)
		default:
			f.Read(c)
		}
	}
	for _, f := range fields {
		if f.Required && n.Child(f.Key) == nil {
			r.Errorf(n, "%s needs %s", name, f.Key)
		}
	}
}

// Find is the field of a key.
func Find(fields []Field, key string) (Field, bool) {
	for _, f := range fields {
		if f.Key == key {
			return f, true
		}
	}
	return Field{}, false
}

// unknown reports a key that the table does not have, and the most similar
// one that it has.
func (r *Reader) unknown(n *document.Node, name string, fields []Field) {
	var valid []string
	for _, f := range fields {
		if f.Read != nil {
			valid = append(valid, f.Key)
		}
	}
	meant := Hint(n.Key, valid)
	if s := document.Lookalike(n.Key); s != "" {
		meant = s
	}
	if r.Meant != nil {
		if s := r.Meant(name, n.Key); s != "" {
			meant = s
		}
	}
	r.Errorf(n, "unknown key %s in %s%s", document.QuoteKey(n.Key), name, meant)
}

// fewNames are told all.
const fewNames = 8

// Hint names what may have been meant: of few names all, of many the nearest.
func Hint(name string, valid []string) string {
	if near := diag.Nearest(name, valid); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	switch {
	case len(valid) == 1:
		return "; it can only be " + valid[0]
	case len(valid) <= fewNames:
		return "; it is one of " + strings.Join(valid, ", ")
	}
	return ""
}

// Finish sorts the problems and says how many more there are than are told.
func (r *Reader) Finish() diag.Problems {
	r.Problems.Sort()
	if r.untold > 0 {
		last := r.Problems[len(r.Problems)-1].Pos
		r.Problems = append(r.Problems, diag.Problem{Pos: last, Msg: fmt.Sprintf("and %d more errors", r.untold)})
	}
	return r.Problems
}
