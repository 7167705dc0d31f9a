package main

import (
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// harmless spells by number what a terminal would act on or that turns the
// direction of writing: the same JSON (RFC 8259 §7), whoever wrote it.
func harmless(text []byte) []byte { return appendHarmless(make([]byte, 0, len(text)+1), text) }

// appendHarmless appends it to out.
func appendHarmless[T string | []byte](out []byte, text T) []byte {
	for i := 0; i < len(text); {
		if n := printable(text[i:]); n > 0 {
			out = append(out, text[i:i+n]...)
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(string(text[i:min(len(text), i+utf8.UTFMax)]))
		switch {
		case r == utf8.RuneError && n == 1:
			out = append(out, `\ufffd`...)
		case r == '\n' || r == '\t' || r == ' ' || unicode.IsPrint(r):
			out = append(out, text[i:i+n]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += n
	}
	return out
}

// printable is how many octets at the beginning are printable ASCII: nearly all that
// there is.
func printable[T string | []byte](text T) int {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c > '~' {
			return i
		}
	}
	return len(text)
}
