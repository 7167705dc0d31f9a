package mail

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

const (
	// wantLine is how long a line of a header should be at most (RFC 5322
	// §2.1.1), without its line end.
	wantLine = 78
	// mostLine is how long it may be: MTAs cut what is longer.
	mostLine = 998
	// mostToken is what may stand in one piece; longer ones are encoded, for
	// an encoded text can be folded anywhere.
	mostToken = 900
)

// FieldValue makes a header field's value of any text: control characters go,
// what is not ASCII is encoded (RFC 2047), long lines are folded with bare
// LF. It begins with a space.
func FieldValue(name, text string) string {
	return fold(len(name)+len(":"), encodeText(text, ""))
}

// encodeText is a text as it may stand in a header, followed by tail where it
// had to be encoded.
func encodeText(text, tail string) string {
	text = strings.TrimSpace(printable(strings.ToValidUTF8(unfold(text), "\uFFFD")))
	if needsEncoding(text) {
		return encodeWords(text + tail)
	}
	return text
}

func needsEncoding(s string) bool {
	token := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x7f || c == '=' && i+1 < len(s) && s[i+1] == '?' {
			return true
		}
		if token++; c == ' ' || c == '\t' {
			token = 0
		}
		if token > mostToken {
			return true
		}
	}
	return false
}

// encodeWords is a text as encoded-words in UTF-8 and B, each at most 75
// octets long (RFC 2047 §2) and of whole characters (§5), with spaces between
// that are not shown.
func encodeWords(s string) string {
	const most = 45 // octets: 60 in base64, 72 with "=?UTF-8?B?" and "?="
	var b strings.Builder
	for s != "" {
		n := min(len(s), most)
		for n < len(s) && !utf8.RuneStart(s[n]) {
			n--
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("=?UTF-8?B?")
		b.WriteString(base64.StdEncoding.EncodeToString([]byte(s[:n])))
		b.WriteString("?=")
		s = s[n:]
	}
	return b.String()
}

// fold puts a space before s and line ends before its white space, so that
// lines stay within wantLine where there is white space. Used is what stands
// in the first line already.
func fold(used int, s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/wantLine + 2)
	line := used
	for i := 0; i <= len(s); {
		// a token and the white space before it
		j := i
		for j < len(s) && (s[j] == ' ' || s[j] == '\t') {
			j++
		}
		for j < len(s) && s[j] != ' ' && s[j] != '\t' {
			j++
		}
		tok := s[i:j]
		if i == 0 {
			tok = " " + tok
		}
		// A line of white space alone would end the header for some.
		if line+len(tok) > wantLine && i > 0 && strings.TrimLeft(tok, " \t") != "" {
			b.WriteByte('\n')
			line = 0
		}
		b.WriteString(tok)
		line += len(tok)
		if j >= len(s) {
			break
		}
		i = j
	}
	return b.String()
}
