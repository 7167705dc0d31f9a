package text

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// seen is a text as words follow each other for a reader: without characters that
// cannot be seen, composed, one space where there is any.
func seen(text string) string {
	text, _ = words(text)
	return text
}

// words are those, and whether they are in ASCII.
func words(text string) (seen string, ascii bool) {
	var b strings.Builder
	b.Grow(len(text))
	space := false
	ascii = true
	for i := 0; i < len(text); {
		run := i
		for run < len(text) && text[run] > ' ' && text[run] < 0x7f {
			run++
		}
		r, size := rune(0), 0
		if run == i {
			r, size = utf8.DecodeRuneInString(text[i:])
			switch i += size; {
			case isSpace(r):
				space = true
				continue
			case isInvisible(r):
				continue
			}
			ascii = false
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		if size > 0 {
			b.WriteRune(r)
			continue
		}
		b.WriteString(text[i:run])
		i = run
	}
	if ascii {
		return b.String(), true
	}
	return norm.NFC.String(b.String()), false
}

// isSpace tells whether a reader sees a space.
func isSpace(r rune) bool {
	return r == ' ' || r >= '\t' && r <= '\r' || r == 0x2800 || r == 0x85 || r == 0xa0 || r == 0x1680 || r >= 0x2000 && r <= 0x200a || r == 0x2028 || r == 0x2029 || r == 0x202f || r == 0x205f || r == 0x3000
}

// isInvisible tells whether a reader sees nothing at all.
func isInvisible(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r < 0xa0, r == 0xad, r == 0x34f, r == 0x61c, r == 0x115f, r == 0x1160, r >= 0x17b4 && r <= 0x17b5, r >= 0x180b && r <= 0x180f, r == 0x3164, r == 0xffa0, r == 0xfeff,
		r >= 0xfff9 && r <= 0xfffb, r >= 0x13430 && r <= 0x1343f, r >= 0x1bca0 && r <= 0x1bca3, r >= 0x1d173 && r <= 0x1d17a,
		r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0000 && r < 0xe1000:
		return true
	}
	return false
}

// backwards is a text from its end.
func backwards(text string) string {
	runes := []rune(text)
	slices.Reverse(runes)
	return string(runes)
}

// override is the character that turns the direction (RIGHT-TO-LEFT OVERRIDE).
const override = '\u202e'

// turned is a text as it is seen where a character turns its direction, letter by
// letter, until another ends that or the line does (UAX #9, RLO).
func turned(text string) string {
	const end, other = '\u202c', '\u202d'
	var b strings.Builder
	for {
		i := strings.IndexRune(text, override)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		text = text[i+utf8.RuneLen(override):]
		stop := strings.IndexFunc(text, func(r rune) bool { return r == end || r == other || r == override || r == '\n' || r == 0x2029 })
		if stop < 0 {
			stop = len(text)
		}
		b.WriteString(backwards(text[:stop]))
		text = text[stop:]
	}
}
