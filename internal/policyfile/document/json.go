package document

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/diag"
)

// ParseJSON reads an object that begins at a place.
func ParseJSON(at diag.Pos, text string) (*Node, *diag.Problem) {
	r := &jsonReader{text: text, at: at, d: json.NewDecoder(strings.NewReader(text))}
	r.d.UseNumber()
	fail := func(format string, args ...any) (*Node, *diag.Problem) {
		return nil, &diag.Problem{Pos: r.here(), Msg: fmt.Sprintf(format, args...)}
	}
	if !utf8.ValidString(text) {
		return fail("not UTF-8")
	}
	n, err := r.value("", 0)
	if err == nil && n.Kind != Table {
		err = errors.New("an object is needed")
	}
	if err == nil {
		if _, more := r.d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the object")
		}
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fail("not JSON: it ends too early")
	case err != nil:
		return fail("not JSON as is needed here: %v", err)
	}
	return n, nil
}

// jsonReader makes nodes of JSON.
type jsonReader struct {
	text string
	at   diag.Pos
	d    *json.Decoder
}

// here is where the reader is.
func (r *jsonReader) here() diag.Pos {
	p := r.at
	if p.Line > 0 {
		p.Line += strings.Count(r.text[:min(int(r.d.InputOffset()), len(r.text))], "\n")
	}
	return p
}

func (r *jsonReader) value(key string, depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("more than %d deep in each other", maxDepth)
	}
	token, err := r.d.Token()
	if err != nil {
		return nil, err
	}
	at := r.here()
	n := &Node{File: at.File, Line: at.Line, Key: key}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			n.Kind = Table
			return n, r.object(n, depth)
		}
		n.Kind = Array
		return n, r.array(n, depth)
	case json.Number:
		n.Value, err = number(v)
	case string:
		n.Value = v
		if key == "valid_from" || key == "expires" {
			// JSON has no dates.
			if day, err := time.Parse(time.DateOnly, v); err == nil {
				n.Value = day.In(time.FixedZone(LocalDate, 0))
			}
		}
	default:
		n.Value = v // a boolean, or nil
	}
	return n, err
}

func (r *jsonReader) object(n *Node, depth int) error {
	for r.d.More() {
		token, err := r.d.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		c, err := r.value(key, depth+1)
		if err != nil {
			return err
		}
		if n.Child(key) != nil {
			return fmt.Errorf("%s stands there twice", QuoteKey(key))
		}
		if c.Kind != Single || c.Value != nil {
			n.Add(c) // null is nothing
		}
	}
	_, err := r.d.Token()
	return err
}

func (r *jsonReader) array(n *Node, depth int) error {
	for r.d.More() {
		c, err := r.value(n.Key, depth+1)
		if err != nil {
			return err
		}
		n.Children = append(n.Children, c)
	}
	_, err := r.d.Token()
	return err
}

// number is a whole number where it is one.
func number(v json.Number) (any, error) {
	if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
		return i, nil
	}
	f, err := v.Float64()
	if err != nil || math.IsInf(f, 0) {
		return nil, fmt.Errorf("number %s is out of range", v)
	}
	return f, nil
}

// JSON is a value as JSON, dates as strings.
func (n *Node) JSON() string {
	var b strings.Builder
	n.writeJSON(&b, func(*Node) {})
	return b.String()
}

// Placed is JSON with each value on the line where it stands, counted from n's,
// as far as values follow each other.
func (n *Node) Placed() string {
	var b strings.Builder
	line := n.Line
	n.writeJSON(&b, func(c *Node) {
		for ; line < c.Line; line++ {
			b.WriteByte('\n')
		}
	})
	return b.String()
}

func (n *Node) writeJSON(b *strings.Builder, before func(*Node)) {
	list := func(open, end string, each func(c *Node)) {
		b.WriteString(open)
		for i, c := range n.Children {
			if i > 0 {
				b.WriteByte(',')
			}
			before(c)
			each(c)
		}
		b.WriteString(end)
	}
	switch {
	case n.Kind == Table:
		list("{", "}", func(c *Node) {
			writeText(b, c.Key)
			b.WriteByte(':')
			c.writeJSON(b, before)
		})
		return
	case n.Kind == Array:
		list("[", "]", func(c *Node) { c.writeJSON(b, before) })
		return
	}
	switch v := n.Value.(type) {
	case string:
		writeText(b, v)
	case time.Time:
		writeText(b, v.Format(time.DateOnly))
	default:
		fmt.Fprint(b, v) // numbers and booleans
	}
}

// writeText writes a string so that people can read it, < and > and & too.
func writeText(b *strings.Builder, s string) {
	var one strings.Builder
	e := json.NewEncoder(&one)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // of a string: it cannot fail
	b.WriteString(strings.TrimSuffix(one.String(), "\n"))
}
