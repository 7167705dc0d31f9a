package css

import (
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2/css"
)

// The bounds of a selector.
const (
	maxCompounds = 8
	maxTests     = 8
	maxDoubtful  = 128 // octets by which those are told apart whose matches are not known
	maxArguments = 8   // selectors of a pseudo-class
	maxWithin    = 3   // such lists within each other
)

// Part is what of an element a rule is about.
type Part uint8

// The parts: the element itself, and its pseudo-elements (CSS Pseudo 4).
const (
	Whole Part = iota
	Before
	After
	FirstLetter
	parts
)

// believed is a selector, and what of it cannot be told: "" of most.
type believed struct {
	selector
	doubt string
	part  Part
	first joint // of the selector of the rule around, from it
}

// selecting reads a list of selectors.
type selecting struct {
	*tokens
	depth int // of lists within each other
	all   []believed
	text  string     // of the selector that is read
	doubt bool       // it cannot be told what it matches
	front []compound // of the selector that is read, in their order
	last  compound
	any   bool // last is not empty
	void  bool // it never matches
	part  Part
	first joint // what it begins with
	ends  bool  // a brace ends the block that the list is in
	// odd tells that programs that do not know something of it, or all, take no notice of
	// the whole list (Selectors 4 §3.9).
	odd bool
}

// selectors reads a list up to its block; false at the end of the text.
func (t *tokens) selectors(nested bool) ([]believed, bool) {
	s := selecting{tokens: t, ends: nested}
	ok := s.read(css.LeftBraceToken)
	if s.odd {
		for i := range s.all {
			s.all[i].doubt += "!"
		}
	}
	return s.all, ok
}

// read reads a list up to a token; false where that does not come.
func (s *selecting) read(until css.TokenType) bool {
	for {
		switch {
		case s.kind == css.CommaToken, s.kind == css.WhitespaceToken && s.text == "":
		case s.kind == css.WhitespaceToken:
			s.tell(" ")
		default:
			s.tell(s.exact)
		}
		switch {
		case s.kind == until:
			s.end()
			return true
		case s.kind == css.LeftBraceToken, s.kind == css.RightBraceToken && s.ends:
			return false
		case s.kind == css.CommaToken:
			s.end()
		case s.kind == css.WhitespaceToken:
			s.combine(around)
		case s.is(">"):
			s.combine(parent)
		case s.is("+"):
			s.combine(before)
			s.doubt = true // not all programs know of it
		case s.is("~"):
			s.combine(earlier)
			s.doubt = true
		case s.is("&"):
			s.last.self, s.any = true, true
		case s.is("|"): // what stands before it is a namespace
			s.last.name = ""
		case s.kind == css.IdentToken:
			s.last.name, s.any = s.tokens.text, true
		case s.is("*"):
			s.any = true
		case s.kind == css.HashToken:
			id := strings.TrimPrefix(s.exact, "#")
			s.odd = s.odd || id == "" || '0' <= id[0] && id[0] <= '9'
			s.test(test{attr: Cased{"id", "id"}, value: Case(id), match: css.DelimToken})
		case s.is("."):
			if !s.next() {
				return false
			}
			s.odd = s.odd || s.kind != css.IdentToken
			s.test(test{attr: Cased{"class", "class"}, value: Case(s.exact), match: css.IncludeMatchToken})
			s.tell(s.exact)
			if s.kind == until {
				continue
			}
		case s.kind == css.LeftBracketToken:
			s.test(s.attribute())
		case s.kind == css.ColonToken:
			s.any = true
			s.pseudo()
			if s.kind == until {
				continue
			}
		default:
			s.odd = true
		}
		if !s.next() {
			return false
		}
	}
}

func (s *selecting) test(t test) {
	s.any = true
	if len(s.last.tests) < maxTests {
		s.last.tests = append(s.last.tests, t)
	} else {
		s.doubt = true // it may ask for what the element does not have
	}
}

// combine ends a compound; what comes next is somewhere from it.
func (s *selecting) combine(to joint) {
	if s.any {
		s.front = append(s.front, s.last)
		s.last, s.any = compound{}, false
		if n := len(s.front); n > 2*maxCompounds { // those before the last ones are not asked for
			s.front, s.doubt = append(s.front[:0], s.front[n-maxCompounds:]...), true
		}
	}
	switch n := len(s.front); {
	case to == around:
	case n > 0:
		s.odd = s.odd || s.front[n-1].joint != around
		s.front[n-1].joint = to
	default:
		s.first = to
	}
}

func (s *selecting) end() {
	s.combine(around)
	n := len(s.front)
	s.odd = s.odd || n == 0 || s.front[n-1].joint != around || s.first != around && !s.ends
	if n > 0 && !s.void {
		slices.Reverse(s.front)
		if len(s.front) > maxCompounds {
			s.front, s.doubt = s.front[:maxCompounds], true
		}
		one := believed{selector: slices.Clip(s.front), part: s.part, first: s.first}
		if s.doubt {
			one.doubt = s.text
		}
		if len(s.all) < maxRules {
			s.all = append(s.all, one)
		} else {
			s.full = true
		}
	}
	*s = selecting{tokens: s.tokens, depth: s.depth, all: s.all, ends: s.ends, odd: s.odd}
}

// attribute reads a test in brackets.
func (t *selecting) attribute() test {
	var a test
	for t.next() && t.kind != css.RightBracketToken {
		switch t.kind {
		case css.NumberToken, css.DimensionToken, css.LeftBraceToken:
			t.odd = true
		case css.WhitespaceToken:
		case css.IncludeMatchToken, css.DashMatchToken, css.PrefixMatchToken, css.SuffixMatchToken, css.SubstringMatchToken, css.DelimToken:
			a.match = t.kind
		default:
			if a.match == 0 {
				a.attr = Case(t.exact)
			} else if a.value == (Cased{}) {
				a.value = Case(strings.Trim(t.exact, `"'`))
			}
		}
	}
	return a
}

// within are selectors of a rule that stands in another one (CSS Nesting 1 §3.1): false
// where there are more than are kept.
func within(outer, inner []believed) (all []believed, ok bool) {
	const most = 64
	if len(outer)*len(inner) > most {
		return nil, false
	}
	for _, in := range inner {
		for _, out := range outer {
			one := believed{doubt: "&" + in.doubt + out.doubt, part: in.part}
			if out.part != Whole {
				continue
			}
			last := len(in.selector) - 1
			at := slices.IndexFunc(in.selector, func(c compound) bool { return c.self })
			one.selector = slices.Clone(in.selector)
			switch {
			case at < 0:
				first := out.selector[0]
				first.joint = in.first
				one.selector = append(append(one.selector, first), out.selector[1:]...)
			default:
				// Where it stands elsewhere, too, or with more around it, less is asked for.
				c := &one.selector[at]
				c.self = false
				if c.name == "" {
					c.name = out.selector[0].name
				}
				c.tests = append(slices.Clone(c.tests), out.selector[0].tests...)
				if at == last {
					one.selector = append(one.selector, out.selector[1:]...)
				}
			}
			one.selector = one.selector[:min(len(one.selector), maxCompounds)]
			all = append(all, one)
		}
	}
	return all, true
}
