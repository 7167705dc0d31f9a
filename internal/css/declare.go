package css

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tdewolff/parse/v2/css"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// Attribute reads a style attribute.
func Attribute(b *budget.Budget, text string) (Style, error) {
	t := newTokens(b, text)
	s := t.declarations()
	return s, t.err
}

// maxValue is how many tokens of a value are looked at.
const maxValue = 32

// value is a token of a value; n is the number it begins with, in unit.
type value struct {
	text string
	n    float64
	unit string // "none": it begins with no number
}

// declarations reads until the end of a block, or of the text.
func (t *tokens) declarations() Style {
	var s Style
	for t.next() && t.kind != css.RightBraceToken {
		switch t.kind {
		case css.LeftBraceToken:
			t.skip()
		case css.IdentToken:
			name := t.text
			values, important, ended := t.values()
			if important {
				s.Important.declare(name, values)
			} else {
				s.Normal.declare(name, values)
			}
			if ended {
				return s
			}
		case css.WhitespaceToken, css.SemicolonToken, css.AtKeywordToken:
		default: // "*display:none" is no declaration (CSS Syntax 3 §5.5.5), up to its end
			if _, _, ended := t.values(); ended {
				return s
			}
		}
	}
	return s
}

// values reads what is behind a name, none where something else than a colon is;
// ended where a block does, too.
func (t *tokens) values() (values []value, important, ended bool) {
	values = t.buffer[:0]
	depth, colon, bad := 0, false, false
	switch t.kind {
	case css.FunctionToken, css.LeftParenthesisToken, css.LeftBracketToken:
		depth = 1
	}
	for t.next() {
		switch t.kind {
		case css.RightBraceToken:
			if depth == 0 {
				return values, important, true
			}
			depth--
		case css.LeftBraceToken, css.LeftParenthesisToken, css.LeftBracketToken:
			depth++
		case css.RightParenthesisToken, css.RightBracketToken:
			depth = max(depth-1, 0)
		case css.SemicolonToken:
			if depth == 0 {
				return values, important, false
			}
		case css.ColonToken:
			if !colon && len(values) == 0 {
				colon = true
				continue
			}
		case css.FunctionToken:
			depth++
		case css.WhitespaceToken:
			continue
		}
		if bad = bad || !colon; bad {
			continue
		}
		important = important || t.is("important") && len(values) > 0 && values[len(values)-1].text == "!"
		if len(values) < maxValue {
			values = append(values, number(t.text))
		}
	}
	return values, important, true
}

// number reads what a token begins with.
func number(text string) value {
	end := 0
	for end < len(text) && ('0' <= text[end] && text[end] <= '9' || text[end] == '.' || end == 0 && (text[0] == '-' || text[0] == '+')) {
		end++
	}
	if end == 0 {
		return value{text: text, unit: "none"}
	}
	n, err := strconv.ParseFloat(text[:end], 64)
	if err != nil {
		return value{text: text, unit: "none"}
	}
	return value{text, n, text[end:]}
}

// none tells whether it is a length of next to nothing, in letters or boxes.
func (v value) none() bool {
	switch v.unit {
	case "none":
		return false
	case "px", "pt":
		return v.n <= 1
	case "%":
		return v.n <= 5
	}
	return v.n <= 0.05
}

// beyond tells whether it is a length that leads out of what is seen, by so much.
func (v value) beyond(least float64) bool { return v.unit != "none" && v.n <= -least }

func tri(hides bool) Value {
	if hides {
		return Hides
	}
	return Shows
}

// declare takes a declaration. Later ones count, but not those that are none: a value
// that a property does not have changes nothing (CSS Syntax 3 §9).
func (d *Declarations) declare(name string, values []value) {
	if n := len(values); n > 1 && values[n-1].text == "important" && values[n-2].text == "!" {
		values = values[:n-2]
	}
	if len(values) == 0 || len(values) > 1 && single(name, values[0]) {
		return
	}
	first := values[0]
	sized := func(p Property) {
		if first.length() || first.text == "auto" || first.text == "none" {
			d[p] = tri(first.none())
		}
	}
	switch name {
	case "display":
		if v, known := display(first.text); known {
			d[Display] = v
		}
	case "opacity":
		if first.unit == "" || first.unit == "%" {
			d[Opacity] = tri(first.none())
		}
	case "height":
		sized(Height)
	case "max-height":
		sized(MaxHeight)
	case "width":
		sized(Width)
	case "max-width":
		sized(MaxWidth)
	case "overflow", "overflow-x", "overflow-y":
		switch first.text {
		case "hidden", "clip":
			d[Overflow] = Hides
		case "visible", "scroll", "auto", "overlay", "inherit", "initial", "unset", "revert":
			d[Overflow] = Shows
		}
	case "font-size":
		d.fontSize(first)
	case "font":
		for _, v := range values {
			if v.unit != "none" && (v.unit != "" || v.n == 0) { // others are weights
				d.fontSize(v)
				break
			}
		}
	case "visibility":
		switch first.text {
		case "hidden", "collapse":
			d[Visibility] = Hides
		case "visible", "initial":
			d[Visibility] = Shows
		case "inherit", "unset", "revert": // as around it
			d[Visibility] = 0
		}
	case "mso-hide":
		d[MsoHide] = tri(first.text == "all")
	case "left", "right", "top", "bottom", "text-indent":
		if d[Away] != Hides {
			d[Away] = tri(first.beyond(100))
		}
	case "margin", "margin-left", "margin-top": // columns are laid over each other by less
		if d[Away] != Hides {
			d[Away] = tri(slices.ContainsFunc(values, func(v value) bool { return v.beyond(999) }))
		}
	case "clip", "clip-path", "transform":
		d[Clip] = tri(clipped(values))
	case "color":
		d[Color] = colour(values, false)
	case "background", "background-color", "background-image":
		d.background(name, values)
	case "box-shadow", "filter", "backdrop-filter", "mix-blend-mode", "border-image", "border-image-source":
		// What is behind it may have any colour then.
		if name != "box-shadow" || slices.ContainsFunc(values, func(v value) bool { return v.text == "inset" }) {
			d[Back] = Unknown
		}
	case "text-shadow", "-webkit-text-fill-color", "-webkit-text-stroke", "-webkit-text-stroke-width", "text-decoration-color":
		d[Color] = Unknown
	case "unicode-bidi":
		d[Override] = tri(strings.HasSuffix(first.text, "override"))
	case "direction":
		d[Direction] = tri(first.text == "rtl")
	}
}

// fontSize takes a size. What is relative to a size of nothing is nothing.
func (d *Declarations) fontSize(v value) {
	switch {
	case v.unit == "none":
		switch v.text {
		case "xx-small", "x-small", "small", "medium", "large", "x-large", "xx-large", "xxx-large":
			d[FontSize] = Shows
		}
	case !v.length():
	case v.none():
		d[FontSize] = Hides
	case v.unit != "%" && v.unit != "em" && v.unit != "ex":
		d[FontSize] = Shows
	}
}

// display is what a word says; known is false of one that says nothing.
func display(word string) (v Value, known bool) {
	switch {
	case word == "none":
		return Hides, true
	case strings.HasPrefix(word, "inline"), word == "contents":
		return Inline, true
	case word == "inherit", word == "initial", word == "unset", word == "revert":
		return Shows, true
	case word == "block", word == "flow", word == "flow-root", word == "flex", word == "grid", word == "list-item", word == "run-in", word == "math",
		strings.HasPrefix(word, "table"), strings.HasPrefix(word, "ruby"), strings.HasPrefix(word, "-"):
		return Block, true
	}
	return 0, false
}

// single tells of a property that has one value that it has no other beside it.
func single(name string, first value) bool {
	switch name {
	case "opacity", "height", "max-height", "width", "max-width", "font-size", "visibility":
		return true
	case "display":
		return first.text == "none"
	}
	return false
}

// length tells whether it is one that letters and boxes may have (CSS Values 4 §6).
func (v value) length() bool {
	switch v.unit {
	case "", "px", "pt", "%", "em", "rem", "ex", "ch", "lh", "rlh", "vw", "vh", "vmin", "vmax", "in", "cm", "mm", "pc", "q":
		return v.n >= 0
	}
	return false
}

// clipped tells whether nothing is left of an element.
func clipped(values []value) bool {
	numbers := 0
	for _, v := range values[1:] {
		if v.unit == "none" {
			continue
		}
		if numbers++; v.n > 1 && !(v.unit == "%" && v.n >= 50) {
			return false
		}
	}
	switch values[0].text {
	case "rect(", "scale(", "scalex(", "scaley(":
		return numbers > 0 && !(values[0].text != "rect(" && values[1].n == 1)
	case "inset(", "circle(":
		return numbers > 0
	}
	return false
}
