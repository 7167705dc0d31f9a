package text

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/css"
)

// attributes are those of a tag that matter.
type attributes struct {
	kept    []attribute
	style   string
	certain css.Declarations // by what stands in the element itself
	looks   css.Declarations // by its colours and sizes
	alt     string           // words in place of the element
	targets []target
	content string
	refresh bool
	unseen  bool // a field of a form that is not shown
	sheet   bool // its address is that of a style sheet
}

// attribute is one by its name.
type attribute struct {
	name  string
	value css.Cased
}

// target is an address in a tag.
type target struct{ key, value string }

// maxAttribute is how much of an attribute is read that is no address and no text.
const maxAttribute = 8 << 10

// maxKept is how many attributes of an element a style sheet may ask for: each of its
// selectors looks through them.
const maxKept = 32

// silent tells whether a tag says nothing of the looks of its element.
func (a *attributes) silent() bool {
	return !a.unseen && a.certain == (css.Declarations{}) && a.looks == (css.Declarations{})
}

// doubt notes that some programs do not show what is in the element.
func (a *attributes) doubt() { a.certain[css.Display], a.certain[css.Unsure] = css.Doubtful, css.Hides }

// spare tells of elements whose text stands for what some programs show instead of it
// (WHATWG HTML §4.8, §4.10), beside the line (§4.5.11), or not at all.
func (p *page) spare(name string) bool {
	switch name {
	case "rp", "rt", "rtc", "audio", "video", "canvas", "meter", "progress", "dialog", "mphantom", "annotation", "annotation-xml":
		return true
	case "title", "desc", "defs", "metadata", "symbol", "clippath", "mask", "pattern":
		return p.last[svgElement] > 0
	}
	return false
}

func (a *attributes) take(p *page, name, key, value string) {
	short := value[:min(len(value), maxAttribute)]
	switch key {
	case "style":
		if a.style == "" {
			a.style = short
		}
	case "hidden":
		a.certain[css.Display] = css.Hides
		if strings.EqualFold(short, "until-found") { // that hides what has a box of its own
			a.doubt()
		}
	case "popover":
		a.doubt()
	case "srcdoc":
		if name == "iframe" {
			p.frame(value)
		}
	case "label":
		if name == "option" || name == "optgroup" {
			a.alt = value
		}
	case "string":
		if name == "v:textpath" {
			a.alt = value
		}
	case "open":
		if name == "dialog" {
			a.certain = css.Declarations{}
		}
	case "color":
		if name == "font" {
			a.looks[css.Color] = css.Colour(short)
		}
	case "text":
		if name == "body" {
			a.looks[css.Color] = css.Colour(short)
		}
	case "bgcolor":
		a.looks[css.Back] = css.Colour(short)
	case "background":
		a.looks[css.Back] = css.Unknown
	case "size":
		if name == "font" {
			a.looks[css.FontSize] = css.Shows
		}
	case "dir":
		if name == "bdo" && strings.EqualFold(short, "rtl") {
			a.looks[css.Override], a.looks[css.Direction] = css.Hides, css.Hides
		}
	case "alt":
		if name == "img" {
			a.alt = value
		}
	case "value", "placeholder":
		if name == "input" {
			a.alt += " " + value // whatever order they stand in, one is shown
		}
	case "type":
		a.unseen = name == "input" && strings.EqualFold(short, "hidden")
	case "href", "xlink:href", "action", "formaction", "src", "data":
		if key == "src" || key == "data" {
			p.embed(name, value)
		}
		a.targets = append(a.targets, target{key, value})
	case "content":
		a.content = short
		a.targets = append(a.targets, target{key, a.content})
	case "http-equiv":
		a.refresh = strings.EqualFold(strings.TrimSpace(short), "refresh")
	}
	if p.last[svgElement] > 0 && p.spent == nil {
		switch key {
		case "display", "visibility", "opacity", "font-size", "fill", "fill-opacity", "unicode-bidi", "direction", "clip-path", "transform":
			p.spent = a.looks.Presentation(p.budget, key, short)
		}
	}
	if key == "rel" && strings.Contains(strings.ToLower(short), "stylesheet") {
		a.sheet = name == "link"
	}
	if key == "class" || key == "id" || p.sheet.Wants(key) {
		if len(a.kept) >= maxKept {
			p.found(SymbolLimit)
			return
		}
		a.kept = append(a.kept, attribute{key, css.Case(short)})
	}
}
