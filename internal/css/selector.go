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
	// Attr is an attribute in lower case, by its name in lower case.
	Attr(name string) (string, bool)
	// Parent is nil of the outermost.
	Parent() Element
}

// selector is one without commas: its compounds, the last first.
type selector []compound

// compound is what one element must be.
type compound struct {
	name  string // "": any
	tests []test
	child bool // the one behind it must be its child, not only within it
}

// test is of an attribute: class and id are, too.
type test struct {
	attr, value string
	match       css.TokenType // Delim '=' is exact; IncludeMatch a word; 0: it is there
}

// holds tells whether an attribute is as the test has it. The error is the budget's:
// what a sender makes long is compared with each of many selectors.
func (t test) holds(b *budget.Budget, e Element) (bool, error) {
	v, ok := e.Attr(t.attr)
	if err := b.Charge(1 + len(v)/perStep); err != nil {
		return false, err
	}
	return ok && t.is(v), nil
}

// perStep is how many octets are compared in a step.
const perStep = 16

func (t test) is(v string) bool {
	switch t.match {
	case css.IncludeMatchToken:
		return hasWord(v, t.value)
	case css.DelimToken:
		return v == t.value
	case css.DashMatchToken:
		return v == t.value || strings.HasPrefix(v, t.value+"-")
	case css.PrefixMatchToken:
		return strings.HasPrefix(v, t.value)
	case css.SuffixMatchToken:
		return strings.HasSuffix(v, t.value)
	case css.SubstringMatchToken:
		return strings.Contains(v, t.value)
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

func (c compound) holds(b *budget.Budget, e Element) (bool, error) {
	if err := b.Charge(1); err != nil || c.name != "" && c.name != e.Name() {
		return false, err
	}
	for _, t := range c.tests {
		if ok, err := t.holds(b, e); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (c compound) equal(other compound) bool {
	return c.name == other.name && c.child == other.child && slices.Equal(c.tests, other.tests)
}

// key is a word that an element must have for the selector to match: one of its
// classes, its id or its name; "*" where there is none.
func (s selector) key() string {
	for _, t := range s[0].tests {
		if t.match == css.IncludeMatchToken && t.attr == "class" {
			return "." + t.value
		}
		if t.match == css.DelimToken && t.attr == "id" {
			return "#" + t.value
		}
	}
	if s[0].name != "" {
		return s[0].name
	}
	return "*"
}

// weight orders selectors (Selectors 4 §17).
func (s selector) weight() int {
	ids, tests, names := 0, 0, 0
	for _, c := range s {
		if c.name != "" {
			names++
		}
		for _, t := range c.tests {
			if t.attr == "id" && t.match == css.DelimToken {
				ids++
			} else {
				tests++
			}
		}
	}
	return min(ids, 99)*10000 + min(tests, 99)*100 + min(names, 99)
}

// The bounds of a selector.
const (
	maxCompounds = 8
	maxTests     = 8
	maxDoubtful  = 128 // octets by which those are told apart whose matches are not known
)

// believed is a selector, and what of it cannot be told: "" of most.
type believed struct {
	selector
	doubt string
}

// reader of a list of selectors.
type selecting struct {
	all   []believed
	text  string     // of the selector that is read
	doubt bool       // it cannot be told what it matches
	front []compound // of the selector that is read, in their order
	last  compound
	any   bool // last is not empty
	void  bool // it never matches
}

// selectors reads a list up to its block; false at the end of the text.
func (t *tokens) selectors() ([]believed, bool) {
	var s selecting
	for {
		switch {
		case t.kind == css.CommaToken, t.kind == css.WhitespaceToken && s.text == "":
		case t.kind == css.WhitespaceToken:
			s.text += " "
		case len(s.text) < maxDoubtful:
			s.text += t.text
		}
		switch {
		case t.kind == css.LeftBraceToken:
			s.end()
			return s.all, true
		case t.kind == css.CommaToken:
			s.end()
		case t.kind == css.WhitespaceToken:
			s.combine(false)
		case t.is(">"):
			s.combine(true)
		case t.is("+"), t.is("~"):
			// Which element stands beside another is not kept: it is believed.
			s.front, s.last, s.any, s.doubt = nil, compound{}, false, true
		case t.kind == css.IdentToken:
			s.last.name, s.any = t.text, true
		case t.is("*"):
			s.any = true
		case t.kind == css.HashToken:
			s.test(test{"id", strings.TrimPrefix(t.text, "#"), css.DelimToken})
		case t.is("."):
			if !t.next() {
				return nil, false
			}
			s.test(test{"class", t.text, css.IncludeMatchToken})
		case t.kind == css.LeftBracketToken:
			s.test(t.attribute())
		case t.kind == css.ColonToken:
			s.any = true
			switch t.pseudo(&s.text) {
			case pointed:
				s.void = true
			case aLink:
				s.test(test{attr: "href"})
			case doubtful:
				s.doubt = true
			}
			if t.kind == css.LeftBraceToken {
				continue
			}
		}
		if !t.next() {
			return nil, false
		}
	}
}

func (s *selecting) test(t test) {
	s.any = true
	if t.attr == "id" {
		t.value = strings.ToLower(t.value)
	}
	if len(s.last.tests) < maxTests {
		s.last.tests = append(s.last.tests, t)
	} else {
		s.doubt = true // it may ask for what the element does not have
	}
}

// combine ends a compound; what comes next is within it.
func (s *selecting) combine(child bool) {
	if s.any {
		s.front = append(s.front, s.last)
		s.last, s.any = compound{}, false
	}
	if child && len(s.front) > 0 {
		s.front[len(s.front)-1].child = true
	}
}

func (s *selecting) end() {
	s.combine(false)
	if len(s.front) > 0 && !s.void {
		slices.Reverse(s.front)
		if len(s.front) > maxCompounds {
			s.front, s.doubt = s.front[:maxCompounds], true
		}
		one := believed{selector: slices.Clip(s.front)}
		if s.doubt {
			one.doubt = s.text
		}
		s.all = append(s.all, one)
	}
	*s = selecting{all: s.all}
}

// attribute reads a test in brackets.
func (t *tokens) attribute() test {
	var a test
	for t.next() && t.kind != css.RightBracketToken {
		switch t.kind {
		case css.WhitespaceToken:
		case css.IncludeMatchToken, css.DashMatchToken, css.PrefixMatchToken, css.SuffixMatchToken, css.SubstringMatchToken, css.DelimToken:
			a.match = t.kind
		default:
			if a.match == 0 {
				a.attr = t.text
			} else if a.value == "" {
				a.value = strings.Trim(t.text, `"'`)
			}
		}
	}
	return a
}
