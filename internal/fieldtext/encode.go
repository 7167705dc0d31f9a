package fieldtext

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// Encode makes a header field's value of any text: control characters go,
// what is not ASCII is encoded (RFC 2047), long lines are folded with bare
// LF. It begins with a space.
func Encode(name, text string) string {
	used := len(name) + len(":")
	return fold(used, encodeText(used, clean(text), ""))
}

// clean is a text as it may stand in one line.
func clean(text string) string {
	return strings.TrimSpace(Printable(strings.ToValidUTF8(Unfold(text), "\uFFFD")))
}

// encodeText is a clean text as it may stand in a header, followed by tail
// where it had to be encoded. Used is what stands in its first line already.
func encodeText(used int, text, tail string) string {
	if needsEncoding(text) {
		return encodeWords(used, text+tail)
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
// that are not shown. Lines with them have at most 76 octets (§2): the first has the
// name of the field, too.
func encodeWords(used int, s string) string {
	const (
		most  = 45 // octets: 60 in base64, 72 with "=?UTF-8?B?" and "?="
		least = 9  // behind the longest names
	)
	room := min(most, max(least, (76-used-len(" =?UTF-8?B??="))/4*3))
	var b strings.Builder
	b.Grow(len(s)*2 + most)
	for s != "" {
		n := min(len(s), room)
		room = most
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

const (
	// wantLine is how long a line of a header should be at most (RFC 5322
	// §2.1.1), without its line end.
	wantLine = 78
	// MostLine is how long it may be, in octets (RFC 5322 §2.1.1): MTAs cut what is
	// longer.
	MostLine = 998
	// mostToken is what may stand in one piece, the white space before it
	// included; longer ones are encoded, for an encoded text can be folded
	// anywhere.
	mostToken = 900
)

// token is the length of the first piece of s that no fold divides: a word and
// the white space before it.
func token(s string) int {
	i := 0
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	for i < len(s) && s[i] != ' ' && s[i] != '\t' {
		i++
	}
	return i
}

// blank tells whether a text is nothing but white space.
func blank(s string) bool { return strings.Trim(s, " \t") == "" }

// fold puts a space before s and line ends before its white space, so that
// lines stay within wantLine where there is white space. Used is what stands
// in the first line already.
func fold(used int, s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/wantLine + 2)
	b.WriteByte(' ')
	n := token(s)
	b.WriteString(s[:n])
	appendFolded(&b, used+1+n, s[n:], wantLine)
	return b.String()
}

// refold folds those lines of a value that are longer than any may be, each at
// the last white space within, and leaves the others as they are. A line that
// would begin a field of its own gets a space before it.
func refold(used int, value string) string {
	var b strings.Builder
	b.Grow(len(value) + len(value)/MostLine + 2)
	for first := true; first || value != ""; first = false {
		line, rest, _ := strings.Cut(value, "\n")
		value = rest
		if !first {
			if line == "" {
				continue
			}
			b.WriteByte('\n')
			if used = 0; line[0] != ' ' && line[0] != '\t' {
				b.WriteByte(' ')
				used = 1
			}
		}
		if used+len(line) <= MostLine {
			b.WriteString(line)
			continue
		}
		n := token(line)
		b.WriteString(line[:n])
		appendFolded(&b, used+n, line[n:], MostLine)
	}
	return b.String()
}

// appendFolded appends what follows used octets of a line.
func appendFolded(b *strings.Builder, used int, s string, most int) {
	for s != "" {
		n := token(s)
		// A line of white space alone would end the header for some.
		if used+n > most && !blank(s[:n]) {
			b.WriteByte('\n')
			used = 0
		}
		b.WriteString(s[:n])
		used += n
		s = s[n:]
	}
}
