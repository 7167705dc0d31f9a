package rules

import (
	"errors"
	"fmt"
	"strings"
)

// placeholders are the names that may stand between braces. Some are empty
// until later in a message, or while nothing fills them.
var placeholders = []string{
	"client_ip", "client_host", "helo", "sender", "recipient", "subject",
	"weight", "rule", "virus", "queue_id", "gateway", "ref",
}

// Template is a text with placeholders such as {client_ip}.
type Template struct {
	parts []part
}

// part is a piece of plain text and the placeholder after it, "" for none.
type part struct {
	text, name string
}

// ParseTemplate parses and checks a text; an unknown placeholder is an error
// that names the nearest valid one.
func ParseTemplate(s string) (Template, error) {
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
	for _, p := range placeholders {
		if p == name {
			return true
		}
	}
	return false
}

func unknownPlaceholder(name string) error {
	if near := Nearest(name, placeholders); near != "" {
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
