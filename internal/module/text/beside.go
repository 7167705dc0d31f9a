package text

import "github.com/tollgate-mail/tollgate/internal/css"

// What stands beside an element: style sheets may ask for it.

// The bounds of what is kept of that.
const (
	maxBeside = 64 // elements
	maxBorn   = 32 // names of elements in one
)

// family are the elements in one, as far as they have come.
type family struct {
	count int
	born  []born
	lost  bool // there are more names than are counted
	last  *sibling
}

// born is how many there are of a name.
type born struct {
	name  string
	count int
}

// sibling is an element that has come, as selectors of what stands behind it see it.
type sibling struct {
	name          string
	attrs         []attribute
	place, ofName int
	before        *sibling
	length        int // of the row that it is the last of
	cut           bool
}

// arrive notes that an element has come into the one that is open, if style sheets ask
// for such.
func (p *page) arrive(at int) error {
	elements, places := p.sheet.Beside()
	if e := &p.open[at]; !elements && !places || e.kind.head && e.name != "html" {
		return nil
	}
	f := &p.family
	if at > 0 {
		if p.open[at-1].family == nil {
			p.open[at-1].family = new(family)
		}
		f = p.open[at-1].family
	}
	if err := p.budget.Charge(1 + len(f.born)); err != nil {
		return err
	}
	e := &p.open[at]
	s := &sibling{name: e.name, attrs: e.attrs, before: f.last, length: 1}
	f.count++
	s.place, s.ofName = f.count, f.of(e.name)
	if f.lost {
		p.found(SymbolLimit)
	}
	if f.last != nil {
		if s.length = f.last.length + 1; s.length > maxBeside {
			row := *f.last
			row.before, row.length, row.cut = nil, 1, true
			s.before, s.length = &row, 2
		}
	}
	f.last, e.beside = s, s
	return nil
}

// of counts one more of a name; 0 is not known.
func (f *family) of(name string) int {
	for i := range f.born {
		if f.born[i].name == name {
			f.born[i].count++
			return f.born[i].count
		}
	}
	if f.lost = f.lost || len(f.born) >= maxBorn; f.lost {
		return 0
	}
	f.born = append(f.born, born{name, 1})
	return 1
}

// aside is a sibling of an element that is open.
type aside struct {
	*sibling
	p  *page
	at int // of that
}

var _ css.Element = aside{}

// Name is in lower case.
func (a aside) Name() string { return a.name }

// Attr is an attribute that was kept.
func (a aside) Attr(name string) (css.Cased, bool) { return attributeOf(a.attrs, name) }

// Parent is the element around both.
func (a aside) Parent() css.Element { return a.p.node(a.at).Parent() }

// Before is the one that came before it.
func (a aside) Before() css.Element {
	if a.cut {
		a.p.found(SymbolLimit)
	}
	if a.before == nil {
		return nil
	}
	return aside{a.before, a.p, a.at}
}

// Place is which one it is.
func (a aside) Place(ofName bool) int {
	if ofName {
		return a.ofName
	}
	return a.place
}

// attributeOf is one of these by its name.
func attributeOf(all []attribute, name string) (css.Cased, bool) {
	for i := range all {
		if all[i].name == name {
			return all[i].value, true
		}
	}
	return css.Cased{}, false
}
