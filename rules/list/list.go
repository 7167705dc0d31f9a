// Package list has the lists of a policy: addresses, domains, networks and
// expressions, a million of them looked up without a scan.
package list

import (
	"net/netip"
	"strings"
	"sync"

	"github.com/gaissmai/bart"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/rules/expr"
)

// List is a set of addresses, domains, prefixes and patterns. An entry is one
// of
//
//	user@domain    that address
//	user@          that local part at any domain
//	@domain        that domain: its addresses, or it as a host name
//	domain         the same
//	.domain        its subdomains, not itself
//	192.0.2.1      an address, IPv4 or IPv6
//	192.0.2.0/24   the addresses of a prefix
//	/regex/        what the expression matches anywhere, case ignored
//
//	192.0.2.9-192.0.2.20  a range of addresses
//
// Names compare case-folded, domains as A-labels. Only expressions cost more
// the more there are. A List is immutable once made and safe for use by many
// goroutines; the zero List is empty.
type List struct {
	kind     Kind
	words    wordSet   // of kind Words
	names    nameSet   // everything but prefixes and expressions, as [appendName] writes it
	prefixes bart.Lite // shorter than an address
	patterns []*expr.Pattern
	index    *expr.Index // of patterns; nil when there are none
	size     int
	built    *built // nil: all entries stand here; else none

	scratch sync.Pool // of *listScratch
}

// listScratch is what looking up one text needs room for.
type listScratch struct {
	marks expr.Marks
	texts [1]string
}

// Len is the number of entries, double ones not counted twice where they are
// written alike; of a list that was built, a range as the networks it consists of.
func (l *List) Len() int {
	if l.built != nil {
		return l.built.Len()
	}
	return l.names.count + l.words.phrases.count + l.size
}

// NamesOnly tells whether all entries are addresses, domains and networks, which
// are compared with a whole value.
func (l *List) NamesOnly() bool { return l.kind == Names && l.index == nil && l.Len() > 0 }

// Kind is what the entries are.
func (l *List) Kind() Kind { return l.kind }

// HasAddr looks up an address, unmapped and without zone. It and its like do not find
// what cannot be read: who has to know of it takes [List.Look].
func (l *List) HasAddr(a netip.Addr, b *budget.Budget) bool {
	f := l.Look(b)
	return f.Addr(a)
}

// HasText looks up an address, a domain, a host name or an address literal.
func (l *List) HasText(s string, b *budget.Budget) bool {
	f := l.Look(b)
	return f.Text(s)
}

// HasMailbox looks up what stands in angle brackets in a header field, where
// addresses have a name beside them (RFC 5322 §3.4).
func (l *List) HasMailbox(s string, b *budget.Budget) bool {
	f := l.Look(b)
	return f.Mailbox(s)
}

// Addr looks up an address, unmapped and without zone.
func (f *Look) Addr(a netip.Addr) bool {
	l := f.list
	if f.network(a) {
		return true
	}
	if l.names.count == 0 && l.index == nil && l.built == nil {
		return false
	}
	var room [64]byte
	text := a.AppendTo(room[:0])
	return f.key(text) || l.index != nil && l.hasPattern(string(text), f.work)
}

// Text looks up an address, a domain, a host name or an address literal.
func (f *Look) Text(s string) bool {
	l := f.list
	if l.kind == Words {
		return l.words.has(s, f.work)
	}
	if s == "" && l.index == nil || len(s) > maxName && l.index == nil {
		return false
	}
	return f.name(s) || l.index != nil && l.hasPattern(s, f.work)
}

// Mailbox looks up what stands in angle brackets in a header field.
func (f *Look) Mailbox(s string) bool { return eachMailbox(s, f.Text) }

// eachMailbox tells whether one of the texts in angle brackets is what is looked
// for.
func eachMailbox(s string, found func(string) bool) bool {
	for {
		_, after, ok := strings.Cut(s, "<")
		if !ok {
			return false
		}
		inner, rest, ok := strings.Cut(after, ">")
		if !ok {
			return false
		}
		if found(strings.TrimSpace(inner)) {
			return true
		}
		s = rest
	}
}

func (f *Look) name(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	if a, ok := literalAddr(s); ok && f.literal(a) {
		return true
	}
	if f.list.names.count == 0 && f.list.built == nil {
		return false
	}
	var room [128]byte
	name, at := appendName(room[:0], s)
	domain := name
	if at >= 0 {
		if f.key(name) || f.key(name[:at+1]) {
			return true
		}
		domain = name[at+1:]
	}
	if len(domain) > 0 && f.key(domain) {
		return true
	}
	for i, c := range domain {
		if c == '.' && i > 0 && f.key(domain[i:]) {
			return true
		}
	}
	return false
}

func (l *List) hasPattern(s string, b *budget.Budget) bool {
	sc, ok := l.scratch.Get().(*listScratch)
	if !ok {
		sc = &listScratch{marks: expr.NewMarks(l.index)}
	}
	sc.texts[0] = s
	sc.marks.Begin(l.index)
	l.index.Scan(s, 0, &sc.marks, b)
	found := l.tryMarked(sc, b)
	sc.marks.Reset(l.index)
	sc.texts[0] = ""
	l.scratch.Put(sc)
	return found
}

func (l *List) tryMarked(sc *listScratch, b *budget.Budget) bool {
	for _, p := range sc.marks.Marked() {
		if sc.marks.Matches(p, l.patterns[p], sc.texts[:], b) {
			return true
		}
	}
	for _, p := range l.index.Always() {
		if sc.marks.Matches(p, l.patterns[p], sc.texts[:], b) {
			return true
		}
	}
	return false
}
