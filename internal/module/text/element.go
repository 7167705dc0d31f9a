package text

import (
	"slices"

	"golang.org/x/net/html"

	"github.com/tollgate-mail/tollgate/internal/css"
)

// element is one that is open.
type element struct {
	name  string
	attrs []html.Attribute // class, id, and what a style sheet asks for
	prev  int              // the one of the same name around it: its place and 1
	scope int              // the place and 1 of the nearest barrier that it is in, or is
	block int              // likewise of the nearest block
	apart bool             // it ends words
	quiet bool             // its text is shown by some programs only
	data  bool             // its text is for programs alone

	own, ownAlso, somewhere css.Declarations
	// sure is by its own styles, full by style sheets and colours, too, and narrow by
	// what they say of some screens besides.
	sure, full, narrow looks
}

func (e *element) seenBy() seenBy {
	sure, full := e.sure.hidden(0), e.full.hidden(nearColours)
	switch {
	case sure && full:
		return nobody
	case sure || full || e.quiet:
		return some
	case e.narrow.hidden(nearColours):
		return elsewhere
	}
	return all
}

// dress gives an element its looks within others.
func (p *page) dress(at int) {
	sure, full := looks{}, looks{color: css.Paint(0, 0, 0), back: css.Paint(255, 255, 255)}
	narrow, quiet, data := full, false, false
	if holder := p.holder(at, p.open[at].name); holder >= 0 {
		around := &p.open[holder]
		sure, full, narrow, quiet, data = around.sure, around.full, around.narrow, around.quiet, around.data
	}
	e := &p.open[at]
	e.sure = sure.within(e.own)
	e.full = full.within(e.ownAlso).also(e.ownAlso)
	e.narrow = narrow.within(e.ownAlso).also(e.ownAlso).perhaps(e.somewhere)
	e.quiet = quiet || e.name == "template"
	e.data = data || p.only && e.name == "xml"
}

// start takes a start tag, and returns its name.
func (p *page) start(z *html.Tokenizer, selfClosing bool) (string, error) {
	tag, more := z.TagName()
	name := known(tag)
	p.begun = p.begun || !heads(name)
	p.leave(name)
	ended, within := endedBy(name)
	if err := p.imply(ended, within); err != nil {
		return "", err
	}
	e := element{name: name}
	var tagged attributes
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		if err := p.budget.Charge(1); err != nil {
			return "", err
		}
		tagged.take(p, name, string(key), value)
	}
	var inline css.Style
	if tagged.style != "" {
		var err error
		if inline, err = css.Attribute(p.budget, tagged.style); err != nil {
			return "", err
		}
	}
	e.attrs = tagged.kept
	e.own.Add(tagged.certain)
	e.own.Add(inline.Normal)
	e.own.Add(inline.Important)
	p.open = append(p.open, e)
	at := len(p.open) - 1
	sheet, err := p.sheet.Of(p.budget, node{p, at})
	if err != nil {
		return "", err
	}
	for _, d := range []css.Declarations{tagged.certain, tagged.looks, sheet.Normal, inline.Normal, sheet.Important, inline.Important} {
		p.open[at].ownAlso.Add(d)
	}
	p.open[at].somewhere = sheet.Somewhere
	if p.open[at].ownAlso[css.MaxHeight] == css.Hides {
		p.open[at].somewhere[css.MaxHeight] = css.Hides
	}
	if selfClosing {
		p.open[at].own = css.Declarations{} // for some it is closed
	}
	if p.stray(name) {
		p.open[at].own, p.open[at].ownAlso, p.open[at].somewhere = css.Declarations{}, css.Declarations{}, css.Declarations{}
	}
	p.dress(at)
	p.open[at].apart = block(name) && !tagged.unseen
	switch p.open[at].ownAlso[css.Display] {
	case css.Inline:
		p.open[at].apart = false
	case css.Block:
		p.open[at].apart = true
	}
	p.place(at)
	if p.parts(at) {
		p.around(at)
	}
	if err := p.links.start(name, &tagged); err != nil {
		return "", err
	}
	if tagged.alt != "" && !tagged.unseen {
		p.instead(tagged.alt, p.open[at].seenBy())
	}
	switch {
	case void(name):
		p.open = p.open[:at]
	case len(p.open) > maxOpen:
		p.found(SymbolLimit)
		p.open = p.open[:at]
	default:
		p.last[name] = at + 1
	}
	return name, nil
}

// place notes what an element stands in.
func (p *page) place(at int) {
	e := &p.open[at]
	e.prev, e.scope, e.block = p.last[e.name], 0, 0
	if at > 0 {
		e.scope, e.block = p.open[at-1].scope, p.open[at-1].block
	}
	if barrier(e.name) {
		e.scope = at + 1
	}
	if block(e.name) {
		e.block = at + 1
	}
}

// parts tells whether an element stands between the words around it: one that is
// not displayed does not.
func (p *page) parts(at int) bool {
	return p.open[at].apart && (!p.open[at].full.gone || at > 0 && p.open[at-1].full.gone)
}

// around ends the word before an element: in the looks that are around it.
func (p *page) around(at int) {
	inner := p.open
	p.open = p.open[:at]
	p.apart()
	p.open = inner
}

// imply ends the elements that a start tag does.
func (p *page) imply(ended, within []string) error {
	if len(ended) == 0 {
		return nil
	}
	stop := p.floor
	if within == nil && len(p.open) > 0 {
		stop = max(stop, p.open[len(p.open)-1].scope)
	}
	for _, name := range within {
		stop = max(stop, p.last[name])
	}
	least := len(p.open)
	for _, name := range ended {
		// Those that are within each other end from the innermost.
		for at := p.last[name]; at > stop; at = p.open[at-1].prev {
			if err := p.budget.Charge(1); err != nil {
				return err
			}
			least = min(least, at-1)
		}
	}
	if least < len(p.open) {
		p.apart()
		p.pop(least)
	}
	return nil
}

// pop ends all elements from a place on.
func (p *page) pop(to int) {
	for at := len(p.open) - 1; at >= to; at-- {
		switch e := &p.open[at]; {
		case p.last[e.name] != at+1:
		case e.prev == 0:
			delete(p.last, e.name) // a page may have any number of names
		default:
			p.last[e.name] = e.prev
		}
	}
	p.open = p.open[:min(to, len(p.open))]
}

// finish takes an end tag.
func (p *page) finish(tag []byte) error {
	at := p.last[string(tag)] - 1
	name := known(tag)
	if name == "a" {
		if err := p.links.close(); err != nil {
			return err
		}
	}
	scope := p.floor
	if n := len(p.open); n > 0 && !endsOf(name) {
		scope = max(scope, p.open[n-1].scope)
	}
	if at < scope {
		// Nothing that it could end is open. Two of them have an effect all the
		// same (HTML §13.2.6.4.7).
		if name == "p" || name == "br" {
			p.apart()
		}
		return nil
	}
	if !block(name) && !formatting(name) && !barrier(name) && p.open[len(p.open)-1].block > at+1 {
		return nil // a block is open in it
	}
	apart := p.parts(at)
	if p.open[at].apart {
		p.apart()
	}
	if formatting(name) {
		if err := p.remove(at); err != nil {
			return err
		}
	} else {
		p.pop(at)
	}
	if apart {
		p.apart()
	}
	return nil
}

// remove ends an element, and leaves the blocks open that are in it.
func (p *page) remove(at int) error {
	first := at + 1
	for first < len(p.open) && !block(p.open[first].name) {
		first++
	}
	kept := slices.Clone(p.open[first:])
	if err := p.budget.Charge(len(p.open) - at); err != nil {
		return err
	}
	p.pop(at)
	for _, e := range kept {
		p.open = append(p.open, e)
		n := len(p.open) - 1
		p.place(n)
		p.dress(n)
		p.last[e.name] = n + 1
	}
	return nil
}

// node is an element for a style sheet.
type node struct {
	p  *page
	at int
}

var _ css.Element = node{}

// Name is in lower case.
func (n node) Name() string { return n.p.open[n.at].name }

// Attr is an attribute that was kept, in lower case.
func (n node) Attr(name string) (string, bool) {
	for _, a := range n.p.open[n.at].attrs {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// Parent is the element around it.
func (n node) Parent() css.Element {
	if n.at == 0 {
		return nil
	}
	return node{n.p, n.at - 1}
}
