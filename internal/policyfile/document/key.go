package document

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// key reads a.b."c" and the space behind it; what does not read as a key ends
// it.
func (s *scanner) key() []string {
	var parts []string
	for {
		s.skipSpace(false)
		start := s.at
		part := ""
		switch {
		case s.is('"'):
			part = unescape(s.quoted())
		case s.is('\''):
			part = s.quoted()
		default:
			for s.at < len(s.text) && Bare(s.text[s.at]) {
				s.at++
			}
			part = s.text[start:s.at]
		}
		if s.at == start {
			return parts
		}
		parts = append(parts, part)
		if len(parts) > maxDepth {
			s.deep = s.here()
			return nil
		}
		s.skipSpace(false)
		if !s.is('.') {
			return parts
		}
		s.at++
	}
}

// Bare tells whether c may stand in a key without quotes.
func Bare(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// QuoteKey writes a key as it stands in TOML.
func QuoteKey(key string) string {
	for i := range len(key) {
		if !Bare(key[i]) {
			return fmt.Sprintf("%q", key)
		}
	}
	if key == "" {
		return `""`
	}
	return key
}

// quoted passes over a string of any of the four kinds and returns what stands
// between its quotes, as written.
func (s *scanner) quoted() string {
	q := s.text[s.at]
	three := strings.Repeat(string(q), 3)
	if strings.HasPrefix(s.text[s.at:], three) {
		return s.multiline(q, three)
	}
	start := s.at + 1
	for s.at = start; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '\n': // a string without its end
			return s.text[start:s.at]
		case c == '\\' && q == '"' && s.at+1 < len(s.text) && s.text[s.at+1] != '\n':
			s.at++
		case c == q:
			s.at++
			return s.text[start : s.at-1]
		}
	}
	return s.text[start:]
}

// multiline passes over a string in three quotes. Its text may end with one or
// two quotes of the same kind.
func (s *scanner) multiline(q byte, three string) string {
	start := s.at + 3
	for s.at = start; s.at < len(s.text); s.at++ {
		if s.text[s.at] == '\\' && q == '"' {
			s.at++
			continue
		}
		if !strings.HasPrefix(s.text[s.at:], three) {
			continue
		}
		s.at += 3
		for range 2 {
			if s.is(q) {
				s.at++
			}
		}
		return s.text[start : s.at-3]
	}
	s.at = len(s.text)
	return s.text[min(start, s.at):]
}

// unescape resolves what a backslash may stand for in a key; what it may not
// stays as it is.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if at := strings.IndexByte(`btnfre"\`, s[i]); at >= 0 {
			b.WriteByte("\b\t\n\f\r\x1b\"\\"[at])
			continue
		}
		digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[i]]
		if digits == 0 || i+digits >= len(s) {
			b.WriteString(s[i-1 : i+1])
			continue
		}
		code, err := strconv.ParseUint(s[i+1:i+1+digits], 16, 32)
		if err != nil || code > utf8.MaxRune {
			b.WriteString(s[i-1 : i+1])
			continue
		}
		b.WriteRune(rune(code))
		i += digits
	}
	return b.String()
}
