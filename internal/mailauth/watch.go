package mailauth

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// What one signature may cost is bounded: to the verifier each name in h= costs
// a walk over the fields, and each piece it reads of a run of empty lines, the
// run so far. At these bounds that is a few tenths of a second.
const (
	maxHeaderWork = 32 << 20  // fields, times the octets of the longest
	maxEmptyLines = 256 << 10 // octets of CR LF in a row
)

var (
	errHeaderWork = errors.New("too many fields, too long")
	errEmptyLines = errors.New("too many empty lines")
)

// watch reads a message and counts what its header has.
type watch struct {
	r       io.Reader
	authors int // From fields
	fields  int
	longest int // octets of a field

	past  bool   // the header
	empty int    // octets of the empty lines that the body has last
	field int    // octets of the field so far
	line  int    // of the line
	told  bool   // what the line is
	name  []byte // of the field that begins with the line; no longer than is needed to tell
	cr    bool   // the last octet was one
}

var fromName = []byte("From")

func (w *watch) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if w.past {
		if len(bytes.TrimLeft(p[:n], "\r\n")) > 0 {
			w.empty = 0
		} else if w.empty += n; w.empty > maxEmptyLines {
			return 0, errEmptyLines
		}
		return n, err
	}
	for _, c := range p[:n] {
		if w.past {
			break
		}
		w.see(c)
	}
	return n, err
}

// see takes an octet of the header.
func (w *watch) see(c byte) {
	blank := c == ' ' || c == '\t'
	if w.line == 0 && !blank {
		w.fields++
		w.field = 0
	}
	w.field++
	w.longest = max(w.longest, w.field)
	switch {
	case c == '\n':
		w.past = w.line == 0 || w.line == 1 && w.cr
		w.line, w.told, w.name = 0, false, w.name[:0]
		return
	case w.told:
	case c == ':':
		if bytes.EqualFold(bytes.TrimRight(w.name, " \t"), fromName) {
			w.authors++
		}
		w.told = true
	case w.line == 0 && blank:
		w.told = true // the line goes on with a field
	case len(w.name) > len(fromName) && blank:
		// However much white space stands before the colon.
	case len(w.name) > len(fromName)+1:
		w.told = true // a longer name
	default:
		w.name = append(w.name, c)
	}
	w.line++
	w.cr = c == '\r'
}

// covers tells whether h= has every one of a number of From fields. One that it
// has not is shown to people as the author, though nobody signed it (RFC 6376
// §8.15).
func covers(signed []string, froms int) bool {
	for _, name := range signed {
		if strings.EqualFold(name, "From") {
			froms--
		}
	}
	return froms <= 0
}
