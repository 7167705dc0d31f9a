package rtf

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// Characters are the characters of a group that has no words in it that matter, but for
// those that are characters by their number (RTF 1.9, "Unicode RTF").
func Characters(group []byte) string {
	var text []byte
	skip, instead := 0, 1 // characters that stand for one in Unicode to programs that know none
	take := func(c byte) {
		if skip > 0 {
			skip--
			return
		}
		text = append(text, c)
	}
	for len(group) > 0 {
		c := group[0]
		group = group[1:]
		switch {
		case c != '\\':
			if c != '\r' && c != '\n' && c != '{' {
				take(c)
			}
		case len(group) >= 3 && group[0] == '\'':
			if n, err := strconv.ParseUint(string(group[1:3]), 16, 8); err == nil {
				take(byte(n))
			}
			group = group[3:]
		case len(group) > 0 && isLetter(group[0]):
			var word string
			var number int
			word, number, group = wordOf(group)
			switch word {
			case "uc":
				instead = max(number, 0)
			case "u":
				text = utf8.AppendRune(text, rune(number&0xffff))
				skip = instead
			}
		case len(group) > 0:
			take(group[0])
			group = group[1:]
		}
	}
	return string(text)
}

// wordOf is a control word with its number, and what is behind it.
func wordOf(text []byte) (word string, number int, rest []byte) {
	n := 0
	for n < len(text) && isLetter(text[n]) {
		n++
	}
	word, text = string(text[:n]), text[n:]
	n = 0
	for n < len(text) && (text[n] >= '0' && text[n] <= '9' || n == 0 && text[n] == '-') {
		n++
	}
	number, _ = strconv.Atoi(string(text[:n])) // of none, or too large a one: 0, or the largest
	return word, number, bytes.TrimPrefix(text[n:], []byte(" "))
}
