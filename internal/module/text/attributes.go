package text

import (
	"strings"

	"golang.org/x/net/html"

	"github.com/tollgate-mail/tollgate/internal/css"
)

// attributes are those of a tag that matter.
type attributes struct {
	kept    []html.Attribute
	style   string
	certain css.Declarations // by what stands in the element itself
	looks   css.Declarations // by its colours and sizes
	alt     string           // words in place of the element
	targets []target
	content string
	refresh bool
	unseen  bool // a field of a form that is not shown
}

// target is an address in a tag.
type target struct{ key, value string }

// maxAttribute is how much of an attribute is read that is no address and no text.
const maxAttribute = 8 << 10

// maxKept is how many attributes of an element a style sheet may ask for: each of its
// selectors looks through them.
const maxKept = 32

func (a *attributes) take(p *page, name, key string, value []byte) {
	short := value[:min(len(value), maxAttribute)]
	switch key {
	case "style":
		if a.style == "" {
			a.style = string(short)
		}
	case "hidden":
		a.certain[css.Display] = css.Hides
	case "color":
		if name == "font" {
			a.looks[css.Color] = css.Colour(string(short))
		}
	case "text":
		if name == "body" {
			a.looks[css.Color] = css.Colour(string(short))
		}
	case "bgcolor":
		a.looks[css.Back] = css.Colour(string(short))
	case "background":
		a.looks[css.Back] = css.Unknown
	case "size":
		if name == "font" {
			a.looks[css.FontSize] = css.Shows
		}
	case "dir":
		if name == "bdo" && strings.EqualFold(string(short), "rtl") {
			a.looks[css.Override], a.looks[css.Direction] = css.Hides, css.Hides
		}
	case "alt":
		if name == "img" {
			a.alt = string(value)
		}
	case "value", "placeholder":
		if name == "input" {
			a.alt = string(value)
		}
	case "type":
		a.unseen = name == "input" && strings.EqualFold(string(short), "hidden")
	case "href", "xlink:href", "action", "formaction", "src", "data":
		a.targets = append(a.targets, target{key, string(value)})
	case "content":
		a.content = string(short)
		a.targets = append(a.targets, target{key, a.content})
	case "http-equiv":
		a.refresh = strings.EqualFold(strings.TrimSpace(string(short)), "refresh")
	}
	if key == "class" || key == "id" || p.sheet.Wants(key) {
		if len(a.kept) >= maxKept {
			p.found(SymbolLimit)
			return
		}
		a.kept = append(a.kept, html.Attribute{Key: key, Val: strings.ToLower(string(short))})
	}
}
