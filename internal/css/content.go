package css

import "strings"

// What pseudo-elements have in them (CSS Content 3).

// content is what is in one, one piece behind another.
type content []piece

// piece is a text, or the value of an attribute.
type piece struct{ text, attr string }

// The bounds of contents.
const (
	maxContents = 256
	maxPiece    = 1 << 10 // octets
)

// content takes what is in one.
func (t *tokens) content(values []value) Value {
	var c content
	for i, v := range values {
		if v.text == "/" { // what is read aloud instead
			break
		}
		switch n := len(v.exact); {
		case v.text == "attr(" && i+1 < len(values):
			c = append(c, piece{attr: values[i+1].text})
		case n > 1 && (v.exact[0] == '"' || v.exact[0] == '\''):
			if n > maxPiece {
				t.full = true
				n = maxPiece
			}
			c = append(c, piece{text: strings.Trim(v.exact[:n], `"'`)})
		}
	}
	if c == nil {
		return Shows // nothing
	}
	if len(*t.words) >= maxContents {
		t.full = true
		return Shows
	}
	*t.words = append(*t.words, c)
	return firstWords + Value(len(*t.words)-1)
}

func (s *Sheet) pieces(v Value) content {
	if v < firstWords {
		return nil
	}
	return s.words[v-firstWords]
}

// Words is what a pseudo-element has in it, by the value of Content and the element that
// it is of.
func (s *Sheet) Words(v Value, e Element) string {
	var b strings.Builder
	for _, p := range s.pieces(v) {
		b.WriteString(p.text)
		if p.attr != "" {
			a, _ := e.Attr(p.attr)
			b.WriteString(a.Exact)
		}
	}
	return b.String()
}
