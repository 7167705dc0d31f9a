package text

import (
	"strings"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/css"
)

// Words that style sheets add to a page, and letters that they take away.

// generated reads the rules about a part of an element, and asks what they depend on.
func (p *page) generated(at int, part css.Part) (css.Matched, error) {
	if !p.sheet.Has(part) || p.stray(p.open[at].name) {
		return nil, nil
	}
	rules, err := p.sheet.Part(p.budget, p.node(at), part)
	if err != nil || len(rules) == 0 || part != css.FirstLetter && !rules.Writes() {
		return nil, err
	}
	if err := p.ask(question{belief: sheets}); err != nil {
		return nil, err
	}
	doubts, wide := rules.Doubts()
	for ; doubts != 0; doubts &= doubts - 1 {
		if err := p.ask(question{doubt: doubts & -doubts}); err != nil {
			return nil, err
		}
	}
	if wide {
		if p.screens == nil {
			p.screens = p.sheet.Widths()
		}
		for _, width := range p.screens {
			if width == css.Widest {
				continue
			}
			if err := p.ask(question{width: width}); err != nil {
				return nil, err
			}
		}
	}
	return rules, nil
}

// generate writes what rules say that stands in a pseudo-element of the element at a place.
func (p *page) generate(at int, rules css.Matched) error {
	if len(rules) == 0 {
		return nil
	}
	if err := p.budget.Charge(len(p.worlds) * (1 + 2*len(rules))); err != nil {
		return err
	}
	rest := p.all
	for i := range p.worlds {
		value, block, shown := p.part(at, rules, i)
		if rest>>i&1 == 0 || !shown {
			continue
		}
		in := worlds(1) << i
		for j := i + 1; j < len(p.worlds); j++ {
			if other, _, also := p.part(at, rules, j); also && other == value {
				in |= 1 << j
			}
		}
		rest &^= in
		if err := p.budget.Charge(len(p.worlds) * 2 * len(rules)); err != nil {
			return err
		}
		if p.made >= maxText {
			p.found(SymbolLimit)
			return nil
		}
		words := p.sheet.Words(value, p.node(at))
		p.made += len(words)
		if err := p.budget.Charge(1 + len(words)); err != nil {
			return err
		}
		if block {
			words = " " + words + " "
		}
		if err := p.put(at, words, in, added); err != nil {
			return err
		}
	}
	return nil
}

// part is what stands in a pseudo-element in a world, and how it is seen there.
func (p *page) part(at int, rules css.Matched, i int) (words css.Value, block, shown bool) {
	w := &p.worlds[i]
	if !w.believes(sheets) {
		return 0, false, false
	}
	style := rules.In(w.view())
	d := style.Normal
	d.Add(&style.Important)
	l := p.looks[i][at].within(&d, &d, w)
	return d[css.Content], d[css.Display] == css.Block, d[css.Content] > css.Doubtful && !l.hidden(w)
}

// first notes where the first letter in an element is not seen.
func (p *page) first(at int) error {
	rules, err := p.generated(at, css.FirstLetter)
	if err != nil || len(rules) == 0 {
		return err
	}
	if err := p.budget.Charge(len(p.worlds) * (1 + 2*len(rules))); err != nil {
		return err
	}
	for i := range p.worlds {
		w := &p.worlds[i]
		if !w.believes(sheets) {
			continue
		}
		style := rules.In(w.view())
		d := style.Normal
		d.Add(&style.Important)
		d[css.Display], d[css.Opacity] = 0, 0 // it has none (CSS Pseudo 4 §2.1.2)
		if l := p.looks[i][at].within(&d, &d, w); l.hidden(w) && p.open[at].seen>>i&1 != 0 {
			p.open[at].first |= 1 << i
		}
	}
	p.firsts = p.firsts || p.open[at].first != 0
	return nil
}

// letterless writes the first letter of a text where it is seen, if a style sheet hides
// it somewhere, and returns what follows it.
func (p *page) letterless(at int, text string, in worlds) (string, error) {
	for k := at; k >= 0; k-- {
		e := &p.open[k]
		if err := p.budget.Charge(1); err != nil {
			return "", err
		}
		if e.first == 0 && !e.kind.block {
			continue
		}
		n := len(text) - len(strings.TrimLeft(text, " \t\n\f"))
		if e.first == 0 || n == len(text) {
			break
		}
		_, size := utf8.DecodeRuneInString(text[n:])
		p.write(text[:n], in)
		p.write(text[n:n+size], in&^e.first)
		e.first = 0
		return text[n+size:], nil
	}
	return text, nil
}
