package text

// Where programs put what stands where HTML has no place for it.

// holder is the place of the element that what comes at a place is in: a text, or an
// element of a name; -1 where there is none. What no table may have stands before it
// (HTML §13.2.6.1, foster parenting), whatever hides the table.
func (p *page) holder(at int, name string) int {
	at--
	if p.nested > 0 || ofTable(name) || name == "td" || name == "th" || name == "caption" || name == "col" {
		return at
	}
	for at >= 0 && ofTable(p.open[at].name) {
		at--
	}
	return at
}

// ofTable are a table and the elements that have its cells, which hold no text.
func ofTable(name string) bool {
	switch name {
	case "table", "tbody", "thead", "tfoot", "tr", "colgroup":
		return true
	}
	return false
}

// stray tells whether a start tag makes no element where it stands, or one that has no
// text in it (HTML §13.2.6.4): what it says of its looks hides nothing.
func (p *page) stray(name string) bool {
	switch name {
	case "head":
		return true
	case "form":
		return p.last[name] > 0
	case "td", "th", "caption", "tr", "tbody", "thead", "tfoot", "colgroup":
		return p.nested == 0 && p.last["table"] == 0
	}
	return false
}

// heads are elements that stand before all text, and hold none.
func heads(name string) bool {
	switch name {
	case "html", "head", "meta", "title", "link", "base", "style", "script":
		return true
	}
	return false
}

// foreign is the place of the innermost element of another language that what comes
// is read as, -1 where that is HTML.
func (p *page) foreign() int {
	at := max(p.last["svg"], p.last["math"]) - 1
	if at < p.floor {
		return -1
	}
	// In these, there is HTML again (HTML §13.2.6, integration points).
	points := []string{"foreignobject", "desc", "title"}
	if p.open[at].name == "math" {
		points = []string{"mi", "mo", "mn", "ms", "mtext", "annotation-xml"}
	}
	for _, name := range points {
		if p.last[name] > at+1 {
			return -1
		}
	}
	return at
}

// leave ends the elements of another language that a start tag of HTML stands in (HTML
// §13.2.6.5).
func (p *page) leave(name string) {
	switch name {
	case "b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed", "font", "h1", "h2", "h3", "h4", "h5", "h6", "head", "hr",
		"i", "img", "li", "listing", "menu", "meta", "nobr", "ol", "p", "pre", "ruby", "s", "small", "span", "strong", "strike", "sub", "sup", "table", "tt", "u",
		"ul", "var":
	default:
		return
	}
	for at := p.foreign(); at >= 0; at = p.foreign() {
		p.pop(at)
	}
}
