package mail

import (
	"strings"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/fieldtext"
)

// FallbackCharset is the charset in which raw 8-bit octets of the header are
// read when they are not UTF-8: that of Content-Type, "" when there is none.
// Mail that breaks RFC 2047 this way was written in the charset of its body.
func (h Header) FallbackCharset() string {
	raw, ok := h.Get("Content-Type")
	if !ok || !mayName(raw, "charset") {
		return ""
	}
	// A lenient reading of RFC 2045 §5.1 parameters: mail that needs this is
	// not well formed elsewhere either.
	_, rest := cutParameter(fieldtext.Unfold(raw))
	for rest != "" {
		var param string
		param, rest = cutParameter(rest)
		name, value, found := strings.Cut(param, "=")
		name = strings.TrimSuffix(strings.TrimSpace(name), "*")
		if !found || !strings.EqualFold(name, "charset") {
			continue
		}
		value = parameterValue(value)
		// RFC 2231 §4: charset*=us-ascii'en'koi8-r
		if i := strings.LastIndexByte(value, '\''); i >= 0 {
			value = value[i+1:]
		}
		return value
	}
	return ""
}

// mayName tells whether a word in lower case may stand in a text, in any case.
// Most texts do not have it, and are not read any further.
func mayName(text, word string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return true // there are letters that fold to ASCII
		}
		if text[i]|0x20 == word[0] && len(text)-i >= len(word) && strings.EqualFold(text[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// parameterValue is a token or a quoted string without what may follow it.
func parameterValue(s string) string {
	s = strings.TrimLeft(s, " \t")
	if quoted, ok := strings.CutPrefix(s, `"`); ok {
		value, _, _ := strings.Cut(quoted, `"`)
		return strings.TrimSpace(value)
	}
	if i := strings.IndexAny(s, " \t("); i >= 0 {
		s = s[:i]
	}
	return strings.Trim(s, `"'`)
}

// foldsJoined is a value without the white space of its folds, as programs have
// it that fold a long name wherever a line is full, and those that read them so:
// unless all folds stand where a parameter begins.
func foldsJoined(s string) string {
	within := false
	for i := strings.IndexAny(s, "\r\n"); i >= 0; {
		before, after := strings.TrimRight(s[:i], " \t\r\n"), strings.TrimLeft(s[i:], " \t\r\n")
		within = within || before != "" && after != "" && before[len(before)-1] != ';' && after[0] != ';'
		next := strings.IndexAny(after, "\r\n")
		if next < 0 {
			break
		}
		i = len(s) - len(after) + next
	}
	if !within {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexAny(s, "\r\n")
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(strings.TrimRight(s[:i], " \t"))
		s = strings.TrimLeft(s[i:], " \t\r\n")
	}
}
