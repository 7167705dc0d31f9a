// Package lexical has what all grammars of mail are made of: comments, quoted strings
// and quoted pairs (RFC 5322 §3.2, RFC 5321 §4.1.2, RFC 2045 §5.1). What a text is that
// keeps to no grammar is for its reader to say. It is pure.
package lexical

import "strings"

// Comment is the length of the comment (RFC 5322 §3.2.2) that s begins with,
// parentheses included; 0 when there is none, or nothing closes it.
func Comment(s string) int {
	if s == "" || s[0] != '(' {
		return 0
	}
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// Quoted is the length of the quoted string (RFC 5321 §4.1.2, RFC 5322
// §3.2.4) that s begins with, quotes included; 0 when there is none, or nothing
// closes it.
func Quoted(s string) int {
	if s == "" || s[0] != '"' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// Unquote is the text of the quoted string that s begins with, and the octets after
// it. One that nothing closes goes on to the end.
func Unquote(s string) (text, rest string) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

// Uncomment is a text without the comments outside of its quotes (RFC 5322
// §3.2.2). One that nothing closes is none.
func Uncomment(s string) string {
	if strings.IndexByte(s, '(') < 0 {
		return s
	}
	var b strings.Builder
	quotes := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			b.WriteByte(c)
			i++
		case c == '"':
			quotes = !quotes
		case c == '(' && !quotes:
			n := Comment(s[i:])
			if n == 0 {
				b.WriteString(s[i:])
				return b.String()
			}
			i += n - 1
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Blank has a space for each comment; of one that does not end all is
// left. It knows no quotes.
func Blank(s string) string {
	if strings.IndexByte(s, '(') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	depth, from := 0, 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '(' {
			if depth++; depth == 1 {
				from = i
			}
		}
		switch {
		case depth == 0:
			b.WriteByte(c)
		case c == '\\':
			i++
		case c == ')':
			if depth--; depth == 0 {
				b.WriteByte(' ')
			}
		}
	}
	if depth > 0 {
		b.WriteString(s[from:])
	}
	return b.String()
}
