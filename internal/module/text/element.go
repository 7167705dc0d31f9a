package text

import (
	"github.com/tollgate-mail/tollgate/internal/css"
	"github.com/tollgate-mail/tollgate/internal/markup"
)

// element is one that is open.
type element struct {
	name  string
	kind  *kind
	attrs []attribute // class, id, and what a style sheet asks for
	said  *said       // nil: nothing
	node  node
	prev  int  // the one of the same name around it: its place and 1
	scope int  // the place and 1 of the nearest barrier that it is in, or is
	block int  // likewise of the nearest block
	firm  int  // likewise of the nearest that holds a text: a table holds none
	quiet bool // its text is shown by some programs only

	beside *sibling    // nil: nobody asks for it
	family *family     // likewise
	after  css.Matched // what stands behind what is in it
	data   bool        // its text is for programs alone

	// The worlds where its text is seen, where it is not displayed at all, where its
	// letters are turned, where it ends words, and where it does so around it.
	seen, gone, turned, apart, parts worlds
	first                            worlds // where the first letter in it is not seen
}

// dress gives an element its looks within others, in all worlds.
func (p *page) dress(at int) {
	e := &p.open[at]
	holder := p.holder(at, e.kind)
	e.quiet, e.data = e.name == "template" || e.name == "datalist", p.only && e.name == "xml"
	e.seen, e.gone, e.turned, e.apart = p.all, 0, 0, 0
	if holder >= 0 {
		around := &p.open[holder]
		e.quiet, e.data = e.quiet || around.quiet, e.data || around.data
		e.seen, e.gone, e.turned = around.seen, around.gone, around.turned
	}
	for i := range p.worlds {
		p.looks[i] = p.looks[i][:at]
		if e.said == nil {
			is := plainLooks()
			if holder >= 0 {
				is = p.looks[i][holder]
			}
			p.looks[i] = append(p.looks[i], is)
			continue
		}
		is := p.dressed(at, e.said, i, &p.worlds[i])
		p.looks[i] = append(p.looks[i], is.looks)
		set := func(in *worlds, value bool) {
			if *in &^= 1 << i; value {
				*in |= 1 << i
			}
		}
		set(&e.seen, !is.hidden)
		set(&e.gone, is.looks.gone)
		set(&e.turned, is.looks.turned)
		set(&e.apart, is.apart)
	}
	if e.said == nil && e.kind.block {
		e.apart = p.all
	}
	// What is not displayed does not stand between words.
	e.parts = e.apart
	if e.gone != 0 {
		around := worlds(0)
		if at > 0 {
			around = p.open[at-1].gone
		}
		e.parts &= ^e.gone | around
	}
}

// perTag is what an element costs, besides what is said of it.
const perTag = 4

// start takes a start tag.
func (p *page) start(z *markup.Reader, selfClosing bool) error {
	name := z.Name()
	k := kindOf(name)
	p.begun = p.begun || !k.head && !p.data(name)
	p.leave(k)
	p.around = nil
	if k.number == tableElement {
		if err := p.paragraph(); err != nil {
			return err
		}
	}
	if err := p.imply(k); err != nil {
		return err
	}
	e := element{name: name, kind: k}
	var tagged attributes
	if p.spare(name) {
		tagged.doubt()
	}
	if err := p.budget.Charge(perTag + len(p.worlds) + z.Attributes()); err != nil {
		return err
	}
	for i := range z.Attributes() {
		key, value := z.Attribute(i)
		tagged.take(p, name, key, value)
	}
	e.attrs = tagged.kept
	p.open = append(p.open, e)
	at := len(p.open) - 1
	p.stand(at)
	if err := p.arrive(at); err != nil {
		return err
	}
	if err := p.hear(at, &tagged, selfClosing && !k.void); err != nil {
		return err
	}
	p.dress(at)
	p.place(at)
	if p.open[at].parts != 0 {
		p.space(at-1, p.open[at].parts)
	}
	if err := p.links.start(name, &tagged); err != nil {
		return err
	}
	if tagged.sheet {
		if err := p.linked(&tagged); err != nil {
			return err
		}
	}
	if p.sheet.Has(css.Before) || p.sheet.Has(css.After) || p.sheet.Has(css.FirstLetter) {
		if err := p.decorate(at); err != nil {
			return err
		}
	}
	if tagged.alt != "" && !tagged.unseen {
		if err := p.put(at, " "+tagged.alt+" ", p.all, instead); err != nil {
			return err
		}
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

// data tells whether what is in an element is for programs alone.
func (p *page) data(name string) bool {
	return p.only && name == "xml" || len(p.open) > 0 && p.open[len(p.open)-1].data
}

// decorate has what style sheets add to an element.
func (p *page) decorate(at int) error {
	rules, err := p.generated(at, css.Before)
	if err != nil {
		return err
	}
	if err := p.generate(at, rules); err != nil {
		return err
	}
	if p.open[at].after, err = p.generated(at, css.After); err != nil {
		return err
	}
	return p.first(at)
}

// paragraph notes how the paragraph looks that a table ends, or is in, where that makes
// a difference (HTML §13.2.6.4.7, quirks mode).
func (p *page) paragraph() error {
	at := p.innermost(kinds["p"], "p") - 1
	if at < p.floor || p.open[len(p.open)-1].scope > at+1 {
		return nil
	}
	outer := p.all
	if at > 0 {
		outer = p.open[at-1].seen
	}
	if p.open[at].seen == outer {
		return nil
	}
	if err := p.ask(question{belief: tables}); err != nil {
		return err
	}
	p.kept = true
	for i := range p.worlds {
		p.around = append(p.around, p.looks[i][at])
	}
	return nil
}

// hear takes what is said of an element, by its tag and by style sheets.
func (p *page) hear(at int, tagged *attributes, closed bool) error {
	if p.stray(p.open[at].name) {
		return nil
	}
	var inline *css.Style
	var sheet css.Matched
	var err error
	if tagged.style != "" {
		if inline, err = p.styleOf(tagged.style); err != nil {
			return err
		}
	}
	if sheet, err = p.sheet.Of(p.budget, p.node(at)); err != nil {
		return err
	}
	if inline == nil && len(sheet) == 0 && p.around == nil && tagged.silent() {
		return nil
	}
	s := said{certain: tagged.certain, looks: tagged.looks, unseen: tagged.unseen, closed: closed, inline: inline, sheet: sheet}
	if err := p.budget.Charge(len(p.worlds) * (1 + 2*len(s.sheet))); err != nil {
		return err
	}
	p.open[at].said = &s
	return p.wonder(at, &s)
}

// The styles that are kept: most elements of a page have one of a few.
const (
	maxStyles = 64
	maxStyle  = 1 << 10 // octets
)

// styleOf is what a style attribute says, nil for nothing.
func (p *page) styleOf(text string) (*css.Style, error) {
	if style, ok := p.styles[text]; ok {
		return style, p.budget.Charge(1 + len(text)/perStep)
	}
	read, err := css.Attribute(p.budget, text)
	if err != nil {
		return nil, err
	}
	style := &read
	if read == (css.Style{}) {
		style = nil
	}
	if len(text) <= maxStyle && len(p.styles) < maxStyles {
		p.styles[text] = style
	}
	return style, nil
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
			in := p.all
			if p.kept {
				in = p.with(tables) // in others it is open
			}
			p.kept = p.kept && name != "p"
			p.space(len(p.open)-1, in)
		}
		return nil
	}
	if !k.block && !k.formatting && !k.barrier && p.open[len(p.open)-1].block > at+1 {
		return nil // a block is open in it
	}
	parts := p.open[at].parts
	p.space(len(p.open)-1, p.open[at].apart)
	if k.formatting {
		if err := p.remove(at); err != nil {
			return err
		}
	} else {
		p.pop(at)
	}
	p.space(len(p.open)-1, parts)
	return nil
}
