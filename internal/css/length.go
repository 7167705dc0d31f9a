package css

import (
	"math"
	"strings"
)

// The lengths that values have.

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

// beyond tells whether it is a length that leads out of what is seen: back by so much, or
// on by more than any screen has.
func (v value) beyond(least float64) bool {
	const letters, screen = 16, 600
	px := v.n
	if f := pixels(v.unit, letters, screen); f > 0 && v.unit != "%" { // that may be of the element's own size
		px *= f
	}
	return v.unit != "none" && (px <= -least || px >= Widest && v.unit != "")
}

// edgewise tells whether what is turned by so much is seen from its edge.
func (v value) edgewise() bool {
	of, ok := map[string]float64{"deg": 360, "turn": 1, "grad": 400, "rad": 2 * math.Pi}[v.unit]
	return ok && math.Abs(math.Mod(math.Abs(v.n)/of, 0.5)-0.25) < 0.01
}

// single tells of a property that has one value that it has no other beside it.
func single(name string, first value) bool {
	switch name {
	case "opacity", "height", "max-height", "width", "max-width", "font-size", "visibility",
		"block-size", "max-block-size", "inline-size", "max-inline-size", "overflow-x", "overflow-y", "overflow-block", "overflow-inline":
		return true
	case "display":
		return first.text == "none"
	}
	return false
}

// length tells whether it is one that letters and boxes may have (CSS Values 4 §6).
func (v value) length() bool {
	if pixels(v.unit, 0, 0) < 0 && v.unit != "" {
		return false
	}
	return v.n >= 0
}

// quirky tells whether it is next to nothing and has no unit though it is not zero, or is
// reckoned: a length in pages that are not of the standard alone (Quirks §3.4).
func (v value) quirky() bool {
	return v.unit == "" && v.n >= 0 && v.none() && (v.n != 0 || v.exact == reckoned)
}

// named tells whether what is behind the size of a font has a family: without one it is no
// font (CSS Fonts 4 §3.7).
func named(values []value) bool {
	if len(values) > 1 && values[0].text == "/" { // the height of lines
		values = values[2:]
	}
	return len(values) > 0 && values[0].unit == "none"
}

// overflows tells the words of overflow.
func overflows(word string) bool {
	switch word {
	case "hidden", "clip", "scroll", "auto", "overlay", "visible":
		return true
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
	case "rect(", "scale(", "scalex(", "scaley(", "scale3d(":
		return numbers > 0 && !(values[0].text != "rect(" && values[1].n == 1)
	case "matrix(":
		return numbers == 6 && values[1].n == 0 && numbersIn(values)[3] == 0
	case "inset(", "circle(", "ellipse(", "polygon(":
		return numbers > 0
	}
	return false
}

func numbersIn(values []value) (all [8]float64) {
	n := 0
	for _, v := range values {
		if v.unit != "none" && n < len(all) {
			all[n] = v.n
			n++
		}
	}
	return all
}

// display is what a word says; known is false of one that says nothing.
func display(word string) (v Value, known bool) {
	switch {
	case word == "none":
		return Hides, true
	case strings.HasPrefix(word, "table-column"):
		return Column, true
	case strings.HasPrefix(word, "inline"), word == "contents":
		return Inline, true
	case word == "block", word == "flow", word == "flow-root", word == "flex", word == "grid", word == "list-item", word == "run-in", word == "math",
		strings.HasPrefix(word, "table"), strings.HasPrefix(word, "ruby"), strings.HasPrefix(word, "-"):
		return Block, true
	}
	return 0, false
}

// font takes the size in a font; what has none may be one of the system's.
func (d *Declarations) font(values []value) {
	for i, v := range values {
		size := v.unit != "none" && (v.unit != "" || v.n == 0) // others are weights
		switch v.unit {
		case "deg", "grad", "rad", "turn": // of oblique letters
			size = false
		case "none":
			var word Declarations
			word.fontSize(v)
			size = word[FontSize] != Doubtful
		}
		if size {
			if named(values[i+1:]) {
				d.fontSize(v)
			}
			return
		}
	}
	d[FontSize], d[Unsure] = Doubtful, Hides
}

// fontSize takes a size. What is relative to a size of nothing is nothing.
func (d *Declarations) fontSize(v value) {
	switch {
	case v.unit == "none":
		switch v.text {
		case "xx-small", "x-small", "small", "medium", "large", "x-large", "xx-large", "xxx-large", "math":
			d[FontSize] = Shows
		case "smaller", "larger":
			d[FontSize] = Inherits
		default:
			d[FontSize], d[Unsure] = Doubtful, Hides
		}
	case v.quirky():
		d[FontSize], d[Unsure] = Doubtful, Hides
	case !v.length():
	case v.none():
		d[FontSize] = Hides
	case v.unit == "%" || v.unit == "em" || v.unit == "ex" || v.unit == "ch" || v.unit == "lh":
		d[FontSize] = Inherits
	default:
		d[FontSize] = Shows
	}
}
