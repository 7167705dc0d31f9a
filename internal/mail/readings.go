package mail

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/charset"
	"golang.org/x/text/unicode/norm"
)

// Readings are what readers may see in a raw value: first what Decode returns,
// then what others do where labels contradict the octets, where base64 is
// divided between words, has other characters in it or no end, or is encoded
// twice, and each of these as Visible has
// it. Of plain text there is one. They are charged as Decode is.
func Readings(b *budget.Budget, raw, fallbackCharset string) []string {
	_ = b.Charge(1 + len(raw))
	s := unfold(raw)
	set, _ := charset.Find(fallbackCharset)
	hz, isHZ := charset.HZ(s)
	if plain(s) && !set.Stateful() && !isHZ {
		return []string{s}
	}
	list := make([]string, 0, 3) // what is decoded, and that as it can be seen
	add := func(s string) {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	for _, text := range decodings(b, s, fallbackCharset) {
		add(printable(text))
	}
	if set.Stateful() && isASCII(s) {
		add(printable(set.Decode(b, s)))
	}
	if isHZ {
		add(printable(hz.Decode(b, s)))
	}
	if strings.Contains(list[0], "=?") {
		add(Decode(b, list[0], fallbackCharset))
	}
	for i := range len(list) { // those there are now
		_ = b.Charge(len(list[i]))
		add(Visible(list[i]))
	}
	return list
}

// decodings are what programs make of the encoded-words of a text of one line,
// control characters included: first what RFC 2047 says.
func decodings(b *budget.Budget, s, fallbackCharset string) []string {
	d := decoder{budget: b, fallback: fallbackCharset, rest: s}
	d.out.Grow(len(s))
	list := []string{d.run()}
	for _, other := range []struct {
		manner  manner
		differs bool
	}{{anyLabel, d.unknown}, {asUTF8, d.mislabelled}, {joinedWords, d.divided}, {brokenWords, d.broken}, {otherOrder, d.turned}} {
		if !other.differs {
			continue
		}
		again := decoder{budget: b, manner: other.manner, fallback: fallbackCharset, rest: s}
		if text := again.run(); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}

// Others are the Readings of a value but the first, without white space around
// them. It costs little for what has none.
func Others(b *budget.Budget, raw, fallbackCharset string) []string {
	if foldsOnly(raw) {
		_ = b.Charge(1 + len(raw))
		set, _ := charset.Find(fallbackCharset)
		if _, isHZ := charset.HZ(raw); !set.Stateful() && !isHZ {
			return nil
		}
	}
	all := Readings(b, raw, fallbackCharset)[1:]
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

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
		if r >= utf8.RuneSelf && (r == utf8.RuneError || invisible(r)) {
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
	b.Grow(len(s) + 8)
	for _, r := range s {
		switch r {
		case 0x2116:
			b.WriteString("No")
		case 0x2122:
			b.WriteString("TM")
		case 0x2026:
			b.WriteString("...")
		case 0x20ac, 0x20bd, 0xa7, 0xa9, 0xae, 0xb0, 0x2022: // currencies, paragraph, rights, degree, bullet
			b.WriteRune(r)
		default:
			if !common(r) {
				return "", false
			}
			b.WriteRune(r)
		}
	}
	return b.String(), true
}

// invisible tells the characters that Unicode says nothing is shown for
// (Default_Ignorable_Code_Point).
func invisible(r rune) bool {
	switch {
	case r == 0x3164, r == 0xffa0, r == 0x115f, r == 0x1160, r == 0x17b4, r == 0x17b5, // fillers
		r == 0x34f,                                             // joins graphemes
		r >= 0x180b && r <= 0x180f, r >= 0xfe00 && r <= 0xfe0f, // variants
		r >= 0x2065 && r <= 0x206f, r >= 0xe0000 && r < 0xe1000:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}
