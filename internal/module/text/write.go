package text

import (
	"errors"
	"math/bits"
	"slices"
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
	added           // a style sheet adds them, where they are seen
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
	everywhere := in == p.all
	turned, quiet := worlds(0), false
	if at >= 0 {
		if p.open[at].data {
			return nil
		}
		quiet = p.open[at].quiet
	}
	p.begun = p.begun || strings.TrimLeft(text, " \t\n\f") != ""
	if p.not && !p.only {
		if strings.TrimLeft(text, " \n\t\f") != "" {
			if err := p.ask(question{belief: notes}); err != nil {
				return err
			}
			if everywhere {
				in = p.all
			}
		}
		in &^= p.noted
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
	seen := p.all
	if at >= 0 {
		if turned = p.open[at].turned; how != added {
			seen = p.open[at].seen
		}
	}
	if (seen&p.usual == 0 || quiet) && in&p.usual != 0 && how == within {
		p.hidden = append(p.hidden, text...)
	}
	in &= seen
	if in&p.usual != 0 && !quiet {
		p.links.words(text)
	}
	if p.firsts && how == within {
		var err error
		if text, err = p.letterless(at, text, in); err != nil {
			return err
		}
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
			if bits.TrailingZeros32(uint32(out)) < bits.TrailingZeros32(uint32(in)) {
				in, out = out, in
			}
			sets[i] = in
			sets = append(sets, out)
		}
	}
	return sets
}

// readings are the texts of a page, each once. Of more than are given, those come first
// that have something the ones before do not: all of a page is in one of them, as far as
// there is room.
func (p *page) readings() (all []string, err error) {
	sets := p.alike()
	if len(sets) > maxReadings {
		if err := p.covering(sets); err != nil {
			return nil, err
		}
	}
	for _, set := range sets {
		if err := p.budget.Charge(len(p.chunks) + len(p.buffer)/perStep); err != nil {
			return all, err
		}
		text := p.reading(set)
		if slices.Contains(all, text) {
			continue
		}
		if len(all) == maxReadings {
			p.found(SymbolLimit)
			break
		}
		all = append(all, text)
	}
	return all, nil
}

// covering orders sets of worlds: behind the first, the one that sees most of what those
// before it do not.
func (p *page) covering(sets []worlds) error {
	seen := worlds(0)
	for n := range sets[:maxReadings] {
		if err := p.budget.Charge(len(p.chunks) * (1 + len(sets)/8)); err != nil {
			return err
		}
		if n == 0 {
			seen = sets[0]
			continue
		}
		var more [maxWorlds]int // octets, by the first world of a set
		from := 0
		for _, c := range p.chunks {
			if c.seen&seen == 0 {
				for rest := c.seen; rest != 0; rest &= rest - 1 {
					more[bits.TrailingZeros32(uint32(rest))] += c.end - from
				}
			}
			from = c.end
		}
		best := n
		first := func(i int) int { return bits.TrailingZeros32(uint32(sets[i])) }
		for i := n + 1; i < len(sets); i++ {
			if more[first(i)] > more[first(best)] {
				best = i
			}
		}
		sets[n], sets[best] = sets[best], sets[n]
		seen |= sets[n]
	}
	return nil
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
	p.pop(0) // what style sheets add behind what is open
	if p.spent != nil {
		return p.spent
	}
	all, err := p.readings()
	for _, text := range all {
		if err := p.plain(text); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	return p.hide(string(p.hidden))
}

// cut gives what was read of a page that costs too much: rules see what is there.
func (p *page) cut(err error) error {
	if errors.Is(err, budget.ErrSpent) {
		for i, set := range p.alike() {
			if i == maxReadings {
				break
			}
			text := p.reading(set)
			p.inspection.text.add(seen(text[:min(len(text), 2*maxText)]), maxText)
		}
	}
	return err
}
