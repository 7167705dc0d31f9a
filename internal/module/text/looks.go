package text

import "github.com/tollgate-mail/tollgate/internal/css"

// looks is whether the text in an element is seen. What hides an element for good
// hides all that is in it; size, visibility and colours are set again within.
type looks struct {
	gone, small, unseen bool
	painted, papered    bool // the colour, what is behind it: said in the element itself
	turned              bool // it runs from right to left, letter by letter
	color, back         css.Value
}

// nearColours cannot be told apart on a screen.
const nearColours = 24

// plainLooks is how text looks that nothing is said about.
func plainLooks() looks { return looks{color: css.Paint(0, 0, 0), back: css.Paint(255, 255, 255)} }

// hidden tells whether a reader sees nothing of a text.
func (l *looks) hidden(w *world) bool {
	switch {
	case l.gone, l.small, l.unseen:
		return true
	case w.believes(paints):
		by, known := css.Differ(l.color, l.back)
		return l.color == css.Clear || known && by <= nearColours || l.back == css.Doubtful && w.believes(functions)
	case !l.painted:
		return false
	}
	by, known := css.Differ(l.color, l.back)
	return l.color == css.Clear || l.papered && known && by == 0
}

// moved are the looks that an animation makes of these: what is not seen without it, and
// the other way round.
func (l looks) moved(outer looks, hidden bool) looks {
	if !hidden {
		l.gone = true
		return l
	}
	l.gone, l.small, l.unseen, l.color = outer.gone, false, false, css.Unknown
	return l
}

// said is what is said of the looks of an element.
type said struct {
	certain css.Declarations // by what stands in the element itself
	looks   css.Declarations // by its colours and sizes
	inline  *css.Style       // nil: nothing
	sheet   css.Matched
	closed  bool // the element has no end: to some it ends at once
	unseen  bool // it is a field of a form that is not shown
}

// nothing tells whether it is.
func (s *said) nothing() bool {
	return !s.unseen && s.inline == nil && len(s.sheet) == 0 && s.certain == (css.Declarations{}) && s.looks == (css.Declarations{})
}

// in are the declarations that count for a reader; ofSheet are those of sheets.
func (s *said) in(w *world) (all, ofSheet css.Declarations) {
	if s.closed && !w.believes(slashes) {
		return all, ofSheet
	}
	all = s.certain
	all.Add(&s.looks)
	var sheet css.Style
	if len(s.sheet) > 0 && w.believes(sheets) {
		sheet = s.sheet.In(w.view())
		ofSheet = sheet.Normal
		ofSheet.Add(&sheet.Important)
		all.Add(&sheet.Normal)
	}
	if s.inline != nil {
		all.Add(&s.inline.Normal)
	}
	all.Add(&sheet.Important)
	if s.inline != nil {
		all.Add(&s.inline.Important)
	}
	return all, ofSheet
}

// within are the looks of an element in one of these looks.
func (l looks) within(d, ofSheet *css.Declarations, w *world) looks {
	hides := func(p css.Property) bool {
		return d[p] == css.Hides || d[p] == css.Doubtful && w.believes(functions)
	}
	if hides(css.Display) || hides(css.Opacity) ||
		hides(css.Overflow) && (hides(css.Height) || hides(css.MaxHeight) || hides(css.Width) || hides(css.MaxWidth)) ||
		hides(css.MsoHide) && w.believes(notes) || hides(css.MaxHeight) && w.believes(boxes) ||
		(d[css.Away].Moves() || d[css.Clip].Moves() || d[css.Display] == css.Column) && w.believes(places) {
		l.gone = true
	}
	set := func(to *bool, p css.Property) {
		if d[p] != 0 && d[p] != css.Inherits {
			*to = hides(p)
		}
	}
	set(&l.small, css.FontSize)
	set(&l.unseen, css.Visibility)
	switch v := d[css.Color]; {
	case v == 0, v == css.Inherits:
	case v == css.Doubtful && w.believes(functions):
		l.color, l.painted = css.Clear, ofSheet[css.Color] == 0
	default:
		l.color, l.painted = v, ofSheet[css.Color] == 0
	}
	if d[css.Back] != 0 && d[css.Back] != css.Inherits {
		l.back, l.papered = d[css.Back], ofSheet[css.Back] == 0
	}
	if d[css.Override] == css.Hides && d[css.Direction] == css.Hides && w.believes(turns) {
		l.turned = true
	}
	return l
}

// dress is how an element is seen.
type dress struct {
	looks         looks
	hidden, apart bool
}

// dressed is how an element is seen in a world, where what is around it is as it is in
// the i-th.
func (p *page) dressed(at int, s *said, i int, w *world) dress {
	var is dress
	e := &p.open[at]
	is.looks = plainLooks()
	if holder := p.holder(at, e.kind); holder >= 0 {
		is.looks = p.looks[i][holder]
	}
	outer := is.looks
	if p.around != nil && e.kind.number == tableElement && !w.believes(tables) {
		is.looks = p.around[i]
	}
	is.apart = e.kind.block && !s.unseen
	all, ofSheet := s.in(w)
	is.looks = is.looks.within(&all, &ofSheet, w)
	switch all[css.Display] {
	case css.Inline:
		is.apart = false
	case css.Block, css.Column:
		is.apart = true
	}
	is.hidden = is.looks.hidden(w)
	if all[css.Moved] == css.Hides && p.sheet.Moves() && !w.believes(stills) {
		is.looks, is.hidden = is.looks.moved(outer, is.hidden), !is.hidden || outer.gone
	}
	return is
}
