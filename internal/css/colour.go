package css

import (
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/colornames"
)

// Colour reads a colour as attributes of HTML have it.
func Colour(text string) Value {
	text = strings.ToLower(strings.TrimSpace(text[:min(len(text), 32)]))
	if v := byName(text); v != Unknown {
		return v
	}
	return hex(strings.TrimPrefix(text, "#"))
}

// colour reads the colour in a value; 0 where there is none. A background may be a
// picture, too.
func colour(values []value, background bool) Value {
	for i, v := range values {
		switch {
		case v.text == "currentcolor":
			return Inherits
		case background && (strings.HasPrefix(v.text, "url") || strings.HasSuffix(v.text, "gradient(") || strings.HasPrefix(v.text, "image")):
			return Unknown
		case strings.HasPrefix(v.text, "#"):
			if c := hex(v.text[1:]); c != Unknown {
				return c
			}
			return 0
		case strings.HasSuffix(v.text, "("):
			return function(v.text, values[i+1:])
		}
		if c := byName(v.text); c != Unknown {
			return c
		}
		if c := ofSystem(v.text); c != 0 {
			return c
		}
		if n := len(v.text); (n == 3 || n == 6) && hex(v.text) != Unknown {
			return Doubtful // a colour in pages that are not of the standard (Quirks §3.3)
		}
		if !background {
			return 0
		}
	}
	return 0
}

// ofSystem is a colour that the reader's system has (CSS Color 4 §6.2), 0 where it is none.
func ofSystem(name string) Value {
	switch name {
	case "canvas", "window", "field", "background", "infobackground", "buttonhighlight", "-moz-default-background-color":
		return Doubtful
	case "canvastext", "windowtext", "buttontext", "fieldtext", "linktext", "visitedtext", "activetext", "graytext", "captiontext", "infotext", "menutext", "highlighttext",
		"highlight", "buttonface", "accentcolor", "accentcolortext", "mark", "marktext", "menu", "-webkit-link", "-webkit-text":
		return Unknown
	}
	return 0
}

// color takes a colour of letters.
func (d *Declarations) color(v Value) {
	if v == 0 {
		return
	}
	if d[Color] = v; v == Doubtful {
		d[Unsure] = Hides
	}
}

// background takes what is behind an element. A colour may stand beside a picture,
// which hides it.
func (d *Declarations) background(name string, values []value) {
	v := colour(values, true)
	for _, other := range values {
		if colour([]value{other}, true) == Unknown {
			v = Unknown
		}
	}
	switch {
	case v == Clear && name == "background-image":
	case v == Clear && d[Back] == Unknown && name != "background":
	case v == Clear: // what is behind it is seen
		d[Back] = Inherits
	case v == Doubtful:
		d[Back], d[Unsure] = v, Hides
	case v == Inherits: // the colour of the letters
		d[Back] = Unknown
	case name == "background-image" && v != Unknown:
	case name == "background-color" && d[Back] == Unknown:
	case v != 0:
		d[Back] = v
	}
}

// hex reads the digits of a colour: three or six, and one or two of how much of it
// is seen.
func hex(digits string) Value {
	each := 2
	switch len(digits) {
	case 3, 4:
		each = 1
	case 6, 8:
	default:
		return Unknown
	}
	n := [4]uint8{3: 255}
	for i := range len(digits) / each {
		v, err := strconv.ParseUint(digits[each*i:each*(i+1)], 16, 8)
		if err != nil {
			return Unknown
		}
		if each == 1 {
			v *= 0x11
		}
		n[i] = uint8(v)
	}
	if n[3] < 13 { // less than a twentieth of it is seen
		return Clear
	}
	return Paint(n[0], n[1], n[2])
}

// closes tells whether the function that values begin with ends where they do.
func closes(values []value) bool {
	depth := 0
	for i, v := range values {
		if strings.HasSuffix(v.text, "(") {
			depth++
		} else if v.text == ")" {
			depth--
		}
		if depth == 0 {
			return i == len(values)-1
		}
	}
	return true
}

// function reads rgb(), hsl() and the like (CSS Color 4 §5 and 7).
func function(name string, values []value) Value {
	hue := name == "hsl(" || name == "hsla("
	if !hue && name != "rgb(" && name != "rgba(" {
		return Doubtful // it is not reckoned
	}
	var parts []float64
	commas, slashes, odd := 0, 0, false
	for _, v := range values {
		if v.text == ")" {
			break
		}
		odd = odd || v.unit != "none" && v.unit != "" && v.unit != "%" && !(hue && len(parts) == 0)
		switch {
		case v.text == "from":
			return Doubtful
		case v.text == ",":
			commas++
			odd = odd || len(parts) != commas
		case v.text == "/":
			slashes++
			odd = odd || len(parts) != 3
		case v.text == "none":
			parts = append(parts, 0)
		case v.unit == "none":
		case hue && len(parts) == 0:
			parts = append(parts, v.n*map[string]float64{"turn": 360, "rad": 180 / math.Pi, "grad": 0.9, "": 1, "deg": 1}[v.unit])
		case hue && len(parts) < 3:
			parts = append(parts, v.n/100)
		case v.unit == "%" && len(parts) < 3:
			parts = append(parts, v.n*255/100)
		case v.unit == "%":
			parts = append(parts, v.n/100)
		default:
			parts = append(parts, v.n)
		}
	}
	switch {
	case len(parts) < 3:
		return Unknown
	case len(parts) > 3 && parts[3] <= 0.05:
		if odd || len(parts) > 4 || commas+3*slashes != 3 {
			return Doubtful // programs of today take it for nothing
		}
		return Clear
	}
	if hue {
		return fromHue(parts[0], parts[1], parts[2])
	}
	part := func(i int) uint8 { return uint8(min(max(parts[i], 0), 255)) }
	return Paint(part(0), part(1), part(2))
}

// fromHue is a colour by its hue in degrees, its saturation and its lightness, 0 to 1.
func fromHue(hue, saturation, lightness float64) Value {
	saturation, lightness = min(max(saturation, 0), 1), min(max(lightness, 0), 1)
	part := func(n float64) uint8 {
		k := math.Mod(math.Mod(n+hue/30, 12)+12, 12)
		v := lightness - saturation*min(lightness, 1-lightness)*max(-1, min(k-3, 9-k, 1))
		return uint8(math.Round(v * 255))
	}
	return Paint(part(0), part(8), part(4))
}

// byName is a colour.
func byName(name string) Value {
	switch name {
	case "transparent":
		return Clear
	case "rebeccapurple": // younger than the names of SVG
		return Paint(0x66, 0x33, 0x99)
	}
	if c, ok := colornames.Map[name]; ok {
		return Paint(c.R, c.G, c.B)
	}
	return Unknown
}
