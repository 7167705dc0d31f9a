package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"golang.org/x/text/unicode/norm"
)

// MaxName is how many octets of a file name are kept. Of a longer one the middle
// is left out, for what matters is at its end.
const MaxName = 512

// CleanName is a file name as it is compared with rules and shown to people:
//   - without the folders before it;
//   - without control characters and those that cannot be seen (zero-width
//     space, word joiner, soft hyphen, byte order mark, tags);
//   - without the characters that govern the direction of writing; bidi tells
//     that there were some that make a name look like another (U+202B, U+202D,
//     U+202E, U+2067);
//   - without dots and spaces at its end, which some systems ignore;
//   - with its extension in ASCII, where letters and dots of other forms (full
//     width, mathematical) hide one: systems that know no others write it so;
//   - composed (NFC), and of at most MaxName octets.
func CleanName(name string) (clean string, bidi bool) {
	name, bidi = visible(name)
	name = trimName(name)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = trimName(name[i+1:])
	}
	return shorten(name), bidi
}

// CleanPath is CleanName for a name within an archive: folders stay, divided
// by slashes.
func CleanPath(name string) (clean string, bidi bool) {
	name, bidi = visible(name)
	return shorten(strings.ReplaceAll(strings.TrimRight(name, " ."), `\`, "/")), bidi
}

func trimName(s string) string { return strings.TrimLeft(strings.TrimRight(s, ` ./\`), " ") }

func visible(name string) (string, bool) {
	bidi := false
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', r == 0x85, r == 0x2028, r == 0x2029, r >= 0xa0 && unicode.Is(unicode.Zs, r):
			return ' '
		case r < ' ', r >= 0x7f && r < 0xa0:
			return -1
		case r == 0x202b, r == 0x202d, r == 0x202e, r == 0x2067:
			bidi = true
			return -1
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x61c:
			return -1
		case r >= 0x80 && fieldtext.Invisible(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	return plainExtension(norm.NFC.String(name)), bidi
}

// plainExtension is a name in ASCII, as far as its characters have such a form,
// if that gives it another extension.
func plainExtension(name string) string {
	plain := strings.Map(plainForm, name)
	if plain == name || extension(plain) == extension(name) {
		return name
	}
	return plain
}

// plainForm is the one character of ASCII that stands for another (NFKC), or that
// itself.
func plainForm(r rune) rune {
	if r < 0x2024 { // the first that stands for a dot or for what extensions have
		return r
	}
	var octets [utf8.UTFMax]byte
	form := norm.NFKC.Properties(octets[:utf8.EncodeRune(octets[:], r)]).Decomposition()
	if len(form) != 1 || form[0] <= ' ' {
		return r
	}
	return rune(form[0])
}

// extension is the last dot and what stands behind it; "" without one.
func extension(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return ""
	}
	return name[i:]
}

// shorten leaves out the middle of a long name.
func shorten(s string) string {
	if len(s) <= MaxName {
		return s
	}
	const gap = "…"
	head, tail := MaxName/4, len(s)-(MaxName-MaxName/4-len(gap))
	for !utf8.RuneStart(s[head]) {
		head--
	}
	for !utf8.RuneStart(s[tail]) {
		tail++
	}
	return s[:head] + gap + s[tail:]
}
