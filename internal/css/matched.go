package css

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// Matched are the rules that are about an element, the weakest first.
type Matched []match

// match is a rule that is about an element, if some doubts are none.
type match struct {
	*rule
	doubts Doubt
}

// ofCase is the doubt whether the case of classes counts.
const ofCase = "the case of names"

// In is what they say in a view.
func (m Matched) In(v View) Style {
	var all Style
	for _, r := range m {
		if r.doubts&v.Not == 0 && r.when.holds(v) {
			all.add(r.style)
		}
	}
	return all
}

// Doubts are those that it is about what they say; wide tells whether it is about the
// width of the screen, too.
func (m Matched) Doubts() (all Doubt, wide bool) {
	for _, r := range m {
		all |= r.when.doubts | r.doubts
		wide = wide || r.when.widths != nil
	}
	return all, wide
}

// Says tells whether they say something of a property.
func (m Matched) Says(p Property) bool {
	return slices.ContainsFunc(m, func(r match) bool { return r.style.Normal[p] != 0 || r.style.Important[p] != 0 })
}

// Beside tells whether selectors ask for what stands beside an element; places, for which
// of those it is.
func (s *Sheet) Beside() (elements, places bool) { return s.beside, s.places }

// Has tells whether there are rules about a part of elements.
func (s *Sheet) Has(of Part) bool { return len(s.rules[of]) > 0 }

// Of are the rules about an element. The error is the budget's.
func (s *Sheet) Of(b *budget.Budget, e Element) (Matched, error) { return s.Part(b, e, Whole) }

// Part are the rules about a part of it.
func (s *Sheet) Part(b *budget.Budget, e Element, of Part) (Matched, error) {
	rules := s.rules[of]
	if len(rules) == 0 {
		return nil, nil
	}
	var found Matched
	m := matching{Sheet: s, budget: b}
	look := func(key string) error {
		for _, r := range rules[key] {
			m.nearly = false
			ok, err := m.matches(r.selector, e)
			doubts := Doubt(0)
			if m.nearly && !ok && err == nil {
				m.fold = true
				ok, err = m.matches(r.selector, e)
				if m.fold = false; ok {
					doubts = s.doubt(ofCase)
					s.ofSelectors |= doubts
				}
			}
			if err != nil {
				return err
			}
			if ok {
				found = append(found, match{r, doubts})
			}
		}
		return nil
	}
	keys := []string{"*", e.Name()}
	if id, ok := e.Attr("id"); ok {
		keys = append(keys, "#"+id.Lower)
	}
	if class, ok := e.Attr("class"); ok {
		n := 0
		for word := range strings.FieldsSeq(class.Lower) {
			if n++; n > maxWords {
				s.cut = true
				break
			}
			if key := "." + word; !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	for _, key := range keys {
		if err := look(key); err != nil {
			return nil, err
		}
	}
	if err := b.Charge(len(found) * 8); err != nil { // they are put in order
		return nil, err
	}
	slices.SortFunc(found, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.weight, b.weight), cmp.Compare(a.order, b.order))
	})
	return found, nil
}

// Writes tells whether they say what stands in a pseudo-element.
func (m Matched) Writes() bool {
	return slices.ContainsFunc(m, func(r match) bool {
		return r.style.Normal[Content] >= firstWords || r.style.Important[Content] >= firstWords
	})
}

// Columns tells whether they say that something is a column of a table.
func (m Matched) Columns() bool {
	return slices.ContainsFunc(m, func(r match) bool { return r.style.Normal[Display] == Column || r.style.Important[Display] == Column })
}
