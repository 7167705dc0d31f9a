package css

import (
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2/css"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// Element is one that a sheet is asked about.
type Element interface {
	// Name is in lower case.
	Name() string
	// Attr is an attribute, by its name in lower case.
	Attr(name string) (Cased, bool)
	// Parent is nil of the outermost.
	Parent() Element
	// Before is the element beside it that comes before, nil of the first.
	Before() Element
	// Place is which of those it is, from 1 on; of its name alone, if that is asked for. 0
	// is not known.
	Place(ofName bool) int
}

// Cased is a text as it stands there, and in lower case.
type Cased struct{ Exact, Lower string }

// Case is that of a text.
func Case(value string) Cased { return Cased{value, strings.ToLower(value)} }

// selector is one without commas: its compounds, the last first.
type selector []compound

// joint is where the element of a compound stands from the one behind it.
type joint uint8

const (
	around joint = iota
	parent
	before // right before it, in the same element
	earlier
)

// compound is what one element must be.
type compound struct {
	name  string // "": any
	tests []test
	joint joint
	self  bool // it is what the rule around is about, too
}

// test is of an attribute, as class and id are, too; or of something else.
type test struct {
	attr, value Cased
	match       css.TokenType // Delim '=' is exact; IncludeMatch a word; 0: it is there
	of          *asked        // nil: of an attribute
}

// asked is what a pseudo-class with arguments asks for.
type asked struct {
	any    []selector // one of them, not one of them
	not    bool
	step   int // a place: step·n + from
	from   int
	ofName bool
}

// perStep is how many octets are compared in a step.
const perStep = 16

// matching compares selectors with elements. The case of classes and the like counts in
// pages of the standard alone (Selectors 4 §6.6).
type matching struct {
	*Sheet
	budget *budget.Budget
	fold   bool // case does not count
	nearly bool // it made a difference
}

// test tells whether an element is as a test has it. The error is the budget's: what a
// sender makes long is compared with each of many selectors.
func (m *matching) test(t *test, e Element) (bool, error) {
	if t.of != nil {
		return m.function(t.of, e)
	}
	v, ok := e.Attr(t.attr.Lower)
	if err := m.budget.Charge(1 + len(v.Exact)/perStep); err != nil || !ok {
		return false, err
	}
	if m.fold {
		return is(t.match, v.Lower, t.value.Lower), nil
	}
	if is(t.match, v.Exact, t.value.Exact) {
		return true, nil
	}
	m.nearly = m.nearly || is(t.match, v.Lower, t.value.Lower)
	return false, nil
}

// function tells whether an element is as a pseudo-class has it.
func (m *matching) function(f *asked, e Element) (bool, error) {
	if err := m.budget.Charge(1); err != nil {
		return false, err
	}
	if f.any == nil {
		n := e.Place(f.ofName)
		if n == 0 {
			return false, nil
		}
		n -= f.from
		return f.step == 0 && n == 0 || f.step != 0 && n%f.step == 0 && n/f.step >= 0, nil
	}
	for _, sel := range f.any {
		if ok, err := m.matches(sel, e); ok || err != nil {
			return ok != f.not, err
		}
	}
	return f.not, nil
}

func is(match css.TokenType, v, want string) bool {
	switch match {
	case css.IncludeMatchToken:
		return hasWord(v, want)
	case css.DelimToken:
		return v == want
	case css.DashMatchToken:
		return v == want || strings.HasPrefix(v, want) && strings.HasPrefix(v[len(want):], "-")
	case css.PrefixMatchToken:
		return strings.HasPrefix(v, want)
	case css.SuffixMatchToken:
		return strings.HasSuffix(v, want)
	case css.SubstringMatchToken:
		return strings.Contains(v, want)
	}
	return true
}

func hasWord(all, word string) bool {
	for w := range strings.FieldsSeq(all) {
		if w == word {
			return true
		}
	}
	return false
}

func (m *matching) compound(c *compound, e Element) (bool, error) {
	if m.steps++; m.steps > maxSteps {
		m.cut = true
		return false, nil
	}
	if err := m.budget.Charge(1); err != nil || c.name != "" && c.name != e.Name() {
		return false, err
	}
	for i := range c.tests {
		if ok, err := m.test(&c.tests[i], e); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// matches tells whether a selector is of an element.
func (m *matching) matches(sel selector, e Element) (bool, error) {
	if ok, err := m.compound(&sel[0], e); !ok || err != nil {
		return false, err
	}
	return m.rest(sel[1:], e)
}

// rest tells whether the elements around an element, or before it, are as the compounds
// have them.
func (m *matching) rest(sel selector, e Element) (bool, error) {
	for {
		if len(sel) == 0 {
			return true, nil
		}
		switch sel[0].joint {
		case around, parent:
			e = e.Parent()
		default:
			e = e.Before()
		}
		if e == nil {
			return false, nil
		}
		ok, err := m.compound(&sel[0], e)
		if err != nil {
			return false, err
		}
		if ok {
			// The nearest does, unless a certain place is asked for: then one farther out may
			// have the one that is there.
			ok, err := m.rest(sel[1:], e)
			if ok || err != nil || !slices.ContainsFunc(sel[1:], func(c compound) bool { return c.joint != around }) {
				return ok, err
			}
		}
		if sel[0].joint == parent || sel[0].joint == before {
			return false, nil
		}
	}
}

func (c compound) equal(other compound) bool {
	return c.name == other.name && c.joint == other.joint && slices.Equal(c.tests, other.tests)
}

// key is a word that an element must have for the selector to match: one of its
// classes, its id or its name, in lower case; "*" where there is none.
func (s selector) key() string {
	for _, t := range s[0].tests {
		switch {
		case t.of != nil:
		case t.match == css.IncludeMatchToken && t.attr.Lower == "class":
			return "." + t.value.Lower
		case t.match == css.DelimToken && t.attr.Lower == "id":
			return "#" + t.value.Lower
		}
	}
	if s[0].name != "" {
		return s[0].name
	}
	return "*"
}

// weight orders selectors (Selectors 4 §17).
func (s selector) weight() int {
	ids, tests, names := s.specificity()
	return min(ids, 99)*10000 + min(tests, 99)*100 + min(names, 99)
}

func (s selector) specificity() (ids, tests, names int) {
	for _, c := range s {
		if c.name != "" {
			names++
		}
		for _, t := range c.tests {
			switch {
			case t.of != nil && t.of.any != nil:
				best := slices.MaxFunc(t.of.any, func(a, b selector) int { return a.weight() - b.weight() })
				i, n, m := best.specificity()
				ids, tests, names = ids+i, tests+n, names+m
			case t.of == nil && t.attr.Lower == "id" && t.match == css.DelimToken:
				ids++
			default:
				tests++
			}
		}
	}
	return ids, tests, names
}
