package rules

import (
	"net/netip"
	"strings"
	"sync"

	"github.com/gaissmai/bart"
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
// Names compare case-folded, domains as A-labels. Only expressions cost more
// the more there are. A List is immutable once made and safe for use by many
// goroutines; the zero List is empty.
type List struct {
	names    nameSet   // everything but prefixes and expressions, as [appendName] writes it
	prefixes bart.Lite // shorter than an address
	patterns []pattern
	index    *index // of patterns; nil when there are none
	size     int

	scratch sync.Pool // of *listScratch
}

// listScratch is what looking up one text needs room for.
type listScratch struct {
	folded []byte
	marks  marks
	texts  [1]string
}

// Len is the number of entries, double ones not counted twice where they are
// written alike.
func (l *List) Len() int { return l.names.count + l.size }

// hasAddr looks up an address, unmapped and without zone.
func (l *List) hasAddr(a netip.Addr) bool {
	if l.prefixes.Contains(a) {
		return true
	}
	if l.names.count == 0 && l.index == nil {
		return false
	}
	var room [64]byte
	text := a.AppendTo(room[:0])
	return l.names.has(text) || l.index != nil && l.hasPattern(string(text))
}

// hasText looks up an address, a domain, a host name or an address literal.
func (l *List) hasText(s string) bool {
	if s == "" && l.index == nil || len(s) > maxName && l.index == nil {
		return false
	}
	return l.hasName(s) || l.index != nil && l.hasPattern(s)
}

// hasMailbox looks up what stands in angle brackets in a header field, where
// addresses have a name beside them (RFC 5322 §3.4).
func (l *List) hasMailbox(s string) bool {
	for {
		_, after, ok := strings.Cut(s, "<")
		if !ok {
			return false
		}
		inner, rest, ok := strings.Cut(after, ">")
		if !ok {
			return false
		}
		if l.hasText(strings.TrimSpace(inner)) {
			return true
		}
		s = rest
	}
}

func (l *List) hasName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	if a, ok := literalAddr(s); ok && l.hasLiteral(a) {
		return true
	}
	if l.names.count == 0 {
		return false
	}
	var room [128]byte
	name, at := appendName(room[:0], s)
	domain := name
	if at >= 0 {
		if l.names.has(name) || l.names.has(name[:at+1]) {
			return true
		}
		domain = name[at+1:]
	}
	if len(domain) > 0 && l.names.has(domain) {
		return true
	}
	for i, c := range domain {
		if c == '.' && i > 0 && l.names.has(domain[i:]) {
			return true
		}
	}
	return false
}

func (l *List) hasLiteral(a netip.Addr) bool {
	var room [64]byte
	return l.prefixes.Contains(a) || l.names.has(a.AppendTo(room[:0]))
}

func (l *List) hasPattern(s string) bool {
	sc, ok := l.scratch.Get().(*listScratch)
	if !ok {
		sc = &listScratch{marks: newMarks(l.index)}
	}
	sc.folded = foldPadded(sc.folded, s)
	sc.texts[0] = s
	sc.marks.begin(l.index)
	l.index.scan(sc.folded, 0, &sc.marks)
	found := l.tryMarked(sc)
	sc.marks.reset(l.index)
	sc.texts[0] = ""
	l.scratch.Put(sc)
	return found
}

func (l *List) tryMarked(sc *listScratch) bool {
	for _, p := range sc.marks.patterns {
		if sc.marks.matches(p, &l.patterns[p], sc.texts[:]) {
			return true
		}
	}
	for _, p := range l.index.always {
		if sc.marks.matches(p, &l.patterns[p], sc.texts[:]) {
			return true
		}
	}
	return false
}
