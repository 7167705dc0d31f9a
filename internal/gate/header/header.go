// Package header has the header of a message as it came, and what rules see of
// it: each derived once.
package header

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"github.com/tollgate-mail/tollgate/internal/mail"
)

// Options are what a header is read by.
type Options struct {
	// What is kept. Fields beyond are weighed and no more: the message is
	// refused.
	MaxFields, MaxOctets int64
	// Work is charged for what is read of the fields. When it is spent what is
	// derived may be cut: no rule looks at it any more.
	Work *budget.Budget
	// Ours are the names of fields that only we may write, each once.
	Ours []string
	// Whole: the policy looks at every field, so that all are decoded at once
	// and none twice.
	Whole bool
	// Unlabelled is how octets are read that nothing in the header labels.
	Unlabelled string
}

// Header is a message's header as it came, with what is derived from it kept.
type Header struct {
	Options
	Fields mail.Header
	Octets int64 // on the wire, line ends CRLF, without the blank line
	// Forged counts the fields of each name that only we may write.
	Forged map[string]int

	charset    string
	hasCharset bool
	all        []string // of each field "Name: value", decoded
	wild       []string // all, and what else readers may see in them
	ips        []netip.Addr
	hasIPs     bool
	mailboxes  map[string][]mail.Mailbox // by the name that was asked for
	spellings  map[string][]string       // of those
	domains    map[string][]string
}

// Room tells whether a field found any.
type Room uint8

// What becomes of a field.
const (
	Kept Room = iota
	TooMany
	TooLarge
)

// Add takes the next field: value as mail.Field has it.
func (h *Header) Add(name, value string) Room {
	f := mail.Field{Name: name, Value: value}
	h.Octets += f.Size()
	switch {
	case int64(len(h.Fields)) >= h.MaxFields:
		return TooMany
	case h.Octets > h.MaxOctets:
		return TooLarge
	}
	for _, ours := range h.Ours {
		if f.Named(ours) {
			if h.Forged == nil {
				h.Forged = make(map[string]int)
			}
			h.Forged[ours]++
		}
	}
	if h.Fields == nil {
		h.Fields = make(mail.Header, 0, 32)
	}
	h.Fields = append(h.Fields, f)
	return Kept
}

// Count is how many fields have that name.
func (h *Header) Count(name string) int {
	n := 0
	for _, f := range h.Fields {
		if f.Named(name) {
			n++
		}
	}
	return n
}

// Fallback is how octets are read that nothing labels: by what the header says
// elsewhere.
func (h *Header) Fallback() string {
	if !h.hasCharset {
		h.charset, h.hasCharset = h.Fields.Charset(h.Unlabelled), true
	}
	return h.charset
}

// value is the decoded value of field i, without white space around it.
func (h *Header) value(i int) string {
	if h.all != nil || h.Whole {
		return h.everything()[i][len(h.Fields[i].Name)+len(": "):]
	}
	return strings.TrimSpace(fieldtext.Decode(h.Work, h.Fields[i].Value, h.Fallback()))
}

// readings are what readers may see in field i (fieldtext.Readings), its value first,
// without white space around them.
func (h *Header) readings(i int) []string {
	raw := h.Fields[i].Value
	if h.all != nil || h.Whole {
		return append([]string{h.value(i)}, fieldtext.Others(h.Work, raw, h.Fallback())...)
	}
	list := fieldtext.Readings(h.Work, raw, h.Fallback())
	for i, s := range list {
		list[i] = strings.TrimSpace(s)
	}
	return list
}

// First are the readings of the first field of that name, none without one.
func (h *Header) First(name string) []string {
	for i, f := range h.Fields {
		if f.Named(name) {
			return h.readings(i)
		}
	}
	return nil
}

// Decoded are the values of all fields of that name; of "*" every field as
// "Name: value". What else readers may see in them (fieldtext.Readings) follows.
func (h *Header) Decoded(name string) []string {
	if name == "*" {
		return h.wildcard()
	}
	var out, others []string
	for i, f := range h.Fields {
		if f.Named(name) {
			all := h.readings(i)
			out = append(out, all[0])
			others = append(others, all[1:]...)
		}
	}
	return append(out, others...)
}

// wildcard has every field as "Name: value".
func (h *Header) wildcard() []string {
	if h.wild == nil {
		h.wild = slices.Clip(h.everything())
		for _, f := range h.Fields {
			for _, other := range fieldtext.Others(h.Work, f.Value, h.Fallback()) {
				h.wild = append(h.wild, f.Name+": "+other)
			}
		}
	}
	return h.wild
}

// Raw are the values of all fields of that name as received, less the space
// after the colon.
func (h *Header) Raw(name string) []string {
	var out []string
	for _, f := range h.Fields {
		switch {
		case name == "*":
			out = append(out, f.Name+":"+f.Value)
		case f.Named(name):
			out = append(out, strings.TrimPrefix(f.Value, " "))
		}
	}
	return out
}

// everything joins the texts in one buffer: rules on any header are common,
// and a string a field would cost the most of them.
func (h *Header) everything() []string {
	if h.all != nil || len(h.Fields) == 0 {
		return h.all
	}
	b := make([]byte, 0, min(h.Octets, h.MaxOctets))
	ends := make([]int, len(h.Fields))
	for i, f := range h.Fields {
		b = append(b, f.Name...)
		b = append(b, ": "...)
		b = fieldtext.AppendDecode(h.Work, b, f.Value, h.Fallback())
		ends[i] = len(b)
	}
	text, start := string(b), 0
	h.all = make([]string, len(h.Fields))
	for i, end := range ends {
		h.all[i], start = text[start:end], end
	}
	return h.all
}

// Trace are the addresses mail came by, IPv4-mapped ones as IPv4.
func (h *Header) Trace() []netip.Addr {
	if !h.hasIPs {
		h.ips, h.hasIPs = h.Fields.TraceIPs(h.Work), true
		for i, a := range h.ips {
			h.ips[i] = a.Unmap()
		}
	}
	return h.ips
}
