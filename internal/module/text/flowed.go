package text

import "strings"

// unflowed is a text whose lines that end with a space go on in the next, without that
// space (RFC 3676 §4.2 and §4.6); any tells whether there are some. What marks a quotation
// is left out within a paragraph, and a space that begins a line (§4.4).
func unflowed(text string) (joined string, any bool) {
	const signature = "-- " // §4.3
	var b strings.Builder
	b.Grow(len(text))
	open, depth := false, 0 // the line before goes on, in a quotation so deep
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		line = strings.TrimSuffix(line, "\r")
		words := strings.TrimLeft(line, ">")
		quoted := len(line) - len(words)
		words = strings.TrimPrefix(words, " ")
		switch {
		case open && quoted == depth && words != signature:
			any = true
		case b.Len() > 0:
			b.WriteByte('\n')
			fallthrough
		default:
			b.WriteString(line[:quoted])
			if quoted > 0 {
				b.WriteByte(' ')
			}
		}
		more, flows := strings.CutSuffix(words, " ")
		if open, depth = flows && words != signature, quoted; open {
			words = more
		}
		b.WriteString(words)
	}
	return b.String(), any
}
