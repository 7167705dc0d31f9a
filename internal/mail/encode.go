package mail

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// FieldValue makes a header field's value of any text: control characters go,
// what is not ASCII is encoded (RFC 2047), long lines are folded with bare
// LF. It begins with a space.
func FieldValue(name, text string) string {
	return fold(len(name)+len(":"), encodeText(clean(text), ""))
}

// clean is a text as it may stand in one line.
func clean(text string) string {
	return strings.TrimSpace(printable(strings.ToValidUTF8(unfold(text), "\uFFFD")))
}

// encodeText is a clean text as it may stand in a header, followed by tail
// where it had to be encoded.
func encodeText(text, tail string) string {
	if needsEncoding(text) {
		return encodeWords(text + tail)
	}
	return text
}

func needsEncoding(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x7f || s[i] == '=' && i+1 < len(s) && s[i+1] == '?' {
			return true
		}
	}
	for len(s) > mostToken {
		n := token(s)
		if n > mostToken {
			return true
		}
		s = s[n:]
	}
	return false
}

// encodeWords is a text as encoded-words in UTF-8 and B, each at most 75
// octets long (RFC 2047 §2) and of whole characters (§5), with spaces between
// that are not shown.
func encodeWords(s string) string {
	const most = 45 // octets: 60 in base64, 72 with "=?UTF-8?B?" and "?="
	var b strings.Builder
	b.Grow(len(s)*2 + most)
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
