package mail

import (
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/lexical"
)

// readings are the values that programs find in the text after the equals
// sign, up to the next semicolon: the one that most find first.
func readings(b *budget.Budget, s string) []string {
	if b.Charge(1+len(s)) != nil {
		return nil
	}
	s = strings.Trim(s, " \t\r\n")
	var list []string
	add := func(v string) {
		if !slices.Contains(list, v) {
			_ = b.Charge(len(v))
			list = append(list, v)
		}
	}
	bare := strings.TrimLeft(lexical.Uncomment(s), " \t")
	switch {
	case strings.HasPrefix(s, `"`):
		for _, v := range quotedReadings(s[1:]) {
			add(v)
		}
	case strings.HasPrefix(bare, `"`): // a comment before it
		for _, v := range quotedReadings(bare[1:]) {
			add(v)
		}
	case strings.HasPrefix(s, `'`):
		// No quotes for RFC 2045; who writes them means quotes.
		inner, after, closed := strings.Cut(s[1:], "'")
		if !closed || strings.Trim(after, " \t") != "" {
			add(s)
		}
		add(inner)
	default:
		for _, v := range []string{s, bare} {
			add(v)
			// A token ends at white space, at a comma, at a comment; for those who
			// do not mind white space at the latter two.
			for _, ends := range []string{" \t", ",", "("} {
				if i := strings.IndexAny(v, ends); i > 0 {
					add(strings.TrimRight(v[:i], " \t"))
				}
			}
			if !strings.HasPrefix(s, "(") {
				break
			}
		}
		if v := strings.ReplaceAll(s, `\`, ""); v != s { // characters quoted where none can be
			add(v)
		}
		if strings.IndexByte(s, '"') >= 0 && strings.IndexByte(s, '?') < 0 {
			v := strings.ReplaceAll(s, `"`, "")
			add(v)
			add(strings.ReplaceAll(v, `\`, ""))
		}
	}
	return list
}

// quotedReadings are those of what follows a quote. A backslash quotes any
// character (RFC 5322 §3.2.1), but who writes the paths of some systems means
// itself by it.
func quotedReadings(s string) []string {
	var strict, literal strings.Builder
	i := 0
	for ; i < len(s) && s[i] != '"'; i++ {
		if c := s[i]; c == '\\' && i+1 < len(s) {
			i++
			if s[i] != '"' && s[i] != '\\' {
				literal.WriteByte(c)
			}
		}
		strict.WriteByte(s[i])
		literal.WriteByte(s[i])
	}
	list := []string{literal.String()}
	if strict.Len() != literal.Len() {
		list = append(list, strict.String())
	}
	if i >= len(s) {
		// Nothing closes them: they are none for some, or end with the parameter.
		before, _, _ := strings.Cut(s, ";")
		if before = strings.TrimRight(before, "\"\\ \t"); before != literal.String() {
			list = append(list, before)
		}
		return list
	}
	// Some read on after the quotes.
	if after := strings.Trim(lexical.Uncomment(s[i+1:]), " \t"); after != "" {
		list = append(list, literal.String()+strings.ReplaceAll(after, `"`, ""))
	}
	return list
}
