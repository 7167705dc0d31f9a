// Package letterform knows letters that are written in another form than the plain one, and
// those of other scripts that look like them.
package letterform

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Others tells whether a composed text may have letters in another form than the
// plain one: with accents that no letter has, in a circle, full width, as mathematics has
// them, small above or below the line, as numbers of the Romans, joined.
func Others(text string) bool {
	for i := 0; i+2 < len(text); i++ {
		second := text[i+1]
		switch text[i] {
		case 0xcc: // U+0300
			return true
		case 0xcd: // to U+036F
			if second < 0xb0 {
				return true
			}
		case 0xca: // U+0280, U+028F, U+0299, U+029C, U+029F, U+02B0 to U+02B8
			if second >= 0xb0 && second <= 0xb8 || second == 0x80 || second == 0x8f || second == 0x99 || second == 0x9c || second == 0x9f {
				return true
			}
		case 0xcb: // U+02E0 to U+02E4
			if second >= 0xa0 && second <= 0xa4 {
				return true
			}
		case 0xc9: // U+0262, U+026A, U+0274: small capitals, as those of U+1D00 to U+1D2B
			if second == 0xa2 || second == 0xaa || second == 0xb4 {
				return true
			}
		case 0xe1: // U+1AB0 to U+1AFF, U+1D00 to U+1DFF
			if second == 0xaa && text[i+2] >= 0xb0 || second == 0xab || second == 0xb4 || second == 0xb7 {
				return true
			}
			if second == 0xb5 || second == 0xb6 || second == 0xb4 && text[i+2] >= 0xac {
				return true
			}
		case 0xe2: // U+2071, U+207F, U+2090 to U+209C, U+2100 to U+214F but for signs, U+2160 to U+217F, U+2460 to U+24FF
			third := text[i+2]
			switch {
			case second == 0x83 && third >= 0x90, // U+20D0 to U+20FF
				second == 0x81 && (third == 0xb1 || third == 0xbf), second == 0x82 && third >= 0x90 && third <= 0x9c,
				second == 0x84 && third != 0x96 && third != 0xa2 && third != 0x83, second == 0x85 && (third < 0x90 || third >= 0xa0),
				second >= 0x91 && second <= 0x93 && (second != 0x91 || third >= 0xa0):
				return true
			}
		case 0xea: // U+A730, U+A731
			if second == 0x9c && (text[i+2] == 0xb0 || text[i+2] == 0xb1) {
				return true
			}
		case 0xef: // U+FB00, U+FE20, U+FF00
			if second == 0xb8 && text[i+2] >= 0xa0 && text[i+2] <= 0xaf || second == 0xac || second == 0xbc || second == 0xbd {
				return true
			}
		case 0xf0: // U+1D400, U+1F100 to U+1F1FF
			if third := text[i+2]; second == 0x9d && third >= 0x90 || second == 0x9f && (third == 0x84 || third == 0x85 || third == 0x86 || third == 0x87 && ofFlags(text[i:])) {
				return true
			}
		}
	}
	// The accent of the last letter.
	return len(text) >= 2 && (text[len(text)-2] == 0xcc || text[len(text)-2] == 0xcd && text[len(text)-1] < 0xb0)
}

// ofFlags tells whether a text begins with more letters of flags than a flag has.
func ofFlags(text string) bool {
	const begins = "\xf0\x9f\x87"
	return len(text) > 11 && text[4:7] == begins && text[8:11] == begins
}

// Plain is a text in the plain forms of its letters, without accents that stand by
// themselves.
func Plain(text string) string {
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		switch {
		case r < 0x262:
		case isAccent(r):
			return -1
		case r >= 0x1f150 && r <= 0x1f169: // in black circles
			return 'A' + r - 0x1f150
		case r >= 0x1f170 && r <= 0x1f189: // in black squares
			return 'A' + r - 0x1f170
		case r >= 0x1f1e6: // of flags
			if r <= 0x1f1ff {
				return 'A' + r - 0x1f1e6
			}
		default:
			return smallCapital(r)
		}
		return r
	}, text))
}

// isAccent tells of what stands over or around the letter before it.
func isAccent(r rune) bool {
	return r >= 0x300 && r < 0x370 || r >= 0x1ab0 && r < 0x1b00 || r >= 0x1dc0 && r < 0x1e00 || r >= 0x20d0 && r < 0x2100 || r >= 0xfe20 && r < 0xfe30
}

// smallCapital is the letter that one is a small capital of; of others, themselves.
func smallCapital(r rune) rune {
	switch r {
	case 'ᴀ':
		return 'a'
	case 'ʙ':
		return 'b'
	case 'ᴄ':
		return 'c'
	case 'ᴅ':
		return 'd'
	case 'ᴇ':
		return 'e'
	case 'ꜰ':
		return 'f'
	case 'ɢ':
		return 'g'
	case 'ʜ':
		return 'h'
	case 'ɪ':
		return 'i'
	case 'ᴊ':
		return 'j'
	case 'ᴋ':
		return 'k'
	case 'ʟ':
		return 'l'
	case 'ᴍ':
		return 'm'
	case 'ɴ':
		return 'n'
	case 'ᴏ':
		return 'o'
	case 'ᴘ':
		return 'p'
	case 'ʀ':
		return 'r'
	case 'ꜱ':
		return 's'
	case 'ᴛ':
		return 't'
	case 'ᴜ':
		return 'u'
	case 'ᴠ':
		return 'v'
	case 'ᴡ':
		return 'w'
	case 'ʏ':
		return 'y'
	case 'ᴢ':
		return 'z'
	}
	return r
}

// Letters of Latin, and those of Cyrillic and of Greek that look like them, one beside the
// other.
const (
	latinLetters = "aceopxyijshdqwABCEHIJKMOPSTXYABEZHIKMNOPTYXovpuia"
	likeLetters  = "асеорхуіјѕһԁԛԝАВСЕНІЈКМОРЅТХҮΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρυια"
)

// Lookalikes are a text with each word that has letters of Latin and of another script as
// one of Latin, and as one of the other: where all of the letters have one that looks so.
// Where no word is mixed, they are the text itself.
func Lookalikes(text string) (latin, other string) {
	var a, b strings.Builder
	done := 0
	word, latins, others := -1, false, false
	end := func(at int) {
		if word >= 0 && latins && others {
			in, as := text[word:at], ""
			a.WriteString(text[done:word])
			b.WriteString(text[done:word])
			as = inLetters(in, likeLetters, latinLetters)
			a.WriteString(as)
			b.WriteString(inLetters(in, latinLetters, likeLetters))
			done = at
		}
		word, latins, others = -1, false, false
	}
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if !isLetter(c) {
				end(i)
			} else {
				if latins = true; word < 0 {
					word = i
				}
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r >= 0x370 && r < 0x530:
			if others = true; word < 0 {
				word = i
			}
		case r < 0x250: // more of Latin
		default:
			end(i)
		}
		i += size
	}
	end(len(text))
	if done == 0 {
		return text, text
	}
	a.WriteString(text[done:])
	b.WriteString(text[done:])
	return a.String(), b.String()
}

// inLetters is a word with some letters for those that look like them; itself where it has
// others that are not of the script of these.
func inLetters(word, from, to string) string {
	letters := []rune(to)
	var b strings.Builder
	ofASCII := from[0] < utf8.RuneSelf
	for _, r := range word {
		if (r < utf8.RuneSelf) != ofASCII {
			b.WriteRune(r)
			continue
		}
		i := strings.IndexRune(from, r)
		if i < 0 {
			return word
		}
		b.WriteRune(letters[utf8.RuneCountInString(from[:i])])
	}
	return b.String()
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
