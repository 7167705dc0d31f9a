package address

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// foldLocal folds a local part: most systems know no case in it (RFC 5321
// §2.4 leaves that to them). What is not UTF-8 keeps its octets.
func foldLocal(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			if !utf8.ValidString(s) {
				return lower(s)
			}
			return norm.NFC.String(strings.Map(foldRune, norm.NFC.String(s)))
		}
	}
	return lower(s)
}

// foldRune is one of all runes that differ in case alone: of Σ, σ and ς, of K
// and the Kelvin sign. The Turkish İ and ı have no partner without a language.
func foldRune(r rune) rune {
	if r == 'İ' || r == 'ı' {
		return r
	}
	return unicode.ToLower(unicode.ToUpper(r))
}

// compose is a text in NFC: a letter with its accent is one, however it was
// typed.
func compose(s string) string {
	if !utf8.ValidString(s) {
		return s
	}
	return norm.NFC.String(s)
}

// lower is lower case of ASCII, without an allocation for what is so already.
func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if c := b[i]; 'A' <= c && c <= 'Z' {
					b[i] = c + 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
