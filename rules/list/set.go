package list

import (
	"net/netip"
	"strings"
)

// Set has addresses, domains and host names, each whole: what is in it is equal
// to one of them in the form in which lists compare.
type Set struct {
	names map[string]bool
	room  []byte
}

// NewSet is an empty one.
func NewSet() *Set { return &Set{names: make(map[string]bool)} }

// Add puts a text in.
func (s *Set) Add(text string) { s.names[string(s.form(text))] = true }

// AddAddr puts an address in.
func (s *Set) AddAddr(a netip.Addr) { s.names[a.String()] = true }

// Has tells whether the text is in it; an address literal is the address.
func (s *Set) Has(text string) bool { return text != "" && s.names[string(s.form(text))] }

// HasAddr tells whether the address is in it.
func (s *Set) HasAddr(a netip.Addr) bool { return s.names[a.String()] }

// HasMailbox tells whether an address of a header field is in it: one in angle
// brackets, or one of several with commas between them.
func (s *Set) HasMailbox(text string) bool {
	if eachMailbox(text, s.Has) {
		return true
	}
	for _, one := range strings.Split(text, ",") {
		if s.Has(strings.TrimSpace(one)) {
			return true
		}
	}
	return false
}

func (s *Set) form(text string) []byte {
	if a, ok := literalAddr(text); ok && !strings.Contains(text, "@") {
		s.room = a.AppendTo(s.room[:0])
		return s.room
	}
	s.room, _ = appendName(s.room[:0], text)
	return s.room
}
