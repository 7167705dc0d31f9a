// Package jsontext writes JSON strings as every file of ours has them.
package jsontext

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// AppendString writes a JSON string (RFC 8259 §7). Whatever an outsider sent,
// the line stays one: control characters are escaped, octets that are not
// UTF-8 become U+FFFD, and U+2028 and U+2029 are escaped because some readers
// take them for line ends.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	i := PlainLength(s)
	if i == len(s) {
		return append(append(b, s...), '"')
	}
	from := 0
	for i < len(s) {
		c := s[i]
		if Plain(c) {
			i += PlainLength(s[i:])
			continue
		}
		if c < utf8.RuneSelf {
			b = append(b, s[from:i]...)
			b = appendEscaped(b, c)
			i++
			from = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b = append(b, s[from:i]...)
			b = append(b, `\ufffd`...)
			from = i + n
		case r == '\u2028' || r == '\u2029':
			b = append(b, s[from:i]...)
			b = append(b, `\u202`...)
			b = append(b, hexDigits[r&0xf])
			from = i + n
		}
		i += n
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

func appendEscaped(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}

// PlainLength is how many octets at the beginning of a text stand for themselves in a
// JSON string (see Plain).
func PlainLength(s string) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	// Eight at a time. A subtraction borrows into the octet above only where there is an
	// octet to find below, so that "none of the eight" is never said in error.
	for ; i <= len(s)-8; i += 8 {
		e := s[i : i+8]
		w := uint64(e[0]) | uint64(e[1])<<8 | uint64(e[2])<<16 | uint64(e[3])<<24 |
			uint64(e[4])<<32 | uint64(e[5])<<40 | uint64(e[6])<<48 | uint64(e[7])<<56
		if (w|(w-ones*' ')|((w^ones*'"')-ones)|((w^ones*'\\')-ones))&tops != 0 {
			break
		}
	}
	for i < len(s) && Plain(s[i]) {
		i++
	}
	return i
}

// Plain tells whether an octet stands for itself in a JSON string: ASCII, but for
// control characters, quotes and backslashes.
func Plain(c byte) bool { return c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' }
