package text

import "github.com/tollgate-mail/tollgate/internal/css"

// looks is whether the text in an element is seen. What hides an element for good
// hides all that is in it; size, visibility and colours are set again within.
type looks struct {
	gone, small, unseen bool
	color, back         css.Value
	turned              bool // it runs from right to left, letter by letter
}

// hidden tells whether a reader sees nothing of a text, where colours differ by no
// more than so much.
func (l looks) hidden(near int) bool {
	if l.gone || l.small || l.unseen || l.color == css.Clear {
		return true
	}
	by, known := css.Differ(l.color, l.back)
	return known && by <= near
}

// nearColours cannot be told apart on a screen.
const nearColours = 24

// within are the looks of an element in one of these looks, by what every mail
// program knows that shows pages.
func (l looks) within(d css.Declarations) looks {
	hides := func(p css.Property) bool { return d[p] == css.Hides }
	if hides(css.Display) || hides(css.Opacity) ||
		hides(css.Overflow) && (hides(css.Height) || hides(css.MaxHeight) || hides(css.Width) || hides(css.MaxWidth)) {
		l.gone = true
	}
	set := func(to *bool, p css.Property) {
		if d[p] != 0 {
			*to = hides(p)
		}
	}
	set(&l.small, css.FontSize)
	set(&l.unseen, css.Visibility)
	if d[css.Color] != 0 {
		l.color = d[css.Color]
	}
	if d[css.Back] != 0 {
		l.back = d[css.Back]
	}
	if d[css.Override] == css.Hides && d[css.Direction] == css.Hides {
		l.turned = true
	}
	return l
}

// also are the looks by what some programs know besides.
func (l looks) also(d css.Declarations) looks {
	for _, p := range []css.Property{css.MsoHide, css.Away, css.Clip} {
		l.gone = l.gone || d[p] == css.Hides
	}
	return l
}

// perhaps are the looks by what hides on some screens, or does where something else
// is as it mostly is.
func (l looks) perhaps(somewhere css.Declarations) looks {
	l = l.within(somewhere).also(somewhere)
	l.gone = l.gone || somewhere[css.MaxHeight] == css.Hides
	return l
}

// seenBy is who sees a text.
type seenBy int

const (
	all       seenBy = iota
	elsewhere        // on one screen or another: nobody hides it
	some             // by one mail program or another
	nobody
)
