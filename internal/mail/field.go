// Package mail reads messages: fields and their sizes, mailboxes, trace addresses,
// parts with their names and encodings, automatic replies. It is pure.
package mail

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/charset"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
)

// Field is one header field as the milter protocol shows it with
// SMFIP_HDR_LEADSPC: Value is everything after the colon, leading space and
// folds (bare LF, sometimes CRLF) included, without the line end.
type Field struct {
	Name, Value string
}

// Size is the field's octets on the wire, every line end being CRLF.
func (f Field) Size() int64 {
	n := len(f.Name) + len(":") + len(f.Value) + len("\r\n")
	if folds := strings.Count(f.Value, "\n"); folds > 0 {
		n += folds - strings.Count(f.Value, "\r\n")
	}
	return int64(n)
}

// Named tells whether a field has that name, in any case. Names are ASCII (RFC 5322
// §2.2): those of another length are others.
func (f Field) Named(name string) bool {
	return len(f.Name) == len(name) && strings.EqualFold(f.Name, name)
}

// Header is a message's fields in their order.
type Header []Field

// Get returns the raw value of the first field of that name, in any case.
func (h Header) Get(name string) (value string, ok bool) {
	for _, f := range h {
		if f.Named(name) {
			return f.Value, true
		}
	}
	return "", false
}

// Subject is the decoded first Subject.
func (h Header) Subject() (subject string, ok bool) {
	raw, ok := h.Get("Subject")
	if !ok {
		return "", false
	}
	return fieldtext.Decode(nil, raw, h.FallbackCharset()), true
}

// Subjects are what readers may see in the first Subject, as Readings has it;
// none where there is none. Octets that nothing in the header labels are read in
// the fallback charset, which may be charset.Auto.
func (h Header) Subjects(fallback string) []string {
	raw, ok := h.Get("Subject")
	if !ok {
		return nil
	}
	return fieldtext.Readings(nil, raw, h.Charset(fallback))
}

// Charset is that of octets that nothing labels: FallbackCharset, unless that
// says nothing of them, else the fallback.
func (h Header) Charset(fallback string) string {
	label := h.FallbackCharset()
	if c, _ := charset.Find(label); charset.Useful(label) || c.Stateful() {
		return label
	}
	return fallback
}

// MessageID is the first Message-ID, on one line and trimmed; "" when there
// is none.
func (h Header) MessageID() string {
	raw, _ := h.Get("Message-ID")
	return strings.TrimSpace(fieldtext.Unfold(raw))
}

// ValidField tells whether a field can stand in a header as it is: a name of
// printable ASCII (RFC 5322 §3.6.8), a value that begins with a space, has no
// NUL or CR, and goes on after each LF with a space or tab (RFC 5322 §2.2.3).
func ValidField(f Field) bool {
	for i := range len(f.Name) {
		if c := f.Name[i]; c <= ' ' || c > '~' || c == ':' {
			return false
		}
	}
	if f.Name == "" || !strings.HasPrefix(f.Value, " ") || strings.ContainsAny(f.Value, "\x00\r") {
		return false
	}
	lines := strings.Split(f.Value, "\n")
	for _, line := range lines[1:] {
		if strings.TrimLeft(line, " \t") == line || strings.TrimSpace(line) == "" {
			return false
		}
	}
	return true
}
