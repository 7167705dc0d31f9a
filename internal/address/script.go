package address

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MixesScripts tells of a domain, or of an address, one of whose labels has
// letters of Latin and of a script with letters that look like them: hardly
// anybody can register it, and who copies it from a page gets another name than
// he sees (Unicode TR 39, RFC 5890 §4.4).
func MixesScripts(s string) bool {
	latin, other := false, false
	for s = s[strings.LastIndexByte(s, '@')+1:]; s != ""; {
		r, n := utf8.DecodeRuneInString(s)
		s = s[n:]
		switch {
		case r == '.':
			latin, other = false, false
		case r < utf8.RuneSelf:
			latin = latin || 'a' <= r|0x20 && r|0x20 <= 'z'
		case unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian):
			other = true
		}
		if latin && other {
			return true
		}
	}
	return false
}
