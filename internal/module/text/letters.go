package text

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// hasOtherForms tells whether a composed text may have letters in another form than the
// plain one: with accents that no letter has, in a circle, full width, as mathematics has
// them, small above or below the line, as numbers of the Romans, joined.
func hasOtherForms(text string) bool {
	for i := 0; i+2 < len(text); i++ {
		second := text[i+1]
		switch text[i] {
		case 0xcc: // U+0300
			return true
		case 0xcd: // to U+036F
			if second < 0xb0 {
				return true
			}
		case 0xca: // U+02B0 to U+02B8
			if second >= 0xb0 && second <= 0xb8 {
				return true
			}
		case 0xcb: // U+02E0 to U+02E4
			if second >= 0xa0 && second <= 0xa4 {
				return true
			}
		case 0xe1: // U+1D2C to U+1DBF
			if second == 0xb5 || second == 0xb6 || second == 0xb4 && text[i+2] >= 0xac {
				return true
			}
		case 0xe2: // U+2071, U+207F, U+2090 to U+209C, U+2100 to U+214F but for signs, U+2160 to U+217F, U+2460 to U+24FF
			third := text[i+2]
			switch {
			case second == 0x81 && (third == 0xb1 || third == 0xbf), second == 0x82 && third >= 0x90 && third <= 0x9c,
				second == 0x84 && third != 0x96 && third != 0xa2 && third != 0x83, second == 0x85 && (third < 0x90 || third >= 0xa0),
				second >= 0x91 && second <= 0x93 && (second != 0x91 || third >= 0xa0):
				return true
			}
		case 0xef: // U+FB00, U+FF00
			if second == 0xac || second == 0xbc || second == 0xbd {
				return true
			}
		case 0xf0: // U+1D400, U+1F100
			if third := text[i+2]; second == 0x9d && third >= 0x90 || second == 0x9f && (third == 0x84 || third == 0x85) {
				return true
			}
		}
	}
	// The accent of the last letter.
	return len(text) >= 2 && (text[len(text)-2] == 0xcc || text[len(text)-2] == 0xcd && text[len(text)-1] < 0xb0)
}

// plainForms is a text in the plain forms of its letters, without accents that stand by
// themselves.
func plainForms(text string) string {
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf && r >= 0x300 && r < 0x370 {
			return -1
		}
		return r
	}, text))
}
