package address

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/lexical"
)

// tokenKind is what a piece of an address is.
type tokenKind uint8

const (
	operator tokenKind = iota // one octet
	word                      // an atom or a quoted string, without quotes
	literal                   // what stands in brackets
)

type token struct {
	kind tokenKind
	text string
}

// operators end an atom: the specials of RFC 822 §3.3 and the routing
// operators that Postfix knows beside them.
const operators = "|%!()<>@,;:.[]\""

// maxTokens is how many pieces an address is looked at for: more than can
// stand in Max octets. Postfix itself takes no more than a line of 2,048.
const maxTokens = 4096

// unquoted is the address in s without quotes, comments, route and white
// space: what Postfix works with. It is not ok where there are several, or
// something else than an address.
func unquoted(s string) (text string, ok bool) {
	// The brackets of RFC 5321 §4.1.1.2, which the milter protocol leaves on. What
	// stands in a comment that nothing closes is none.
	if len(s) > 1 && s[0] == '<' && s[len(s)-1] == '>' && bracketed(s) {
		s = s[1 : len(s)-1]
	}
	// RFC 5321 §4.1.1.3, appendix C: what stands before the colon of a route
	// is to be ignored.
	if strings.HasPrefix(s, "@") {
		if _, after, routed := strings.Cut(s, ":"); routed {
			s = after
		}
	}
	tokens, ok := scan(s)
	if !ok || hasControl(s) {
		return "", false
	}
	inner, angled, ok := within(tokens)
	if !ok {
		return "", false
	}
	var b strings.Builder
	for i, t := range inner {
		if i > 0 && t.kind != operator && inner[i-1].kind != operator {
			if !angled {
				return "", false // two addresses
			}
			b.WriteByte(' ')
		}
		if t.kind == literal {
			b.WriteString("[" + t.text + "]")
			continue
		}
		b.WriteString(t.text)
	}
	return routeless(b.String()), true
}

// bracketed tells whether the last octet is a bracket, and not a part of something
// else.
func bracketed(s string) bool {
	all, ok := scan(s)
	return ok && len(all) > 0 && all[len(all)-1] == token{operator, ">"}
}

// routeless takes off a source route that only shows without the brackets and
// white space before it.
func routeless(s string) string {
	for strings.HasPrefix(s, "@") {
		_, after, ok := strings.Cut(s, ":")
		if !ok || after == "" {
			break
		}
		s = after
	}
	return s
}

// within is what stands in angle brackets, or everything where there are
// none. It is not ok where several addresses are.
func within(all []token) (inner []token, bracketed, ok bool) {
	open, closed := -1, -1
	for i, t := range all {
		switch {
		case t.kind != operator:
		case t.text == "," || t.text == ";":
			return nil, false, false
		case t.text == "<":
			if open >= 0 {
				return nil, false, false
			}
			open = i
		case t.text == ">":
			if open < 0 || closed >= 0 {
				return nil, false, false
			}
			closed = i
		}
	}
	if open < 0 {
		return all, false, true
	}
	if closed != len(all)-1 {
		return nil, false, false
	}
	return all[open+1 : closed], true, true
}

// scan cuts s into pieces. White space and comments (RFC 5322 §3.2.2), which
// nest, only divide.
func scan(s string) ([]token, bool) {
	var all []token
	for len(s) > 0 {
		if len(all) == maxTokens {
			return nil, false
		}
		switch c := s[0]; {
		case isSpace(c):
			s = s[1:]
		case c == '(':
			n := lexical.Comment(s)
			if n == 0 {
				n = len(s) // Postfix takes the rest for one
			}
			s = s[n:]
		case c == '"':
			text, n := collect(s[1:], func(c byte) bool { return c != '"' })
			if 1+n == len(s) {
				return nil, false // not closed
			}
			all = append(all, token{word, text})
			s = s[1+n+1:]
		case c == '[':
			text, n := collect(s[1:], func(c byte) bool { return c != ']' })
			if 1+n == len(s) {
				return nil, false
			}
			all = append(all, token{literal, text})
			s = s[1+n+1:]
		case c != '\\' && strings.IndexByte(operators, c) >= 0:
			all = append(all, token{operator, s[:1]})
			s = s[1:]
		default:
			text, n := collect(s, func(c byte) bool { return !isSpace(c) && strings.IndexByte(operators, c) < 0 })
			all = append(all, token{word, text})
			s = s[n:]
		}
	}
	return all, true
}

// collect reads while the octets are good; one behind a backslash always is,
// and the backslash goes (a quoted pair, RFC 5321 §4.1.2). n is what it took.
func collect(s string, good func(byte) bool) (text string, n int) {
	if n = strings.IndexFunc(s, func(r rune) bool { return r < 0x80 && (r == '\\' || !good(byte(r)) || isSpace(byte(r))) }); n < 0 {
		return s, len(s)
	}
	var b strings.Builder
	b.WriteString(s[:n])
	for n < len(s) {
		c := s[n]
		if c == '\\' {
			if n++; n == len(s) {
				break
			}
			c = s[n]
		} else if !good(c) {
			break
		}
		if isSpace(c) {
			c = ' '
		}
		b.WriteByte(c)
		n++
	}
	return b.String(), n
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// hasControl tells of control characters but the tab: no address has any.
func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

// quote gives a local part its quotes where it needs them (RFC 5321 §4.1.2).
// Dots may stand anywhere without: some mailers give out such local parts.
func quote(local string) string {
	if atoms(local) {
		return local
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(local) + `"`
}

// atoms tells whether s can stand without quotes (RFC 5322 §3.2.3, RFC 6531
// §3.3); nothing at all can.
func atoms(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !alphanumeric(c) && c < 0x80 && strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) < 0 {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
