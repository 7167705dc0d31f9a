package text

import (
	"errors"
	"math/bits"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// chunk is text that is seen in the same worlds. It ends where the next begins.
type chunk struct {
	end  int
	seen worlds
}

// written is what words are.
type written int

const (
	within  written = iota
	instead         // they stand for something else than text: that one is not seen hides nothing
)

// words takes what is written where the page is.
func (p *page) words(text string) error {
	return p.put(p.holder(len(p.open), &nobodys), text, p.all, within)
}

// space ends a word, in some worlds, in the element at a place.
func (p *page) space(at int, in worlds) {
	if in != 0 && p.spent == nil {
		p.spent = p.put(at, " ", in, within)
	}
}

// put takes what is written in the element at a place, in some worlds.
func (p *page) put(at int, text string, in worlds, how written) error {
	p.begun = true
	everywhere := in == p.all
	seen, turned, quiet := p.all, worlds(0), false
	if at >= 0 {
		e := &p.open[at]
		if e.data {
			return nil
		}
		seen, turned, quiet = e.seen, e.turned, e.quiet
	}
	if only := p.only || quiet; only {
		if p.noted == 0 {
			if p.apart() && strings.TrimLeft(text, " \n\t") == "" {
				return nil
			}
			if err := p.ask(question{belief: notes}); err != nil {
				return err
			}
			if everywhere {
				in = p.all
			}
			return p.put(at, text, in|p.noted, how)
		}
		in &= p.noted
	}
	if (seen&p.usual == 0 || quiet) && in&p.usual != 0 && how == within {
		p.hidden = append(p.hidden, text...)
	}
	in &= seen
	if in&p.usual != 0 && !quiet {
		p.links.words(text)
	}
	if turned &= in; turned != 0 {
		p.write(backwards(text), turned)
		in &^= turned
	}
	p.write(text, in)
	return nil
}

// apart tells whether a word has ended, in all worlds.
func (p *page) apart() bool {
	n := len(p.buffer)
	return n == 0 || p.buffer[n-1] == ' ' && p.chunks[len(p.chunks)-1].seen == p.all
}

// write adds a text.
func (p *page) write(text string, seen worlds) {
	n, size := len(p.chunks), len(p.buffer)
	if seen == 0 || text == " " && size > 0 && p.buffer[size-1] == ' ' && p.chunks[n-1].seen&seen == seen {
		return
	}
	p.buffer = append(p.buffer, text...)
	if n > 0 && p.chunks[n-1].seen == seen {
		p.chunks[n-1].end = len(p.buffer)
		return
	}
	p.chunks = append(p.chunks, chunk{len(p.buffer), seen})
}

// maxReadings is how many different texts of a page there may be.
const maxReadings = 8

// alike are the worlds that see the same of the page, the first world's first.
func (p *page) alike() []worlds {
	sets := []worlds{p.all}
	for _, c := range p.chunks {
		for i := 0; i < len(sets); i++ {
			in, out := sets[i]&c.seen, sets[i]&^c.seen
			if in == 0 || out == 0 {
				continue
			}
			if len(sets) == maxReadings {
				p.found(SymbolLimit)
				return sets
			}
			if bits.TrailingZeros32(uint32(out)) < bits.TrailingZeros32(uint32(in)) {
				in, out = out, in
			}
			sets[i] = in
			sets = append(sets, out)
		}
	}
	return sets
}

// reading is what is seen in a world.
func (p *page) reading(in worlds) string {
	if len(p.chunks) == 1 && p.chunks[0].seen&in != 0 {
		return string(p.buffer)
	}
	in &= -in
	b := p.scratch[:0]
	from := 0
	for _, c := range p.chunks {
		if c.seen&in != 0 {
			b = append(b, p.buffer[from:c.end]...)
		}
		from = c.end
	}
	p.scratch = b
	return string(b)
}

func (p *page) end() error {
	if p.sheet.Cut() {
		p.found(SymbolLimit)
	}
	if err := p.links.end(); err != nil {
		return err
	}
	sets := p.alike()
	if err := p.budget.Charge(len(p.chunks) * len(sets)); err != nil {
		return err
	}
	for _, set := range sets {
		if err := p.plain(p.reading(set)); err != nil {
			return err
		}
	}
	return p.hide(string(p.hidden))
}

// cut gives what was read of a page that costs too much: rules see what is there.
func (p *page) cut(err error) error {
	if errors.Is(err, budget.ErrSpent) {
		for _, set := range p.alike() {
			text := p.reading(set)
			p.inspection.text.add(seen(text[:min(len(text), 2*maxText)]), maxText)
		}
	}
	return err
}
