// Package fieldtext is the text of header fields: what readers see in a raw value,
// with its folds (RFC 5322 §2.2.3), encoded-words (RFC 2047) and sets of characters,
// in the several ways in which they read it, and how a text is written into a field.
package fieldtext

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// Decode unfolds a raw value and decodes its encoded-words (RFC 2047). Octets
// that nothing labels, or whose label says nothing, are read as charset.Raw has
// it: as UTF-8 where they are, else in fallbackCharset. The result is UTF-8 on
// one line, without control characters but tabs, and with one kind of space. An
// encoded-word that cannot be decoded stays as it is. Time is linear in the
// length of raw, and charged; once the budget is spent nothing is decoded any
// more, and whoever asked has to look at it.
func Decode(b *budget.Budget, raw, fallbackCharset string) string {
	spent := b.Charge(1 + len(raw))
	s := Unfold(raw)
	switch {
	case plain(s):
		return s
	case spent != nil:
		return Printable(strings.ToValidUTF8(s, "\uFFFD"))
	}
	return Printable(DecodeAll(b, s, fallbackCharset))
}

// DecodeAll decodes a text of one line, control characters included.
func DecodeAll(b *budget.Budget, s, fallbackCharset string) string {
	d := decoder{budget: b, fallback: fallbackCharset, rest: s}
	d.out.Grow(len(s))
	return d.run()
}

// AppendDecode appends what Decode returns, without the white space around it
// and, for a value of printable ASCII, without an allocation.
func AppendDecode(b *budget.Budget, dst []byte, raw, fallbackCharset string) []byte {
	start := len(dst)
	if foldsOnly(raw) {
		_ = b.Charge(1 + len(raw))
		dst = appendUnfolded(dst, strings.TrimLeft(raw, " \t\r\n"))
	} else {
		dst = append(dst, strings.TrimSpace(Decode(b, raw, fallbackCharset))...)
	}
	for len(dst) > start && (dst[len(dst)-1] == ' ' || dst[len(dst)-1] == '\t') {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// foldsOnly tells whether a text decodes to itself but for its folds.
func foldsOnly(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x7f || c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == '=' && i+1 < len(s) && s[i+1] == '?' {
			return false
		}
	}
	return true
}

// plain tells whether a text decodes to itself.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x7f || c < ' ' && c != '\t' || c == '=' && i+1 < len(s) && s[i+1] == '?' {
			return false
		}
	}
	return true
}

// Unfold takes out line ends: before white space they are folds (RFC 5322
// §2.2.3), elsewhere they become a space, for a value is one line.
func Unfold(s string) string {
	if strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 {
		return s
	}
	var room [256]byte // most values are shorter
	return string(appendUnfolded(room[:0], s))
}

func appendUnfolded(dst []byte, s string) []byte {
	if strings.IndexByte(s, '\r') < 0 {
		// What an MTA shows: line by line, not octet by octet.
		for {
			n := strings.IndexByte(s, '\n')
			if n < 0 {
				return append(dst, s...)
			}
			dst = append(dst, s[:n]...)
			s = strings.TrimLeft(s[n:], "\n")
			if s != "" && s[0] != ' ' && s[0] != '\t' {
				dst = append(dst, ' ')
			}
		}
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\n' && s[i] != '\r' {
			dst = append(dst, s[i])
			continue
		}
		for i+1 < len(s) && (s[i+1] == '\n' || s[i+1] == '\r') {
			i++
		}
		if i+1 < len(s) && s[i+1] != ' ' && s[i+1] != '\t' {
			dst = append(dst, ' ')
		}
	}
	return dst
}

// Printable takes out control characters, which a value may hide words with,
// and makes a space of what looks like one.
func Printable(s string) string {
	if isPrintable(s) { // most are, and strings.Map asks a function for each character
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\u0085', r == '\u2028', r == '\u2029': // line ends, Unicode's too
			return ' '
		case r < ' ' && r != '\t', r >= 0x7f && r < 0xa0:
			return -1
		case r >= 0xa0 && unicode.Is(unicode.Zs, r):
			return ' '
		}
		return r
	}, s)
}

// isPrintable tells of a text of well-formed UTF-8 that printable leaves it as it
// is. It may say no of others.
func isPrintable(s string) bool {
	for _, r := range s {
		switch {
		case r >= ' ' && r < 0x7f, r == '\t':
		case r < 0xa0, r == utf8.RuneError, r == '\u2028', r == '\u2029':
			return false
		case r < 0x1680 && r != 0xa0: // no space between
		case unicode.Is(unicode.Zs, r):
			return false
		}
	}
	return true
}
