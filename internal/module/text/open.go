package text

import "slices"

// Which elements are open, and what ends them.

// innermost is the place and 1 of the innermost open element of a name.
func (p *page) innermost(k *kind, name string) int {
	if k.number != unknown {
		return p.last[k.number]
	}
	return p.others[name]
}

// set notes that an element is open.
func (p *page) set(at int) {
	if e := &p.open[at]; e.kind.number != unknown {
		p.last[e.kind.number] = at + 1
	} else {
		p.others[e.name] = at + 1
	}
}

// place notes what an element stands in.
func (p *page) place(at int) {
	e := &p.open[at]
	e.prev, e.scope, e.block = p.innermost(e.kind, e.name), 0, 0
	if at > 0 {
		e.scope, e.block = p.open[at-1].scope, p.open[at-1].block
	}
	p.stand(at)
	if e.kind.barrier {
		e.scope = at + 1
	}
	if e.kind.block {
		e.block = at + 1
	}
}

// stand notes the nearest element from a place on that holds a text.
func (p *page) stand(at int) {
	switch e := &p.open[at]; {
	case !e.kind.rows:
		e.firm = at + 1
	case at > 0:
		e.firm = p.open[at-1].firm
	default:
		e.firm = 0
	}
}

// imply ends the elements that a start tag does.
func (p *page) imply(k *kind) error {
	if len(k.ended) == 0 {
		return nil
	}
	stop := p.floor
	if k.within == nil && len(p.open) > 0 {
		stop = max(stop, p.open[len(p.open)-1].scope)
	}
	for _, number := range k.within {
		stop = max(stop, p.last[number])
	}
	least := len(p.open)
	for _, number := range k.ended {
		// Those that are within each other end from the innermost.
		for at := p.last[number]; at > stop; at = p.open[at-1].prev {
			if err := p.budget.Charge(1); err != nil {
				return err
			}
			least = min(least, at-1)
		}
	}
	if least < len(p.open) {
		p.space(len(p.open)-1, p.all)
		p.pop(least)
	}
	return nil
}

// pop ends all elements from a place on.
func (p *page) pop(to int) {
	for at := len(p.open) - 1; at >= to; at-- {
		if rules := p.open[at].after; rules != nil && p.spent == nil {
			p.open[at].after = nil
			p.spent = p.generate(at, rules)
		}
		switch e := &p.open[at]; {
		case p.innermost(e.kind, e.name) != at+1:
		case e.kind.number != unknown:
			p.last[e.kind.number] = e.prev
		case e.prev == 0:
			delete(p.others, e.name) // a page may have any number of names
		default:
			p.others[e.name] = e.prev
		}
	}
	p.open = p.open[:min(to, len(p.open))]
}

// remove ends an element, and leaves the blocks open that are in it.
func (p *page) remove(at int) error {
	first := at + 1
	for first < len(p.open) && !p.open[first].kind.block {
		first++
	}
	kept := slices.Clone(p.open[first:])
	cost := (len(p.open) - at) * (1 + len(p.worlds))
	for i := range kept {
		if said := kept[i].said; said != nil {
			cost += len(p.worlds) * 2 * len(said.sheet)
		}
	}
	if err := p.budget.Charge(cost); err != nil {
		return err
	}
	for i := first; i < len(p.open); i++ {
		p.open[i].after = nil // they do not end
	}
	p.pop(at)
	for _, e := range kept {
		p.open = append(p.open, e)
		n := len(p.open) - 1
		p.place(n)
		p.dress(n)
		p.set(n)
	}
	return nil
}

// Where programs put what stands where HTML has no place for it.

// holder is the place of the element that what comes at a place is in: a text, or an
// element; -1 where there is none. What no table may have stands before it
// (HTML §13.2.6.1, foster parenting), whatever hides the table.
func (p *page) holder(at int, k *kind) int {
	at--
	if p.nested > 0 || k.cell {
		return at
	}
	if at < 0 {
		return -1
	}
	return p.open[at].firm - 1
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
