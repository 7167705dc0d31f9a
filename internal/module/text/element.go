package text

import (
	"slices"

	"github.com/tollgate-mail/tollgate/internal/css"
	"github.com/tollgate-mail/tollgate/internal/markup"
)

// element is one that is open.
type element struct {
	name  string
	kind  *kind
	attrs []attribute // class, id, and what a style sheet asks for
	prev  int         // the one of the same name around it: its place and 1
	scope int         // the place and 1 of the nearest barrier that it is in, or is
	block int         // likewise of the nearest block
	apart bool        // it ends words
	quiet bool        // its text is shown by some programs only
	data  bool        // its text is for programs alone

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
	if holder := p.holder(at, p.open[at].kind); holder >= 0 {
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

// start takes a start tag.
func (p *page) start(z *markup.Reader, selfClosing bool) error {
	name := z.Name()
	k := kindOf(name)
	p.begun = p.begun || !k.head
	p.leave(k)
	if err := p.imply(k); err != nil {
		return err
	}
	e := element{name: name, kind: k}
	var tagged attributes
	if err := p.budget.Charge(z.Attributes()); err != nil {
		return err
	}
	for i := range z.Attributes() {
		key, value := z.Attribute(i)
		tagged.take(p, name, key, value)
	}
	var inline css.Style
	if tagged.style != "" {
		var err error
		if inline, err = css.Attribute(p.budget, tagged.style); err != nil {
			return err
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
		return err
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
	p.open[at].apart = k.block && !tagged.unseen
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
		return err
	}
	if tagged.alt != "" && !tagged.unseen {
		p.instead(tagged.alt, p.open[at].seenBy())
	}
	switch {
	case k.void:
		p.open = p.open[:at]
	case len(p.open) > maxOpen:
		p.found(SymbolLimit)
		p.open = p.open[:at]
	default:
		p.set(at)
	}
	return nil
}

// finish takes an end tag.
func (p *page) finish(name string) error {
	k := kindOf(name)
	at := p.innermost(k, name) - 1
	if name == "a" {
		if err := p.links.close(); err != nil {
			return err
		}
	}
	scope := p.floor
	if n := len(p.open); n > 0 && !k.endsOf {
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
	if !k.block && !k.formatting && !k.barrier && p.open[len(p.open)-1].block > at+1 {
		return nil // a block is open in it
	}
	apart := p.parts(at)
	if p.open[at].apart {
		p.apart()
	}
	if k.formatting {
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
	for first < len(p.open) && !p.open[first].kind.block {
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
		p.set(n)
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
		if a.name == name {
			return a.value, true
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
