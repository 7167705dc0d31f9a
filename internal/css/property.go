package css

import (
	"slices"
	"strings"
)

func tri(hides bool) Value {
	if hides {
		return Hides
	}
	return Shows
}

// declare takes a declaration. Later ones count, but not those that are none: a value
// that a property does not have changes nothing (CSS Syntax 3 §9).
func (d *Declarations) declare(name string, values []value) {
	values, sure := computed(values)
	if !sure {
		d.doubt(name)
		return
	}
	first := values[0]
	if len(values) == 1 && d.inherit(name, first.text) || len(values) > 1 && single(name, first) {
		return
	}
	sized := func(p Property) {
		switch {
		case !first.quirky() && (first.length() || first.text == "auto" || strings.HasSuffix(first.text, "-content") || first.text == "none"):
			d[p] = tri(first.none())
		case first.quirky(), first.unit == "none": // some programs know the word
			d[p], d[Unsure] = Doubtful, Hides
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
	case "height", "block-size":
		sized(Height)
	case "max-height", "max-block-size":
		sized(MaxHeight)
	case "width", "inline-size":
		sized(Width)
	case "max-width", "max-inline-size":
		sized(MaxWidth)
	case "overflow", "overflow-x", "overflow-y", "overflow-block", "overflow-inline":
		if len(values) > 2 || !overflows(values[len(values)-1].text) {
			return
		}
		switch first.text {
		case "hidden", "clip", "scroll", "auto", "overlay": // a box of no size has nothing to scroll
			d[Overflow] = Hides
		case "visible":
			d[Overflow] = Shows
		}
	case "contain":
		if slices.ContainsFunc(values, func(v value) bool { return v.text == "paint" || v.text == "strict" || v.text == "content" }) {
			d[Overflow] = Hides
		}
	case "font-size":
		d.fontSize(first)
	case "font":
		d.font(values)
	case "visibility":
		switch first.text {
		case "hidden", "collapse":
			d[Visibility] = Hides
		case "visible":
			d[Visibility] = Shows
		}
	case "mso-hide":
		d[MsoHide] = tri(first.text == "all")
	case "color":
		if len(values) == 1 || strings.HasSuffix(first.text, "(") && closes(values) {
			d.color(colour(values, false))
		}
	case "-webkit-text-fill-color": // not all programs know of it
		d[Color], d[Unsure] = Doubtful, Hides
	case "fill": // of what is drawn
		if c := colour(values, false); c == Clear || c == Doubtful || first.text == "none" || c>>24 == 1 && c != Paint(0, 0, 0) {
			d[Color], d[Unsure] = Doubtful, Hides
		}
	case "fill-opacity":
		if first.none() || first.n <= 0.05 && first.unit == "" {
			d[Color], d[Unsure] = Doubtful, Hides
		}
	case "background", "background-color", "background-image":
		d.background(name, values)
	case "box-shadow", "filter", "backdrop-filter", "mix-blend-mode", "border-image", "border-image-source":
		// What is behind it may have any colour then.
		if name != "box-shadow" || slices.ContainsFunc(values, func(v value) bool { return v.text == "inset" }) {
			d[Back] = Unknown
		}
		if name == "filter" {
			d.hide(name, values)
		}
	case "text-shadow", "-webkit-text-stroke", "-webkit-text-stroke-width", "text-decoration-color":
		d[Color] = Unknown
	case "unicode-bidi":
		d[Override] = tri(strings.HasSuffix(first.text, "override"))
	case "direction":
		d[Direction] = tri(first.text == "rtl")
	case "animation", "animation-name", "-webkit-animation", "-webkit-animation-name":
		d[Moved] = tri(first.text != "none")
	default:
		d.hide(name, values)
	}
}

// hide takes what moves an element out of sight, or leaves nothing of it.
func (d *Declarations) hide(name string, values []value) {
	away := func(bit Value, least float64) {
		d[Away] = d[Away].say(bit, slices.ContainsFunc(values, func(v value) bool { return v.beyond(least) }))
	}
	clip := func(bit Value, hides bool) { d[Clip] = d[Clip].say(bit, hides) }
	first := values[0]
	switch name {
	case "left", "inset-inline-start":
		away(moveLeft, 100)
	case "right", "inset-inline-end":
		away(moveRight, 100)
	case "top", "inset-block-start":
		away(moveTop, 100)
	case "bottom", "inset-block-end":
		away(moveBottom, 100)
	case "inset", "inset-block", "inset-inline":
		away(moveLeft, 100)
	case "text-indent":
		away(moveIndent, 100)
	case "margin": // columns are laid over each other by less
		away(moveMargin, 999)
	case "margin-left", "margin-inline", "margin-inline-start":
		away(moveMarginLeft, 999)
	case "margin-top", "margin-block", "margin-block-start":
		away(moveMarginTop, 999)
	case "letter-spacing":
		away(moveSpacing, 8)
	case "translate":
		away(moveTranslate, 100)
	case "clip":
		clip(clipRect, clipped(values))
	case "clip-path", "-webkit-clip-path":
		clip(clipPath, clipped(values))
	case "transform", "-webkit-transform", "-ms-transform":
		clip(clipTransform, clipped(values) || slices.ContainsFunc(values, value.edgewise) && slices.ContainsFunc(values, func(v value) bool { return v.text == "rotatex(" || v.text == "rotatey(" || v.text == "rotate3d(" }) ||
			slices.ContainsFunc(values[1:], func(v value) bool { return strings.HasPrefix(first.text, "translate") && v.beyond(100) }))
	case "scale":
		clip(clipScale, slices.ContainsFunc(values, func(v value) bool { return v.unit == "" && v.n <= 0.05 || v.unit == "%" && v.n <= 5 }))
	case "rotate":
		clip(clipRotate, len(values) > 1 && slices.ContainsFunc(values, value.edgewise))
	case "filter":
		clip(clipFilter, len(values) > 1 && first.text == "opacity(" && values[1].none())
	case "mask", "mask-image", "-webkit-mask", "-webkit-mask-image":
		clip(clipMask, slices.ContainsFunc(values, func(v value) bool { return strings.HasSuffix(v.text, "gradient(") }) && !slices.ContainsFunc(values, func(v value) bool {
			c := colour([]value{v}, false)
			return c>>24 == 1
		}))
	case "zoom": // nothing is as large as it is
		clip(clipZoom, first.unit != "none" && first.n > 0 && first.none())
	case "content-visibility":
		clip(clipContent, first.text == "hidden")
	case "font-size-adjust":
		clip(clipAdjust, first.unit == "" && first.n <= 0.05)
	}
}

// inherit takes a word that any property may have: that it is as in the element around,
// or as nothing says of it (CSS Cascade 4 §7). False where it is none.
func (d *Declarations) inherit(name, word string) bool {
	switch word {
	case "inherit", "unset", "revert", "revert-layer", "initial":
	default:
		return false
	}
	around := word != "initial"
	either := func(p Property) {
		if d[p] = Shows; around {
			d[p] = Inherits
		}
	}
	for _, p := range propertiesOf(name) {
		switch p {
		case FontSize, Visibility, Direction:
			either(p)
		case Color:
			if d[p] = Paint(0, 0, 0); around {
				d[p] = Inherits
			}
		case Back:
			d[p] = Inherits
		case Away, Clip:
			d[p] = 1<<hidingBits - 1
			if name != "all" { // of one of its properties
				d[p] = 0
				d.hide(name, []value{{text: word, unit: "none"}})
			}
		default:
			d[p] = Shows
		}
	}
	return true
}

// doubt takes a declaration of which it cannot be told what it says.
func (d *Declarations) doubt(name string) {
	for _, p := range propertiesOf(name) {
		switch p {
		case Away: // there are readings for both
			d.hide(name, []value{{n: -1e9, unit: "px"}})
			continue
		case Clip:
			d[Clip] = d[Clip].say(clipPath, true)
			continue
		default:
			d[p] = Doubtful
		}
		d[Unsure] = Hides
	}
}

// propertiesOf are the properties that a declaration is about.
func propertiesOf(name string) []Property {
	switch name {
	case "display":
		return []Property{Display}
	case "opacity":
		return []Property{Opacity}
	case "height", "block-size":
		return []Property{Height}
	case "max-height", "max-block-size":
		return []Property{MaxHeight}
	case "width", "inline-size":
		return []Property{Width}
	case "max-width", "max-inline-size":
		return []Property{MaxWidth}
	case "overflow", "overflow-x", "overflow-y":
		return []Property{Overflow}
	case "font-size", "font":
		return []Property{FontSize}
	case "visibility":
		return []Property{Visibility}
	case "mso-hide":
		return []Property{MsoHide}
	case "color":
		return []Property{Color}
	case "background", "background-color":
		return []Property{Back}
	case "unicode-bidi":
		return []Property{Override}
	case "direction":
		return []Property{Direction}
	case "animation", "animation-name":
		return []Property{Moved}
	case "left", "right", "top", "bottom", "inset", "text-indent", "margin", "margin-left", "margin-top", "letter-spacing", "translate":
		return []Property{Away}
	case "clip", "clip-path", "transform", "scale", "rotate", "filter", "mask", "mask-image", "zoom", "content-visibility":
		return []Property{Clip}
	case "all":
		return []Property{Display, Opacity, Height, MaxHeight, Width, MaxWidth, Overflow, FontSize, Visibility, MsoHide, Away, Clip, Color, Back, Moved, Content}
	}
	return nil
}
