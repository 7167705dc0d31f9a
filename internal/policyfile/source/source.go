// Package source keeps what a policy was read from, and makes of what it says one
// text and its hash, by which policies are known again.
package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
)

// The roles of files that a policy is read from.
const (
	Policy  = "policy"  // the main file
	Include = "include" // one that it includes
	Clients = "clients"
	List    = "list"
	Domains = "domains"
)

// File is a file that a policy was read from. Files with secrets, and those of
// certificates, are none.
type File struct {
	Path string
	Role string
	Name string // of the list; "" of others
	Size int64  // octets
	Hash string // SHA-256, in hexadecimal; of a list that was built, that of its text
	Text string
	Kept bool // Text is there: the file is not larger than MostText
	// Built: it is a list that was built, and its text is not what stands at Path.
	Built bool
}

// MostText is the largest file whose text is kept with a policy, in octets.
const MostText = 16 << 20

// Of is a file whose text was read at once.
func Of(path, role, text string) File {
	sum := sha256.New()
	for rest := text; rest != ""; { // each piece is copied to be added
		n := min(len(rest), 1<<16)
		_, _ = io.WriteString(sum, rest[:n]) // a hash has no error
		rest = rest[n:]
	}
	f := File{Path: path, Role: role, Size: int64(len(text)), Hash: hex.EncodeToString(sum.Sum(nil))}
	if f.Kept = len(text) <= MostText; f.Kept {
		f.Text = text
	}
	return f
}

// Copy notes a file while it is read piece by piece.
type Copy struct {
	sum  hash.Hash
	size int64
	text *strings.Builder // nil: too large
}

// NewCopy has noted nothing yet.
func NewCopy() *Copy { return &Copy{sum: sha256.New(), text: new(strings.Builder)} }

// Write notes octets; it has no error.
func (c *Copy) Write(p []byte) (int, error) {
	c.sum.Write(p)
	if c.size += int64(len(p)); c.size > MostText {
		c.text = nil
	}
	if c.text != nil {
		c.text.Write(p)
	}
	return len(p), nil
}

// Of reads r, and notes what is read.
func (c *Copy) Of(r io.Reader) io.Reader { return io.TeeReader(r, c) }

// File is what was noted.
func (c *Copy) File(path, role, name string) File {
	f := File{Path: path, Role: role, Name: name, Size: c.size, Hash: hex.EncodeToString(c.sum.Sum(nil))}
	if c.text != nil {
		f.Text, f.Kept = c.text.String(), true
	}
	return f
}

// Hash is that of a policy and of the contents of its clients, lists and domains; sum
// has been given the canonical form.
func Hash(sum hash.Hash, files []File) string {
	var named []string
	for _, f := range files {
		switch f.Role {
		case Clients, List, Domains:
			named = append(named, "\n"+f.Role+" "+f.Hash)
		}
	}
	slices.Sort(named)
	sum.Write([]byte(strings.Join(named, "")))
	return hex.EncodeToString(sum.Sum(nil))
}

// Canonical is a policy as one text that only what it says decides: no comment,
// no order of keys, no division into files.
func Canonical(root *document.Node) []byte {
	top := withoutInclude(root)
	size := 0
	var w writer
	w.sizeOf(top, &size)
	w.text = make([]byte, 0, size)
	w.append(top)
	return w.text
}

// WriteCanonical writes that text, of which nothing is kept; errors of to are lost.
func WriteCanonical(to io.Writer, root *document.Node) {
	w := writer{to: to}
	w.append(withoutInclude(root))
	w.flush()
}

// withoutInclude is the policy without what it included, which stands in it.
func withoutInclude(root *document.Node) *document.Node {
	top := *root
	top.Children = slices.DeleteFunc(slices.Clone(root.Children), func(c *document.Node) bool { return c.Key == "include" })
	return &top
}

// writer writes the canonical form.
type writer struct {
	text []byte
	room document.Room
	to   io.Writer // where text goes when there is much of it; nil: nowhere
}

// written is how much text is gathered.
const written = 1 << 16

func (w *writer) flush() {
	_, _ = w.to.Write(w.text)
	w.text = w.text[:0]
}

// looked is of how many values of an array it is looked how long they are.
const looked = 256

// sizeOf adds up about what a value takes in its canonical form: of a large policy
// the text would otherwise be copied again and again as it grows.
func (w *writer) sizeOf(n *document.Node, size *int) {
	n = n.Open(&w.room)
	if n.Kind == document.Single {
		*size += 8
		if s, ok := n.Value.(string); ok {
			*size += len(s) + len(s)/8
		}
		return
	}
	*size += 2
	if n.Kind == document.Array && len(n.Children) > looked {
		// Very many are much alike, and each has to be read for this.
		some, every := 0, len(n.Children)/looked
		for i := 0; i < len(n.Children); i += every {
			w.sizeOf(n.Children[i], &some)
		}
		*size += (some + looked) * every
		return
	}
	for _, c := range n.Children {
		if n.Kind == document.Table {
			*size += len(c.Key) + 3
		}
		*size++
		w.sizeOf(c, size)
	}
}

// append writes a value as JSON, the keys of tables in order.
func (w *writer) append(n *document.Node) {
	n = n.Open(&w.room)
	if w.to != nil && len(w.text) > written {
		w.flush()
	}
	switch n.Kind {
	case document.Table:
		byKey := func(a, b *document.Node) int { return strings.Compare(a.Key, b.Key) }
		children := n.Children
		if !slices.IsSortedFunc(children, byKey) {
			children = slices.Clone(children)
			slices.SortStableFunc(children, byKey)
		}
		w.text = append(w.text, '{')
		for i, c := range children {
			if i > 0 {
				w.text = append(w.text, ',')
			}
			w.text = append(appendString(w.text, c.Key), ':')
			w.append(c)
		}
		w.text = append(w.text, '}')
		return
	case document.Array:
		w.text = append(w.text, '[')
		for i, c := range n.Children {
			if i > 0 {
				w.text = append(w.text, ',')
			}
			w.append(c)
		}
		w.text = append(w.text, ']')
		return
	}
	if s, ok := n.Value.(string); ok {
		w.text = appendString(w.text, s)
		return
	}
	w.text = appendScalar(w.text, n.Value)
}

// appendString writes a text as JSON has it.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || strings.IndexByte("\"\\<>&", c) >= 0 {
			return appendScalar(b, any(s))
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendScalar writes a value of its own.
func appendScalar(b []byte, v any) []byte {
	if t, ok := v.(time.Time); ok {
		layout := time.RFC3339Nano
		if t.Location().String() == document.LocalDate {
			layout = time.DateOnly
		}
		v = t.Format(layout)
	}
	text, err := json.Marshal(v)
	if err != nil { // no JSON: inf, nan
		text, _ = json.Marshal(fmt.Sprint(v))
	}
	return append(b, text...)
}
