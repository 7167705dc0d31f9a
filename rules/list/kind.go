package list

import "strings"

// Kind is what the entries of a list are.
type Kind uint8

const (
	// Names are addresses, domains, networks and expressions between slashes.
	Names Kind = iota
	// Words are found whole in a text.
	Words
	// Expressions are one a line, as rules have them.
	Expressions
)

// KindNames are the kinds as policies write them.
func KindNames() []string { return []string{"name", "word", "regex"} }

// ParseKind is the kind of that name.
func ParseKind(s string) (Kind, bool) {
	for i, name := range KindNames() {
		if name == s {
			return Kind(i), true
		}
	}
	return 0, false
}

// entry is what a line has but for its comment. In an expression # may stand
// anywhere, so that only a line of its own is a comment there.
func (k Kind) entry(line string) string {
	if k != Expressions {
		return stripComment(line)
	}
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "#") {
		return ""
	}
	return line
}
