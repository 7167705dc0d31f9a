package text

// Where programs put what stands where HTML has no place for it.

// holder is the place of the element that what comes at a place is in: a text, or an
// element; -1 where there is none. What no table may have stands before it
// (HTML §13.2.6.1, foster parenting), whatever hides the table.
func (p *page) holder(at int, k *kind) int {
	at--
	if p.nested > 0 || k.cell {
		return at
	}
	for at >= 0 && p.open[at].kind.rows {
		at--
	}
	return at
}

// stray tells whether a start tag makes no element where it stands, or one that has no
// text in it (HTML §13.2.6.4): what it says of its looks hides nothing.
func (p *page) stray(name string) bool {
	switch name {
	case "head":
		return true
	case "form":
		return p.last[formElement] > 0
	case "td", "th", "caption", "tr", "tbody", "thead", "tfoot", "colgroup":
		return p.nested == 0 && p.last[tableElement] == 0
	}
	return false
}

// foreign is the place of the innermost element of another language that what comes
// is read as, -1 where that is HTML.
func (p *page) foreign() int {
	at := max(p.last[svgElement], p.last[mathElement]) - 1
	if at < p.floor {
		return -1
	}
	// In these, there is HTML again (HTML §13.2.6, integration points).
	points := []int{foreignObject, descElement, titleElement}
	if p.open[at].kind.number == mathElement {
		points = []int{miElement, moElement, mnElement, msElement, mtextElement, annotationXML}
	}
	for _, number := range points {
		if p.last[number] > at+1 {
			return -1
		}
	}
	return at
}

// leave ends the elements of another language that a start tag of HTML stands in (HTML
// §13.2.6.5).
func (p *page) leave(k *kind) {
	if !k.leaves {
		return
	}
	for at := p.foreign(); at >= 0; at = p.foreign() {
		p.pop(at)
	}
}
