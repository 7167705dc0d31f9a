package gate

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/mail"
)

// head is a message's header as it came, with what is derived from it kept.
type head struct {
	fields mail.Header
	octets int64 // on the wire, line ends CRLF, without the blank line

	// What is kept. Fields beyond are weighed and no more: the message is
	// refused.
	maxFields, maxOctets int64
	// work is charged for what is read of the fields. When it is spent what is
	// derived may be cut: no rule looks at it any more.
	work *budget.Budget

	// forged counts the fields of each name that only we may write.
	forged map[string]int

	// whole: the policy looks at every field, so that all are decoded at once
	// and none twice.
	whole      bool
	unlabelled string // how octets are read that nothing in the header labels
	charset    string
	hasCharset bool
	all        []string // of each field "Name: value", decoded
	wild       []string // all, and what else readers may see in them
	ips        []netip.Addr
	hasIPs     bool
}

// room tells whether a field found any.
type room uint8

const (
	kept room = iota
	tooMany
	tooLarge
)

func (h *head) add(name, value string, strip []string) room {
	f := mail.Field{Name: name, Value: value}
	h.octets += f.Size()
	switch {
	case int64(len(h.fields)) >= h.maxFields:
		return tooMany
	case h.octets > h.maxOctets:
		return tooLarge
	}
	for _, ours := range strip {
		if strings.EqualFold(name, ours) {
			if h.forged == nil {
				h.forged = make(map[string]int)
			}
			h.forged[ours]++
		}
	}
	if h.fields == nil {
		h.fields = make(mail.Header, 0, 32)
	}
	h.fields = append(h.fields, f)
	return kept
}

// count is how many fields have that name.
func (h *head) count(name string) int {
	n := 0
	for _, f := range h.fields {
		if strings.EqualFold(f.Name, name) {
			n++
		}
	}
	return n
}

func (h *head) fallback() string {
	if !h.hasCharset {
		h.charset, h.hasCharset = h.fields.Charset(h.unlabelled), true
	}
	return h.charset
}

// value is the decoded value of field i, without white space around it.
func (h *head) value(i int) string {
	if h.all != nil || h.whole {
		return h.everything()[i][len(h.fields[i].Name)+len(": "):]
	}
	return strings.TrimSpace(mail.Decode(h.work, h.fields[i].Value, h.fallback()))
}

// readings are what readers may see in field i (mail.Readings), its value first,
// without white space around them.
func (h *head) readings(i int) []string {
	raw := h.fields[i].Value
	if h.all != nil || h.whole {
		return append([]string{h.value(i)}, mail.Others(h.work, raw, h.fallback())...)
	}
	list := mail.Readings(h.work, raw, h.fallback())
	for i, s := range list {
		list[i] = strings.TrimSpace(s)
	}
	return list
}

// first are the readings of the first field of that name, none without one.
func (h *head) first(name string) []string {
	for i, f := range h.fields {
		if strings.EqualFold(f.Name, name) {
			return h.readings(i)
		}
	}
	return nil
}

// decoded are the values of all fields of that name; of "*" every field as
// "Name: value". What else readers may see in them (mail.Readings) follows.
func (h *head) decoded(name string) []string {
	if name == "*" {
		return h.wildcard()
	}
	var out, others []string
	for i, f := range h.fields {
		if strings.EqualFold(f.Name, name) {
			all := h.readings(i)
			out = append(out, all[0])
			others = append(others, all[1:]...)
		}
	}
	return append(out, others...)
}

// wildcard has every field as "Name: value".
func (h *head) wildcard() []string {
	if h.wild == nil {
		h.wild = slices.Clip(h.everything())
		for _, f := range h.fields {
			for _, other := range mail.Others(h.work, f.Value, h.fallback()) {
				h.wild = append(h.wild, f.Name+": "+other)
			}
		}
	}
	return h.wild
}

// raw are the values of all fields of that name as received, less the space
// after the colon.
func (h *head) raw(name string) []string {
	var out []string
	for _, f := range h.fields {
		switch {
		case name == "*":
			out = append(out, f.Name+":"+f.Value)
		case strings.EqualFold(f.Name, name):
			out = append(out, strings.TrimPrefix(f.Value, " "))
		}
	}
	return out
}

// everything joins the texts in one buffer: rules on any header are common,
// and a string a field would cost the most of them.
func (h *head) everything() []string {
	if h.all != nil || len(h.fields) == 0 {
		return h.all
	}
	b := make([]byte, 0, min(h.octets, h.maxOctets))
	ends := make([]int, len(h.fields))
	for i, f := range h.fields {
		b = append(b, f.Name...)
		b = append(b, ": "...)
		b = mail.AppendDecode(h.work, b, f.Value, h.fallback())
		ends[i] = len(b)
	}
	text, start := string(b), 0
	h.all = make([]string, len(h.fields))
	for i, end := range ends {
		h.all[i], start = text[start:end], end
	}
	return h.all
}

// trace are the addresses mail came by, IPv4-mapped ones as IPv4.
func (h *head) trace() []netip.Addr {
	if !h.hasIPs {
		h.ips, h.hasIPs = h.fields.TraceIPs(h.work), true
		for i, a := range h.ips {
			h.ips[i] = a.Unmap()
		}
	}
	return h.ips
}
