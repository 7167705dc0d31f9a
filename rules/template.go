package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/diag"
)

// placeholders are the names that may stand between braces. Some are empty
// until later in a message, or while nothing fills them.
var placeholders = []string{
	"client_ip", "client_host", "helo", "sender", "recipient", "subject",
	"weight", "rule", "virus", "queue_id", "gateway", "ref",
}

// Placeholders are all of them.
func Placeholders() []string { return slices.Clone(placeholders) }

// Template is a text with placeholders such as {client_ip}.
type Template struct {
	parts []part
}

// part is a piece of plain text and the placeholder after it, "" for none.
type part struct {
	text, name string
}

// ParseTemplate parses and checks a text; an unknown placeholder is an error
// that names the nearest valid one, and so is one for the group of an expression,
// which only rules have.
func ParseTemplate(s string) (Template, error) {
	t, err := parseTemplate(s)
	if err == nil {
		err = t.checkGroups(0)
	}
	if err != nil {
		return Template{}, err
	}
	return t, nil
}

// Group is the number of the group that a placeholder stands for, from 1; 0 for
// all others.
func Group(name string) int {
	if len(name) == 1 && '1' <= name[0] && name[0] <= '9' {
		return int(name[0] - '0')
	}
	return 0
}

// groups is the highest group that the text asks for.
func (t Template) groups() int {
	most := 0
	for _, p := range t.parts {
		most = max(most, Group(p.name))
	}
	return most
}

// checkGroups tells whether there are as many groups as the text asks for.
func (t Template) checkGroups(most int) error {
	switch n := t.groups(); {
	case n <= most:
		return nil
	case most == 0:
		return fmt.Errorf("{%d} is what a group in parentheses matched, and there is no expression with one in match or any", n)
	default:
		return fmt.Errorf("{%d} is what a group in parentheses matched, and the expressions in match and any have no more than %d", n, most)
	}
}

// parseTemplate reads a text that may ask for groups.
func parseTemplate(s string) (Template, error) {
	var t Template
	for s != "" {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			t.parts = append(t.parts, part{text: s})
			break
		}
		length := strings.IndexByte(s[open:], '}')
		if length < 0 {
			return Template{}, errors.New(`"{" begins a placeholder, but no "}" ends it`)
		}
		name := s[open+1 : open+length]
		if !isPlaceholder(name) {
			return Template{}, unknownPlaceholder(name)
		}
		t.parts = append(t.parts, part{text: s[:open], name: name})
		s = s[open+length+1:]
	}
	return t, nil
}

func isPlaceholder(name string) bool {
	return Group(name) > 0 || slices.Contains(placeholders, name)
}

func unknownPlaceholder(name string) error {
	if near := diag.Nearest(name, placeholders); near != "" {
		return fmt.Errorf("unknown placeholder %q; did you mean %q?", "{"+name+"}", "{"+near+"}")
	}
	return fmt.Errorf("unknown placeholder %q; there are {%s}", "{"+name+"}", strings.Join(placeholders, "} {"))
}

// Expand replaces each placeholder by what value says of its name (without
// braces). It does not clean what it inserts: the caller knows where it goes.
func (t Template) Expand(value func(name string) string) string {
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.text)
		if p.name != "" {
			b.WriteString(value(p.name))
		}
	}
	return b.String()
}

// Uses tells whether the placeholder stands in the text.
func (t Template) Uses(name string) bool {
	for _, p := range t.parts {
		if p.name == name && name != "" {
			return true
		}
	}
	return false
}

// String is the text as it was written.
func (t Template) String() string {
	return t.Expand(func(name string) string { return "{" + name + "}" })
}
