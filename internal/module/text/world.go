package text

import (
	"slices"

	"github.com/tollgate-mail/tollgate/internal/css"
)

// Who sees what of a page: mail programs, and the screens they show it on, differ. A
// world is one of the ways to show it. Which there are follows from what the page
// does: at first there is one, that believes everything; where something that is not
// certain makes a difference, there are two, one that believes it and one that does
// not. So whatever a page mixes, there is a world that shows what a reader sees, as
// long as there are no more than maxWorlds.

// belief is something that a world may hold to be so, one bit each.
type belief uint16

const (
	sheets    belief = 1 << iota // style sheets are obeyed
	paints                       // text is black on white where nothing else is said, and colours are what they seem
	places                       // what is moved or clipped away is out of sight
	boxes                        // what is too large for a box is out of sight
	turns                        // letters run as styles say
	slashes                      // elements with a slash at the end of their tag have text in them
	tables                       // a paragraph ends where a table begins: not in pages that are not of HTML's standard (quirks)
	stills                       // what is animated looks as it does before
	functions                    // what cannot be told hides
	notes                        // what is for Outlook and its like is read, and no other condition is
)

// world is a way to show a page.
type world struct {
	not   belief
	width float64   // of the screen
	doubt css.Doubt // what does not hold
}

// worlds are some, one bit each.
type worlds uint32

// maxWorlds is how many there may be.
const maxWorlds = 32

func (w *world) believes(b belief) bool { return w.not&b == 0 }

// view is how style sheets are read in a world.
func (w *world) view() css.View {
	if w.believes(notes) {
		return css.View{Not: ^css.Doubt(0)}
	}
	return css.View{Width: w.width, Not: w.doubt}
}

// with are the worlds that a belief is held in.
func (p *page) with(b belief) (set worlds) {
	for i := range p.worlds {
		if p.worlds[i].believes(b) {
			set |= 1 << i
		}
	}
	return set
}

// usually tells whether a world is of those by which it is told whether something is
// hidden: of programs that obey everything, on any screen.
func (p *page) usually(w *world) bool {
	return w.believes(sheets|paints|places|slashes) && (w.believes(notes) || w.doubt&p.sheet.Selectors() == 0)
}

// split has a world besides another that was like it up to now.
func (p *page) split(from int, w world) {
	for i := range p.worlds {
		if p.worlds[i] == w {
			return
		}
	}
	most := maxWorlds
	if p.noted == 0 && !w.believes(notes) {
		most-- // there is always one that what is for Outlook alone is written in
	}
	if len(p.worlds) >= most {
		p.found(SymbolLimit)
		return
	}
	n := len(p.worlds)
	p.worlds = append(p.worlds, w)
	p.looks[n] = append(p.looks[n][:0], p.looks[from]...)
	if p.around != nil {
		p.around = append(p.around, p.around[from])
	}
	like := func(set *worlds) { *set |= *set >> from & 1 << n }
	for i := range p.open {
		e := &p.open[i]
		like(&e.seen)
		like(&e.gone)
		like(&e.turned)
		like(&e.apart)
		like(&e.parts)
		like(&e.first)
	}
	for i := range p.chunks {
		like(&p.chunks[i].seen)
	}
	p.count(n)
}

// count notes what a world is.
func (p *page) count(n int) {
	w := &p.worlds[n]
	p.all |= 1 << n
	if p.usually(w) {
		p.usual |= 1 << n
	}
	if w.believes(notes) {
		p.noted |= 1 << n
	}
}

// question is something that worlds may differ in: a belief, a doubt, or a width.
type question struct {
	belief belief
	doubt  css.Doubt
	width  float64
}

// of is a world with the other answer to the question.
func (q question) of(w world) world {
	switch {
	case q.belief == notes:
		return world{not: w.not &^ notes}
	case q.belief != 0:
		w.not |= q.belief
		if q.belief == sheets {
			w.doubt = 0
		}
	case !w.believes(sheets) || w.believes(notes): // they read no conditions
	case q.doubt != 0:
		w.doubt |= q.doubt
	default:
		w.width = q.width
	}
	return w
}

// ask makes two worlds of each, by the answer to a question. It is asked once.
func (p *page) ask(q question) error {
	if q.belief == 0 { // what a condition hides is seen by those that read none
		for _, first := range []belief{sheets, notes} {
			if err := p.ask(question{belief: first}); err != nil {
				return err
			}
		}
	}
	if slices.Contains(p.asked, q) {
		return nil
	}
	p.asked = append(p.asked, q)
	for i := range len(p.worlds) {
		if err := p.budget.Charge(1 + len(p.open) + len(p.chunks)); err != nil {
			return err
		}
		if w := p.worlds[i]; q.of(w) != w {
			p.split(i, q.of(w))
		}
	}
	return nil
}
