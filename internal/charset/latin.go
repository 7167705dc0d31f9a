package charset

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// cyrillic are the letters from U+0430 on in Latin ones, as people write Russian
// without a keyboard for it.
var cyrillic = [...]string{
	"a", "b", "v", "g", "d", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh", "shch",
	"", "y", "", "e", "yu", "ya", "e", "e", "dj", "g", "e", "dz", "i", "yi", "j", "lj", "nj", "c", "k", "i", "u", "dz",
}

// others are characters that do not come apart into ASCII and something else.
var others = map[rune]string{
	'ß': "ss", 'ø': "o", 'ł': "l", 'đ': "d", 'æ': "ae", 'œ': "oe", 'þ': "th", 'ð': "d", 'ı': "i", 'ґ': "g",
	'«': `"`, '»': `"`, '“': `"`, '”': `"`, '„': `"`, '‘': "'", '’': "'", '–': "-", '—': "-", '−': "-", '№': "No",
}

// Latin writes a character in ASCII so that people can read it: Cyrillic letters
// as Latin ones, others without their accents. What cannot be written so is "?".
// It is for texts that may be nothing but ASCII; it cannot be undone.
func Latin(r rune) string {
	lower := unicode.ToLower(r)
	text, known := others[lower]
	if n := lower - 'а'; !known && 0 <= n && int(n) < len(cyrillic) {
		text, known = cyrillic[n], true
	}
	if known {
		if lower != r && text != "" {
			return strings.ToUpper(text[:1]) + text[1:]
		}
		return text
	}
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return -1
		}
		return c
	}, norm.NFKD.String(string(r)))
	if text == "" && !unicode.Is(unicode.Mn, r) {
		return "?"
	}
	return text
}
