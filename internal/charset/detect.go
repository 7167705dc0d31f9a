package charset

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// maxLooked is how much of a text a guess looks at: each octet is read five times, and
// once more as what it becomes, for each of the readings of a name.
const maxLooked = 1 << 10

// detect tells the charsets of Cyrillic apart by how often letters stand beside
// each other in Russian, Ukrainian and Bulgarian. There is no guess for octets
// that are not Cyrillic in any of them: words there have letters of ASCII, or
// letters that no word begins with.
func detect(b *budget.Budget, s string) (c Charset, ok bool) {
	s = sample(s)
	best := 0
	for _, one := range []Charset{
		{charmap.Windows1251, "windows-1251"}, {charmap.KOI8U, "koi8-u"}, {charmap.CodePage866, "ibm866"},
		{charmap.ISO8859_5, "iso-8859-5"}, {charmap.MacintoshCyrillic, "x-mac-cyrillic"},
	} {
		if n := likeness(one.Decode(b, s)); n > best {
			best, c, ok = n, one, true
		}
	}
	return c, ok
}

// sample is what a guess looks at of a long text: its octets above 127, and those beside
// them.
func sample(s string) string {
	if len(s) <= maxLooked {
		return s
	}
	b := make([]byte, 0, maxLooked)
	for i := 0; i < len(s) && len(b) < maxLooked; i++ {
		if s[i] >= utf8.RuneSelf || i+1 < len(s) && s[i+1] >= utf8.RuneSelf || i > 0 && s[i-1] >= utf8.RuneSelf {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// likeness is how much a text is like one in Cyrillic: points for letters that
// are common, fewer for capitals within words and rare letters, none for what
// stands in no text.
func likeness(s string) int {
	points, letters, latin := 0, 0, 0
	before := ' '
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Cyrillic, r):
			letters++
			lower := unicode.ToLower(r)
			points += frequency(lower)
			if r != lower && unicode.IsLower(before) {
				points -= 12 // a capital after a small letter
			}
			if before < utf8.RuneSelf && unicode.IsLetter(before) {
				latin++
			}
		case r < utf8.RuneSelf:
			if unicode.IsLetter(r) && unicode.Is(unicode.Cyrillic, before) {
				latin++
			}
		case unicode.IsLetter(r):
			points -= 8
		case r == '«', r == '»', r == '№', r == '—', r == '–', r == '“', r == '”', r == '„', r == '…', r == '\u00a0':
		default:
			points -= 12 // frames and control characters
		}
		before = r
	}
	// In a text of Latin letters with accents, those stand within words.
	if letters < 2 || latin*2 > letters {
		return 0
	}
	return points
}

// frequency is how common a letter is, from Russian texts and those of its
// neighbours.
func frequency(r rune) int {
	switch r {
	case 'о', 'е', 'а', 'и', 'н', 'т':
		return 8
	case 'с', 'р', 'в', 'л', 'к', 'м', 'д', 'п', 'у':
		return 5
	case 'я', 'ы', 'ь', 'г', 'з', 'б', 'ч', 'й', 'і':
		return 2
	case 'х', 'ж', 'ш', 'ю', 'ц', 'ї', 'є':
		return 1
	case 'щ', 'э', 'ф', 'ё', 'ъ', 'ґ':
		return 0
	}
	return -8
}
