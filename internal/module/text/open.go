package text

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
	if e.kind.barrier {
		e.scope = at + 1
	}
	if e.kind.block {
		e.block = at + 1
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
