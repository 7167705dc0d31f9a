package css

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

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
	rules map[string][]*rule // by the key of their selector
	wants map[string]bool    // attributes that selectors ask for
	count int
	read  int
	steps int
	cut   bool

	edges       []float64 // widths of screens that queries tell apart
	doubts      []string  // what they are about
	ofSelectors Doubt
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
	s.block(t, 0, condition{})
	return t.err
}

// Len is how many rules were read that are about what is seen.
func (s *Sheet) Len() int { return s.read }

// Cut tells whether there was more than is looked at.
func (s *Sheet) Cut() bool { return s.cut }

// Wants tells whether a selector asks for an attribute.
func (s *Sheet) Wants(attr string) bool { return s.wants[attr] }

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
			s.at(t, depth, when)
		default:
			selectors, ok := t.selectors()
			if !ok {
				return
			}
			s.add(selectors, t.declarations(), when)
		}
	}
}

// at reads an at-rule: blocks of rules for media and the like are read, all else is
// passed over.
func (s *Sheet) at(t *tokens, depth int, when condition) {
	name := strings.TrimPrefix(t.text, "@")
	p, ok := t.prelude()
	if !ok {
		return
	}
	also := false
	var within condition
	switch name {
	case "media":
		within, also = s.media(p)
	case "supports", "layer", "document", "-moz-document", "container":
		if p.cut {
			p.text += strconv.Itoa(s.read)
		}
		within, also = condition{doubts: s.doubt("@" + name + p.text)}, true
	}
	if also && depth < maxDepth {
		s.block(t, depth+1, when.and(within))
		return
	}
	t.skip()
}

func (s *Sheet) add(selectors []believed, style Style, when condition) {
	if style == (Style{}) {
		return
	}
	for _, one := range selectors {
		sel := one.selector
		s.read++
		if s.count >= maxRules {
			s.cut = true
			return
		}
		if s.rules == nil {
			s.rules, s.wants = make(map[string][]*rule), make(map[string]bool)
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
		same := s.rules[key]
		if n := len(same); n > 0 && same[n-1].when.equal(when) && slices.EqualFunc(same[n-1].selector, sel, compound.equal) {
			same[n-1].style.add(style)
			continue
		}
		for _, one := range when.widths {
			s.edge(one)
		}
		s.count++
		s.rules[key] = append(same, &rule{sel, sel.weight(), s.count, when, style})
		for _, c := range sel {
			for _, t := range c.tests {
				s.wants[t.attr] = true
			}
		}
	}
}

// maxWords is how many classes of an element are looked at.
const maxWords = 16

// Matched are the rules that are about an element, the weakest first.
type Matched []*rule

// In is what they say in a view.
func (m Matched) In(v View) Style {
	var all Style
	for _, r := range m {
		if r.when.holds(v) {
			all.add(r.style)
		}
	}
	return all
}

// Doubts are those that it is about what they say; wide tells whether it is about the
// width of the screen, too.
func (m Matched) Doubts() (all Doubt, wide bool) {
	for _, r := range m {
		all |= r.when.doubts
		wide = wide || r.when.widths != nil
	}
	return all, wide
}

// Says tells whether they say something of a property.
func (m Matched) Says(p Property) bool {
	return slices.ContainsFunc(m, func(r *rule) bool { return r.style.Normal[p] != 0 || r.style.Important[p] != 0 })
}

// Of are the rules about an element. The error is the budget's.
func (s *Sheet) Of(b *budget.Budget, e Element) (Matched, error) {
	if s.count == 0 {
		return nil, nil
	}
	var found Matched
	look := func(key string) error {
		for _, r := range s.rules[key] {
			ok, err := s.matches(b, r.selector, e)
			if err != nil {
				return err
			}
			if ok {
				found = append(found, r)
			}
		}
		return nil
	}
	keys := []string{"*", e.Name()}
	if id, ok := e.Attr("id"); ok {
		keys = append(keys, "#"+id)
	}
	if class, ok := e.Attr("class"); ok {
		n := 0
		for word := range strings.FieldsSeq(class) {
			if n++; n > maxWords {
				s.cut = true
				break
			}
			keys = append(keys, "."+word)
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
	slices.SortFunc(found, func(a, b *rule) int {
		return cmp.Or(cmp.Compare(a.weight, b.weight), cmp.Compare(a.order, b.order))
	})
	return found, nil
}

// matches tells whether a selector is of an element.
func (s *Sheet) matches(b *budget.Budget, sel selector, e Element) (bool, error) {
	return s.outwards(b, sel, 0, e)
}

// outwards tells whether an element, or one around it where the selector says so, is as
// the i-th compound has it, and those around that one as the others have it.
func (s *Sheet) outwards(b *budget.Budget, sel selector, i int, e Element) (bool, error) {
	for {
		if s.steps++; s.steps > maxSteps {
			s.cut = true
			return false, nil
		}
		ok, err := sel[i].holds(b, e)
		if err != nil || ok && i+1 == len(sel) {
			return ok, err
		}
		around := e.Parent()
		if around == nil {
			return false, nil
		}
		if ok {
			// The nearest does, unless a parent is asked for: then one farther out may have
			// the one that is.
			ok, err := s.outwards(b, sel, i+1, around)
			if ok || err != nil || !slices.ContainsFunc(sel[i+1:], func(c compound) bool { return c.child }) {
				return ok, err
			}
		}
		if i == 0 || sel[i].child {
			return false, nil
		}
		e = around
	}
}
