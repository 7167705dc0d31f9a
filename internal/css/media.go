package css

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tdewolff/parse/v2/css"
)

// The widths of screens that there are, in pixels of CSS: a rule for others holds
// nowhere.
const (
	narrowest = 280
	Widest    = 4000
)

// maxWidths is how many widths of screens a page is looked at on.
const maxWidths = 8

// maxDoubts bounds the number of doubts. What is beyond them is one with the last.
const maxDoubts = 16

// Doubt is whether something holds that cannot be told, one bit each: a query of a
// medium, or a selector.
type Doubt uint32

// span are widths of screens.
type span struct{ from, to float64 }

// condition is what a rule holds under, besides its selector.
type condition struct {
	widths []span // one of them; nil: on any
	doubts Doubt  // all of them
}

// and is a condition within another.
func (c condition) and(other condition) condition {
	all := condition{doubts: c.doubts | other.doubts, widths: c.widths}
	if c.widths == nil {
		all.widths = other.widths
	} else if other.widths != nil {
		all.widths = []span{} // not nil: there may be none
		for _, a := range c.widths {
			for _, b := range other.widths {
				if s := (span{max(a.from, b.from), min(a.to, b.to)}); s.from <= s.to && len(all.widths) < maxWidths {
					all.widths = append(all.widths, s)
				}
			}
		}
	}
	return all
}

func (c condition) equal(other condition) bool {
	return c.doubts == other.doubts && (c.widths == nil) == (other.widths == nil) && slices.Equal(c.widths, other.widths)
}

// View is how a program shows a page.
type View struct {
	Width float64 // of the screen, in pixels; 0: it reads no queries of media
	Not   Doubt   // what does not hold
}

func (c condition) holds(v View) bool {
	if c.doubts&v.Not != 0 {
		return false
	}
	return c.widths == nil || v.Width > 0 && slices.ContainsFunc(c.widths, func(s span) bool { return s.from <= v.Width && v.Width <= s.to })
}

// doubt is the one of a text; what is asked of the same text is the same.
func (s *Sheet) doubt(text string) Doubt {
	for i, other := range s.doubts {
		if other == text {
			return 1 << i
		}
	}
	if len(s.doubts) == maxDoubts {
		s.cut = true
		return 1 << (maxDoubts - 1)
	}
	s.doubts = append(s.doubts, text)
	return 1 << (len(s.doubts) - 1)
}

// Selectors are the doubts that are about selectors, not about media.
func (s *Sheet) Selectors() Doubt { return s.ofSelectors }

// Widths are those of screens that a page may look different on, the widest first: one
// for each that no query tells from it.
func (s *Sheet) Widths() []float64 {
	edges := []float64{Widest}
	for _, e := range s.edges {
		if e >= narrowest && e < Widest && !slices.Contains(edges, e) {
			edges = append(edges, e)
		}
	}
	slices.Sort(edges)
	slices.Reverse(edges)
	if len(edges) > maxWidths {
		s.cut = true
		edges = edges[:maxWidths]
	}
	return edges
}

// edge notes the last widths of what a span tells apart.
func (s *Sheet) edge(one span) {
	const each = 1.0 / 64
	for _, e := range []float64{one.from - each, one.to} {
		if len(s.edges) < maxRules {
			s.edges = append(s.edges, e)
		}
	}
}

// prelude is what stands between the name of an at-rule and its block.
type prelude struct {
	kinds []css.TokenType
	texts []string
	text  string
	cut   bool // there is more of it
}

// prelude reads it; false where there is no block. Within one, its end is that of what
// it stands in, too.
func (t *tokens) prelude(within bool) (prelude, bool) {
	const most = 64
	var p prelude
	for t.next() && t.kind != css.LeftBraceToken {
		switch {
		case t.kind == css.SemicolonToken, t.kind == css.RightBraceToken && within:
			return p, false
		case t.kind == css.WhitespaceToken:
		case len(p.kinds) == most:
			p.cut = true
		default:
			p.kinds, p.texts = append(p.kinds, t.kind), append(p.texts, t.text)
			p.text += " " + t.text
		}
	}
	return p, t.kind == css.LeftBraceToken
}

// media is what a list of queries says (Media Queries 4 §3); false where no screen is
// meant.
func (s *Sheet) media(p prelude) (condition, bool) {
	var spans []span
	doubtful := p.cut
	for from := 0; from <= len(p.kinds); {
		to := from
		for to < len(p.kinds) && p.kinds[to] != css.CommaToken {
			to++
		}
		one, says := query(p.kinds[from:to], p.texts[from:to])
		switch says {
		case holds:
			if one.from <= narrowest && one.to >= Widest {
				return condition{}, true
			}
			if one.from <= Widest && one.to >= narrowest && one.from <= one.to {
				spans = append(spans, one)
			}
		case mayHold:
			doubtful = true
		}
		from = to + 1
	}
	if p.cut {
		p.text += strconv.Itoa(s.read)
	}
	if doubtful {
		return condition{doubts: s.doubt("@media" + p.text)}, true
	}
	return condition{widths: spans}, len(spans) > 0
}

// answer is whether a query holds on a screen.
type answer int

const (
	never answer = iota
	mayHold
	holds
)

// query reads one: a medium, and widths.
func query(kinds []css.TokenType, texts []string) (one span, says answer) {
	one = span{0, Widest}
	if len(texts) > 0 && texts[0] == "only" {
		kinds, texts = kinds[1:], texts[1:]
	}
	and := false
	if len(texts) > 0 && kinds[0] == css.IdentToken {
		switch texts[0] {
		case "all", "screen":
		case "print", "speech", "aural", "braille", "embossed", "tty", "tv", "projection", "handheld":
			if len(texts) == 1 || texts[1] == "and" {
				return one, never
			}
			return one, mayHold
		default:
			return one, mayHold
		}
		kinds, texts, and = kinds[1:], texts[1:], true
	}
	for len(texts) > 0 {
		if and {
			if texts[0] != "and" {
				return one, mayHold
			}
			kinds, texts = kinds[1:], texts[1:]
		}
		if len(texts) < 5 || kinds[0] != css.LeftParenthesisToken || kinds[2] != css.ColonToken || kinds[4] != css.RightParenthesisToken || !one.narrow(texts[1], texts[3]) {
			return one, mayHold
		}
		kinds, texts, and = kinds[5:], texts[5:], true
	}
	return one, holds
}

// narrow takes a feature of a query; false where it is another one.
func (s *span) narrow(name, text string) bool {
	v := number(text, text)
	px, ok := map[string]float64{"px": 1, "em": 16, "rem": 16, "pt": 96.0 / 72, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4}[v.unit]
	if !ok && (v.unit != "" || v.n != 0) {
		return false
	}
	width := v.n * px
	switch strings.Replace(name, "device-", "", 1) {
	case "min-width":
		s.from = max(s.from, width)
	case "max-width":
		s.to = min(s.to, width)
	case "width":
		s.from, s.to = max(s.from, width), min(s.to, width)
	default:
		return false
	}
	return true
}
