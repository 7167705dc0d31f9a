package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Spaced has a plain space for each white space beyond ASCII (Unicode's Zs): to
// a reader they are the same, and \s knows none of them.
func Spaced(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf {
		i++
	}
	if i == len(s) || !strings.ContainsFunc(s[i:], isOtherSpace) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if isOtherSpace(r) {
			return ' '
		}
		return r
	}, s)
}

func isOtherSpace(r rune) bool {
	return r >= 0xa0 && (r == 0xa0 || r >= 0x1680) && unicode.Is(unicode.Zs, r)
}
