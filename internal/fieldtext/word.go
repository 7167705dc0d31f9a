package fieldtext

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/charset"
	"github.com/tollgate-mail/tollgate/internal/lexical"
)

// maxLabel bounds a charset's name with its language (RFC 2231 §5), so that a
// text of many "=?" is read once.
const maxLabel = 300

// word is an encoded-word. Of one that cannot be decoded only length is set:
// what of the text is to be passed over.
type word struct {
	length     int
	label      string
	set        charset.Charset
	unlabelled bool   // the label says nothing of the octets
	unknown    bool   // nobody knows the label: the word stays as it is
	cut        bool   // nothing ends it
	broken     bool   // its text has what does not belong there, or no end: likewise
	octets     []byte // in the room that was given
	base64     string // what they were made of, in B
	open       bool   // it ends within a group of base64 that no padding fills
}

// wordAt reads the encoded-word that s begins with, if it begins with "=?". A
// length of -1 says that there is no end of a word in all of s. White space
// within a word, which RFC 2047 §2 forbids, is tolerated: mail has it. The octets
// are written to room.
func wordAt(s string, m manner, room []byte) (word, bool) {
	const start = len("=?")
	if !strings.HasPrefix(s, "=?") {
		return word{}, false
	}
	q := strings.IndexByte(s[start:min(len(s), start+maxLabel)], '?')
	if q < 0 || len(s) < start+q+len("?Q?") || s[start+q+2] != '?' {
		return word{length: start}, false
	}
	label := s[start : start+q]
	set, known := charset.Find(label)
	unlabelled := charset.SaysNothing(label)
	if !known && !unlabelled && strings.ContainsAny(label, "=<>()@,; ") {
		return word{length: start}, false // no name of anything
	}
	if !known && !unlabelled {
		if m == asLabelled {
			return word{length: start, unknown: true}, false
		}
		unlabelled = true
	}
	// The end is looked for only when the octets up to it will be passed over,
	// or the time would be quadratic.
	encoding := s[start+q+1]
	switch encoding {
	case 'q', 'Q', 'b', 'B':
	default:
		return word{length: start}, false
	}
	text := start + q + len("?Q?")
	end := strings.Index(s[text:], "?=")
	if end < 0 {
		if m != brokenWords {
			return word{length: -1, broken: true}, false
		}
		// A Subject that was cut off; a word has no white space (RFC 2047 §2).
		if end = strings.IndexAny(s[text:], " \t"); end < 0 {
			end = len(s) - text
		}
		w := word{length: text + end, label: label, set: set, unlabelled: unlabelled, cut: true}
		w.octets = loosely(room, encoding, strings.TrimSuffix(s[text:text+end], "?"))
		return w, true
	}
	w := word{length: text + end + len("?="), label: label, set: set, unlabelled: unlabelled}
	content := s[text : text+end]
	if m == brokenWords {
		w.octets = loosely(room, encoding, content)
		return w, true // also of nothing: that is what is shown
	}
	if encoding == 'q' || encoding == 'Q' {
		w.octets = appendQ(room, content)
		return w, true
	}
	var ok bool
	if w.octets, ok = appendB(room, content); !ok {
		w.broken = true
		return w, false
	}
	w.base64 = content
	w.open = !strings.HasSuffix(content, "=") && len(content)%4 != 0
	return w, true
}

// loosely decodes base64 as RFC 2045 §6.8 has it of bodies, and some programs of
// words: all other characters are ignored.
func loosely(room []byte, encoding byte, s string) []byte {
	if encoding == 'q' || encoding == 'Q' {
		return appendQ(room, s)
	}
	octets, _ := appendB(room, strings.Map(func(r rune) rune {
		if r == '=' || r < utf8.RuneSelf && lexical.Base64Digit(byte(r)) >= 0 {
			return r
		}
		return -1
	}, s))
	return octets
}

// appendQ is RFC 2047 §4.2; an equals sign that begins no octet stays.
func appendQ(out []byte, s string) []byte {
	out = slices.Grow(out, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_':
			out = append(out, ' ')
		case c == '=' && i+2 < len(s) && lexical.HexDigit(s[i+1]) >= 0 && lexical.HexDigit(s[i+2]) >= 0:
			out = append(out, byte(lexical.HexDigit(s[i+1])<<4|lexical.HexDigit(s[i+2])))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

// appendB is RFC 2047 §4.1. Padding may lack, and it may stand within, where a
// sender joined texts after encoding them. A word of other characters, or of
// too few for an octet, is not decoded: nothing is appended.
func appendB(out []byte, s string) ([]byte, bool) {
	before := len(out)
	out = slices.Grow(out, len(s)*3/4)
	var bits uint32
	have, digits := 0, 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == ' ' || c == '\t' {
			continue
		}
		if c == '=' {
			have = 0
			continue
		}
		v := lexical.Base64Digit(c)
		if v < 0 {
			return out[:before], false
		}
		bits = bits<<6 | uint32(v)
		digits++
		if have += 6; have >= 8 {
			have -= 8
			out = append(out, byte(bits>>have))
		}
	}
	return out, digits != 1
}
