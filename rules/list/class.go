package list

import (
	"encoding/binary"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/rules/expr"
)

// Class is a kind of entry.
type Class uint8

// The classes of entries.
const (
	Addresses  Class = 1 << iota // user@domain
	LocalParts                   // user@
	Domains                      // domain, @domain
	Subdomains                   // .domain
	IPs                          // an address
	Networks                     // prefixes and ranges
	Patterns                     // expressions
	Phrases                      // words and phrases of a list of words
)

var classNames = [...]string{"addresses", "local parts", "domains", "subdomains", "IP addresses", "networks", "expressions", "words"}

// String names one class.
func (c Class) String() string {
	for i, name := range classNames {
		if c == 1<<i {
			return name
		}
	}
	return "entries"
}

// EveryClass are all of them, in order.
func EveryClass() []Class {
	all := make([]Class, len(classNames))
	for i := range all {
		all[i] = 1 << i
	}
	return all
}

// Entries are the entries of a list in the form in which it compares them, those
// of ranges as the prefixes they consist of.
func (l *List) Entries() iter.Seq2[Class, string] {
	return func(yield func(Class, string) bool) {
		if l.built != nil {
			l.built.entries(yield)
			return
		}
		for name := range l.names.all() {
			if !yield(classOf(name), name) {
				return
			}
		}
		for p := range l.prefixes.AllSorted() {
			if !yield(Networks, p.String()) {
				return
			}
		}
		for _, p := range l.patterns {
			if !yield(Patterns, p.Source()) {
				return
			}
		}
		for phrase := range l.words.phrases.all() {
			if !yield(Phrases, phrase) {
				return
			}
		}
	}
}

// HasClass tells whether an entry is of one of the classes.
func (l *List) HasClass(of Class) bool {
	if l.built != nil {
		return l.built.Classes&of != 0
	}
	for class := range l.Entries() {
		if class&of != 0 {
			return true
		}
	}
	return false
}

// classOf tells that of a name.
func classOf(name string) Class {
	at := strings.LastIndexByte(name, '@')
	switch {
	case at >= 0 && at == len(name)-1:
		return LocalParts
	case at >= 0:
		return Addresses
	case strings.HasPrefix(name, "."):
		return Subdomains
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return IPs
	}
	return Domains
}

// all are the names, in the order in which they came.
func (s *nameSet) all() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, chunk := range s.chunks {
			for len(chunk) > 0 {
				n, size := binary.Uvarint(chunk)
				if !yield(string(chunk[size : size+int(n)])) {
					return
				}
				chunk = chunk[size+int(n):]
			}
		}
	}
}

// Without is the list without its entries of a class.
func (l *List) Without(c Class, cache *expr.Cache) *List {
	b := listBuilder{list: &List{kind: l.kind}, cache: cache}
	for class, entry := range l.Entries() {
		if class == c {
			continue
		}
		// What was an entry is one again: none of these can fail.
		switch class {
		case Patterns:
			_, _ = b.addPattern(entry)
		case Networks:
			_, _ = b.addPrefix(entry)
		case Phrases:
			_, _ = b.list.words.add(entry)
		default:
			_ = b.store([]byte(entry))
		}
	}
	return b.finish()
}

// Covers tells whether the list is known to have whatever the other has.
func (l *List) Covers(o *List) bool {
	if l == o {
		return true
	}
	// What stays in its file may be damaged there: of that nothing is known.
	if l.kind != o.kind || l.Built() || o.Built() {
		return false
	}
	for class, entry := range o.Entries() {
		if !l.covers(class, entry) {
			return false
		}
	}
	return true
}

func (l *List) covers(class Class, entry string) bool {
	look := l.Look(nil)
	switch class {
	case Patterns:
		return slices.ContainsFunc(l.patterns, func(p *expr.Pattern) bool { return p.Source() == entry })
	case Phrases:
		return l.words.phrases.has([]byte(entry))
	case Networks:
		p, err := netip.ParsePrefix(entry)
		return err == nil && l.CoversPrefix(p)
	case IPs:
		a, err := netip.ParseAddr(entry)
		return err == nil && look.literal(a)
	case Addresses:
		return look.name(entry)
	case LocalParts:
		return look.key([]byte(entry))
	}
	if look.key([]byte(entry)) {
		return true
	}
	for i := 1; i < len(entry); i++ {
		if entry[i] == '.' && look.key([]byte(entry[i:])) {
			return true
		}
	}
	return false
}

// CoversPrefix tells whether every address of a network is in the list.
func (l *List) CoversPrefix(p netip.Prefix) bool {
	look := l.Look(nil)
	if p.IsSingleIP() && look.literal(p.Addr()) {
		return true
	}
	return l.prefixes.LookupPrefix(p) || l.built != nil && l.built.covers(&look, p)
}

// MeetsPrefix tells whether an address of a network may be in the list.
func (l *List) MeetsPrefix(p netip.Prefix) bool {
	if len(l.patterns) > 0 || l.prefixes.OverlapsPrefix(p) {
		return true
	}
	if l.built != nil {
		return l.built.meets(p)
	}
	for name := range l.names.all() {
		if a, err := netip.ParseAddr(name); err == nil && p.Contains(a) {
			return true
		}
	}
	return false
}

// HasName tells whether an address, a domain or a host name is in a list of
// names by an entry that is no expression.
func (l *List) HasName(s string) bool {
	look := l.Look(nil)
	return l.kind == Names && look.name(s)
}
