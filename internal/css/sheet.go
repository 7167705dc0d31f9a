package css

import (
	"cmp"
	"slices"
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
}

// rule is a selector with what it says.
type rule struct {
	selector selector
	weight   int
	order    int
	style    Style
}

// Read adds a sheet. The error is the budget's.
func (s *Sheet) Read(b *budget.Budget, text string) error {
	t := newTokens(b, text)
	s.block(t, 0, false)
	return t.err
}

// Len is how many rules were read that are about what is seen.
func (s *Sheet) Len() int { return s.read }

// Cut tells whether there was more than is looked at.
func (s *Sheet) Cut() bool { return s.cut }

// Wants tells whether a selector asks for an attribute.
func (s *Sheet) Wants(attr string) bool { return s.wants[attr] }

// block reads rules until the end of a block, or of the text. What holds on some
// screens only is kept where it hides: what it shows is shown there alone.
func (s *Sheet) block(t *tokens, depth int, some bool) {
	for t.next() {
		switch t.kind {
		case css.RightBraceToken:
			if depth > 0 {
				return
			}
		case css.WhitespaceToken, css.SemicolonToken, css.CDOToken, css.CDCToken:
		case css.AtKeywordToken:
			s.at(t, depth, some)
		default:
			selectors, ok := t.selectors()
			if !ok {
				return
			}
			style := t.declarations()
			if some {
				style.Normal.Add(style.Important)
				style = Style{Somewhere: style.Normal.hiding()}
			}
			s.add(selectors, style)
		}
	}
}

// at reads an at-rule: blocks of rules for media and the like are read, all else is
// passed over. Some is whether the rule holds on some screens only.
func (s *Sheet) at(t *tokens, depth int, some bool) {
	name, print, screen := t.text, false, false
	const longest = 16
	prelude := ""
	for t.next() && t.kind != css.LeftBraceToken {
		if t.kind == css.SemicolonToken {
			return
		}
		print = print || t.is("print") || t.is("speech")
		screen = screen || t.is("screen") || t.is("all") || t.kind == css.CommaToken
		if t.kind != css.WhitespaceToken && len(prelude) <= longest {
			prelude += t.text + " "
		}
	}
	if t.kind != css.LeftBraceToken {
		return
	}
	switch strings.TrimPrefix(name, "@") {
	case "media", "supports", "layer", "document", "-moz-document", "container":
		if (!print || screen) && depth < maxDepth {
			// What is written otherwise may hold nowhere.
			everywhere := name == "@media" && slices.Contains([]string{"", "all ", "screen ", "only screen ", "only all "}, prelude)
			s.block(t, depth+1, some || !everywhere)
			return
		}
	}
	t.skip()
}

func (s *Sheet) add(selectors []selector, style Style) {
	if style == (Style{}) {
		return
	}
	for _, sel := range selectors {
		s.read++
		if s.count >= maxRules {
			s.cut = true
			return
		}
		if s.rules == nil {
			s.rules, s.wants = make(map[string][]*rule), make(map[string]bool)
		}
		key := sel.key()
		same := s.rules[key]
		if n := len(same); n > 0 && slices.EqualFunc(same[n-1].selector, sel, compound.equal) {
			same[n-1].style.add(style)
			continue
		}
		s.count++
		s.rules[key] = append(same, &rule{sel, sel.weight(), s.count, style})
		for _, c := range sel {
			for _, t := range c.tests {
				s.wants[t.attr] = true
			}
		}
	}
}

// maxWords is how many classes of an element are looked at.
const maxWords = 16

// Of is what the sheet says of an element. The error is the budget's.
func (s *Sheet) Of(b *budget.Budget, e Element) (Style, error) {
	if s.count == 0 {
		return Style{}, nil
	}
	var found []*rule
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
			return Style{}, err
		}
	}
	slices.SortFunc(found, func(a, b *rule) int {
		return cmp.Or(cmp.Compare(a.weight, b.weight), cmp.Compare(a.order, b.order))
	})
	var all Style
	for _, r := range found {
		all.add(r.style)
	}
	return all, nil
}

// matches tells whether a selector is of an element. One is looked for outwards, the
// nearest first: a child's parent that is found so and is no child itself of what
// comes before ends the search, which only makes an element seen that is not.
func (s *Sheet) matches(b *budget.Budget, sel selector, e Element) (bool, error) {
	for i, c := range sel {
		for {
			if s.steps++; s.steps > maxSteps {
				s.cut = true
				return false, nil
			}
			ok, err := c.holds(b, e)
			if err != nil {
				return false, err
			}
			if ok {
				break
			}
			if i == 0 || c.child {
				return false, nil
			}
			if e = e.Parent(); e == nil {
				return false, nil
			}
		}
		if i+1 < len(sel) {
			if e = e.Parent(); e == nil {
				return false, nil
			}
		}
	}
	return true, nil
}
