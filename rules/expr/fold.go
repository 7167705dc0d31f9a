package expr

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// foldTable has the folded form of every rune of one or two bytes, by far the
// most of what mail is written in.
var foldTable = makeFoldTable()

func makeFoldTable() (t [0x800]uint16) {
	for r := range t {
		t[r] = uint16(foldOrbit(rune(r)))
	}
	return t
}

// fold maps all runes that a case-blind regular expression takes for the same
// to one of them: k, K and the Kelvin sign to k.
func fold(r rune) rune {
	if 0 <= r && int(r) < len(foldTable) {
		return rune(foldTable[r])
	}
	return foldOrbit(r)
}

// foldOrbit returns the least rune of r's orbit under [unicode.SimpleFold],
// which is what package regexp goes by; of ASCII letters the lower-case one.
func foldOrbit(r rune) rune {
	least := r
	for q := unicode.SimpleFold(r); q != r; q = unicode.SimpleFold(q) {
		least = min(least, q)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

// AppendFold appends s with every rune folded. What is not UTF-8 becomes
// U+FFFD byte by byte, as package regexp reads it.
func AppendFold(dst []byte, s string) []byte {
	dst = slices.Grow(dst, len(s))
	for s != "" {
		i := 0
		for i < len(s) && s[i] < utf8.RuneSelf {
			i++
		}
		n := len(dst)
		dst = append(dst, s[:i]...)
		for k, c := range dst[n:] {
			if 'A' <= c && c <= 'Z' {
				dst[n+k] = c + 'a' - 'A'
			}
		}
		s = s[i:]
		for s != "" && s[0] >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s)
			dst = utf8.AppendRune(dst, fold(r))
			s = s[size:]
		}
	}
	return dst
}

// foldPadded folds s into buf. After it stand gramSize bytes that do not
// belong to the text, so that a gram can be read at each of its bytes.
func foldPadded(buf []byte, s string) []byte {
	return append(AppendFold(buf[:0], s), make([]byte, gramSize)...)
}
