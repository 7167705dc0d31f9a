package text

import (
	"math/bits"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/css"
)

// mostTogether is of how many questions all answers are tried with each other. Of
// more, each is tried against all others, answered alike.
const mostTogether = 4

// wonder asks what makes a difference to an element. Two answers may make one only
// together, where either hides it.
func (p *page) wonder(at int, s *said) error {
	for {
		if err := p.budget.Charge(4 * len(s.sheet)); err != nil {
			return err
		}
		questions, widths := p.questions(s)
		if len(questions)+len(widths) == 0 {
			return nil
		}
		matter := p.matter[:0]
		tries := answers(p.tries[:0], len(questions))
		p.tries = tries
		for i := range p.worlds {
			if err := p.budget.Charge(len(tries) * (1 + len(widths)) * (2 + 2*len(s.sheet))); err != nil {
				return err
			}
			matter = p.compare(at, s, i, questions, widths, tries, matter)
		}
		p.matter = matter
		for _, q := range matter {
			if err := p.ask(q); err != nil {
				return err
			}
		}
		if len(matter) == 0 {
			return nil
		}
	}
}

// answers are the sets of questions that are answered otherwise than in the world that
// they are tried in, one bit each.
func answers(all []uint32, n int) []uint32 {
	every := uint32(1)<<n - 1
	if n <= mostTogether {
		for set := range every + 1 {
			all = append(all, set)
		}
		return all
	}
	all = append(all, 0, every)
	for i := range n {
		all = append(all, 1<<i, every&^(1<<i))
	}
	return all
}

// place is where of the answers to so many questions these are, -1 where they are not
// tried.
func place(set uint32, n int) int {
	every := uint32(1)<<n - 1
	switch {
	case n <= mostTogether:
		return int(set)
	case set == 0:
		return 0
	case set == every:
		return 1
	case set&(set-1) == 0:
		return 2 + 2*bits.TrailingZeros32(set)
	}
	if rest := every &^ set; rest&(rest-1) == 0 {
		return 3 + 2*bits.TrailingZeros32(rest)
	}
	return -1
}

// compare adds the questions that make a difference to an element in a world, by those
// answers.
func (p *page) compare(at int, s *said, i int, questions []question, widths []question, tries []uint32, matter []question) []question {
	note := func(q question) {
		if !slices.Contains(matter, q) {
			matter = append(matter, q)
		}
	}
	if cap(p.dresses) < len(tries) {
		p.dresses = make([]dress, len(tries))
	}
	is := p.dresses[:len(tries)]
	for n, set := range tries {
		w := p.worlds[i]
		for k, q := range questions {
			if set>>k&1 != 0 {
				w = q.of(w)
			}
		}
		is[n] = p.dressed(at, s, i, &w)
		for _, q := range widths {
			if other := q.of(w); other != w && p.dressed(at, s, i, &other) != is[n] {
				note(q)
			}
		}
	}
	for n, set := range tries {
		for k, q := range questions {
			if other := place(set^1<<k, len(questions)); other >= 0 && is[other] != is[n] {
				note(q)
			}
		}
	}
	if len(matter) == 0 && slices.ContainsFunc(is, func(d dress) bool { return d != is[0] }) {
		for _, q := range questions {
			note(q)
		}
	}
	return matter
}

// questions are those that may make a difference and have not been asked, and those of
// them that are about the width of screens.
func (p *page) questions(s *said) (all, widths []question) {
	all = p.wondering[:0]
	add := func(q question, may bool) {
		if may && !slices.Contains(p.asked, q) {
			all = append(all, q)
		}
	}
	add(question{belief: sheets}, len(s.sheet) > 0)
	add(question{belief: notes}, s.says(css.MsoHide))
	add(question{belief: paints}, s.says(css.Color) || s.says(css.Back))
	add(question{belief: places}, s.says(css.Away) || s.says(css.Clip) || s.says(css.Display) && s.column())
	add(question{belief: boxes}, s.says(css.MaxHeight))
	add(question{belief: turns}, s.says(css.Override))
	add(question{belief: stills}, p.sheet.Moves() && s.says(css.Moved))
	add(question{belief: functions}, s.certain[css.Unsure] != 0 || s.says(css.Unsure))
	add(question{belief: slashes}, s.closed)
	doubts, wide := s.sheet.Doubts()
	for ; doubts != 0; doubts &= doubts - 1 {
		add(question{doubt: doubts & -doubts}, true)
	}
	n := len(all)
	if wide {
		if p.screens == nil {
			p.screens = p.sheet.Widths()
		}
		for _, width := range p.screens {
			add(question{width: width}, width != css.Widest)
		}
	}
	p.wondering = all
	return all[:n], all[n:]
}

// column tells whether it may be displayed as a column of a table.
func (s *said) column() bool {
	if s.inline != nil && (s.inline.Normal[css.Display] == css.Column || s.inline.Important[css.Display] == css.Column) {
		return true
	}
	return s.sheet.Columns()
}

// says tells whether something is said of a property.
func (s *said) says(property css.Property) bool {
	return s.looks[property] != 0 || s.inline != nil && (s.inline.Normal[property] != 0 || s.inline.Important[property] != 0) || s.sheet.Says(property)
}
