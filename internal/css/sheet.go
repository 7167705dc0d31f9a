package css

import (
	"slices"
	"strconv"

	"github.com/tdewolff/parse/v2/css"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// What is kept of the sheets of a page.
const (
	maxRules = 1000
	maxDepth = 8 // of blocks within each other
	// maxSteps is how many comparisons a page may cost.
	maxSteps = 1 << 20
)

// Sheet is the style sheets of a page, in their order.
type Sheet struct {
	rules [parts]map[string][]*rule // by the key of their selector
	wants map[string]bool           // attributes that selectors and contents ask for
	count int
	read  int
	steps int
	cut   bool
	moves bool
	// beside and places tell that selectors ask for what stands beside an element, and for
	// which of those it is.
	beside, places bool

	edges       []float64 // widths of screens that queries tell apart
	doubts      []string  // what they are about
	ofSelectors Doubt
	words       []content
}

// rule is a selector with what it says.
type rule struct {
	selector selector
	weight   int
	order    int
	when     condition
	style    Style
}

// Read adds a sheet. The error is the budget's.
func (s *Sheet) Read(b *budget.Budget, text string) error {
	t := newTokens(b, text)
	t.words = &s.words
	s.block(t, 0, condition{})
	s.cut = s.cut || t.full
	return t.err
}

// Len is how many rules were read that are about what is seen.
func (s *Sheet) Len() int { return s.read }

// Cut tells whether there was more than is looked at.
func (s *Sheet) Cut() bool { return s.cut }

// Wants tells whether a selector asks for an attribute.
func (s *Sheet) Wants(attr string) bool { return s.wants[attr] }

// WantsMore tells whether one asks for attributes besides classes and ids.
func (s *Sheet) WantsMore() bool {
	n := len(s.wants)
	for _, usual := range []string{"class", "id"} {
		if s.wants[usual] {
			n--
		}
	}
	return n > 0
}

// Moves tells whether an animation is about what is seen.
func (s *Sheet) Moves() bool { return s.moves }

// block reads rules until the end of a block, or of the text.
func (s *Sheet) block(t *tokens, depth int, when condition) {
	for t.next() {
		switch t.kind {
		case css.RightBraceToken:
			if depth > 0 {
				return
			}
		case css.WhitespaceToken, css.SemicolonToken, css.CDOToken, css.CDCToken:
		case css.AtKeywordToken:
			if s.at(t, nil, depth, when) {
				return
			}
		default:
			selectors, ok := t.selectors(depth > 0)
			if !ok {
				return
			}
			for i := range selectors {
				if selectors[i].first != around || slices.ContainsFunc(selectors[i].selector, func(c compound) bool { return c.self }) {
					selectors[i].doubt += ofNesting
				}
			}
			s.body(t, selectors, depth, when)
		}
	}
}

// ofNesting is the doubt whether a program reads rules within rules.
const ofNesting = "&"

// body reads what a rule has: declarations, and rules within it (CSS Nesting 1).
func (s *Sheet) body(t *tokens, of []believed, depth int, when condition) {
	var style Style
	behind := false // a rule: who does not know of it passes over what comes up to a semicolon
	for t.next() && t.kind != css.RightBraceToken {
		ended := false
		switch {
		case t.kind == css.LeftBraceToken:
			t.skip()
		case t.kind == css.WhitespaceToken:
		case t.kind == css.SemicolonToken:
			behind = false
		case t.kind == css.AtKeywordToken:
			s.add(t, of, style, when)
			style, behind = Style{}, true
			ended = s.at(t, of, depth, when)
		case t.beginsRule():
			s.add(t, of, style, when)
			style, behind = Style{}, true
			ended = !s.nested(t, of, depth, when)
		case behind:
			s.add(t, of, style, when)
			style, behind = Style{}, false
			var one Style
			ended = t.declaration(&one)
			if one != (Style{}) {
				s.add(t, of, one, when.and(condition{doubts: s.doubt(ofNesting)}))
			}
		default:
			ended = t.declaration(&style)
		}
		if ended {
			break
		}
	}
	s.add(t, of, style, when)
}

// nested reads a rule in another; false where it has no block.
func (s *Sheet) nested(t *tokens, of []believed, depth int, when condition) bool {
	selectors, ok := t.selectors(true)
	if !ok {
		return false
	}
	if t.err = t.steps.Charge(len(of) * len(selectors) * maxCompounds); t.err != nil {
		return false
	}
	all, ok := within(of, selectors)
	s.cut = s.cut || !ok
	if depth >= maxDepth {
		s.cut = true
		t.skip()
		return true
	}
	s.body(t, all, depth+1, when)
	return true
}

// add adds rules.
func (s *Sheet) add(t *tokens, selectors []believed, style Style, when condition) {
	if style == (Style{}) {
		return
	}
	// They are compared with those before them.
	if t.err = t.steps.Charge(len(selectors) * maxCompounds); t.err != nil {
		return
	}
	for _, one := range selectors {
		sel := one.selector
		s.read++
		if s.count >= maxRules {
			s.cut = true
			return
		}
		if s.wants == nil {
			s.wants = make(map[string]bool)
		}
		if s.rules[one.part] == nil {
			s.rules[one.part] = make(map[string][]*rule)
		}
		when := when
		if one.doubt != "" {
			if len(one.doubt) >= maxDoubtful { // there may be more of it
				one.doubt += strconv.Itoa(s.read)
			}
			doubt := s.doubt(one.doubt)
			when.doubts |= doubt
			s.ofSelectors |= doubt
		}
		key := sel.key()
		same := s.rules[one.part][key]
		if n := len(same); n > 0 && same[n-1].when.equal(when) && slices.EqualFunc(same[n-1].selector, sel, compound.equal) {
			same[n-1].style.add(style)
			continue
		}
		for _, one := range when.widths {
			s.edge(one)
		}
		s.count++
		s.rules[one.part][key] = append(same, &rule{sel, sel.weight(), s.count, when, style})
		s.want(sel)
		for _, d := range []*Declarations{&style.Normal, &style.Important} {
			for _, p := range s.pieces(d[Content]) {
				s.wants[p.attr] = s.wants[p.attr] || p.attr != ""
			}
		}
	}
}

// want notes what attributes a selector asks for, and whether it does for what stands
// beside an element.
func (s *Sheet) want(sel selector) {
	for _, c := range sel {
		s.beside = s.beside || c.joint == before || c.joint == earlier
		for _, t := range c.tests {
			switch {
			case t.of == nil:
				s.wants[t.attr.Lower] = true
			case t.of.any == nil:
				s.places = true
			}
			if t.of != nil {
				for _, inner := range t.of.any {
					s.want(inner)
				}
			}
		}
	}
}

// maxWords is how many classes of an element are looked at.
const maxWords = 16
