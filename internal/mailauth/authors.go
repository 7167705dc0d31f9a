package mailauth

import (
	"bytes"
	"io"
	"strings"
)

// authorCount reads a message and counts the From fields of its header.
type authorCount struct {
	r     io.Reader
	count int

	past bool   // the header
	line int    // octets of the line so far
	told bool   // what the line is
	name []byte // of the field that begins with the line; no longer than is needed to tell
	cr   bool   // the last octet was one
}

var fromName = []byte("From")

func (a *authorCount) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	for _, c := range p[:n] {
		if a.past {
			break
		}
		a.see(c)
	}
	return n, err
}

func (a *authorCount) see(c byte) {
	switch {
	case c == '\n':
		a.past = a.line == 0 || a.line == 1 && a.cr
		a.line, a.told, a.name = 0, false, a.name[:0]
		return
	case a.told:
	case c == ':':
		if bytes.EqualFold(bytes.TrimRight(a.name, " \t"), fromName) {
			a.count++
		}
		a.told = true
	case a.line == 0 && (c == ' ' || c == '\t'):
		a.told = true // the line goes on with a field
	case len(a.name) > len(fromName) && (c == ' ' || c == '\t'):
		// However much white space stands before the colon.
	case len(a.name) > len(fromName)+1:
		a.told = true // a longer name
	default:
		a.name = append(a.name, c)
	}
	a.line++
	a.cr = c == '\r'
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
