package fieldtext

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Visible is a text without what cannot be seen in it: characters without a
// width, those that govern the direction of writing, what could not be decoded;
// composed, and in the plain form of letters that have others (NFKC).
func Visible(s string) string {
	if isVisible(s) {
		return s
	}
	if plain, ok := plainSigns(s); ok {
		return plain
	}
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf && (r == utf8.RuneError || Invisible(r)) {
			return -1
		}
		return r
	}, s))
}

// isVisible tells of a text that Visible leaves it as it is. It may say no of
// others: it knows what is common in Latin and Cyrillic.
func isVisible(s string) bool {
	for _, r := range s {
		if !common(r) {
			return false
		}
	}
	return true
}

// common characters stay what they are, whatever other common ones stand beside
// them.
func common(r rune) bool {
	switch {
	case r < 0x80, r >= 0x400 && r < 0x482, r >= 0x48a && r < 0x530: // ASCII, Cyrillic without its marks
	case r == 0xab, r == 0xbb, r >= 0xc0 && r <= 0xff: // quotation marks, letters of Latin-1
	case r >= 0x2012 && r <= 0x2015, r >= 0x2018 && r <= 0x201f: // dashes, quotation marks
	default:
		return false
	}
	return true
}

// plainSigns is Visible of a text that has nothing but what isVisible knows, and
// signs that are common in Subjects. ok is false of others.
func plainSigns(s string) (plain string, ok bool) {
	var b strings.Builder
	from := 0 // what stays begins here
	for i, r := range s {
		other := ""
		switch r {
		case 0x2116:
			other = "No"
		case 0x2122:
			other = "TM"
		case 0x2026:
			other = "..."
		case 0x20ac, 0x20bd, 0xa7, 0xa9, 0xae, 0xb0, 0x2022: // currencies, paragraph, rights, degree, bullet
			continue
		default:
			if !common(r) {
				return "", false
			}
			continue
		}
		if from == 0 {
			b.Grow(len(s))
		}
		b.WriteString(s[from:i])
		b.WriteString(other)
		from = i + utf8.RuneLen(r)
	}
	if from == 0 {
		return s, true
	}
	b.WriteString(s[from:])
	return b.String(), true
}

// Invisible tells the characters that Unicode says nothing is shown for
// (Default_Ignorable_Code_Point).
func Invisible(r rune) bool {
	switch {
	case r == 0x3164, r == 0xffa0, r == 0x115f, r == 0x1160, r == 0x17b4, r == 0x17b5, // fillers
		r == 0x34f,                                             // joins graphemes
		r >= 0x180b && r <= 0x180f, r >= 0xfe00 && r <= 0xfe0f, // variants
		r >= 0x2065 && r <= 0x206f, r >= 0xe0000 && r < 0xe1000:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}
