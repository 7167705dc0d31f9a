package css

import (
	"strconv"
	"strings"

	"github.com/tdewolff/parse/v2/css"
)

// pseudo takes a pseudo-class or a pseudo-element. Where it is not told what it matches,
// that is a doubt; where it is, too, for not all programs know of it.
func (s *selecting) pseudo() {
	s.next()
	s.tell(s.exact)
	if s.kind == css.ColonToken {
		s.next()
		s.tell(s.exact)
	}
	if s.kind == css.FunctionToken {
		s.doubt = true
		s.arguments(strings.TrimSuffix(s.tokens.text, "("))
		return
	}
	switch s.tokens.text {
	case "before":
		s.part = Before
	case "after":
		s.part = After
	case "first-letter":
		s.part, s.doubt = FirstLetter, true
	// What no text is in from the start: where something points, or beside the text.
	case "hover", "active", "focus", "focus-within", "focus-visible", "visited", "target", "checked", "disabled",
		"selection", "placeholder", "marker", "backdrop", "-ms-clear", "-moz-focus-inner":
		s.void = true
	case "link", "any-link":
		s.test(test{attr: Cased{"href", "href"}})
	case "first-child":
		s.place(asked{from: 1})
	case "first-of-type":
		s.place(asked{from: 1, ofName: true})
	case "root":
		s.last.name, s.doubt = "html", true
	case "first-line": // how much that has follows from the screen
		s.doubt = true
	case "last-child", "only-child", "last-of-type", "only-of-type", "empty", "enabled", "optional", "required", "valid", "invalid", "read-only", "read-write", "default", "scope":
		s.doubt = true
	default:
		s.doubt, s.odd = true, true
	}
}

func (s *selecting) place(f asked) {
	s.doubt = true
	s.test(test{of: &f})
}

// arguments reads those of a pseudo-class up to the parenthesis that ends them.
func (s *selecting) arguments(name string) {
	switch name {
	case "is", "where", "not", "matches", "any", "-webkit-any", "-moz-any":
		if s.depth < maxWithin && s.list(name == "not") {
			return
		}
		s.odd = true
	case "nth-child", "nth-of-type":
		var words strings.Builder
		for s.next() && s.kind != css.RightParenthesisToken && s.kind != css.LeftBraceToken {
			if words.Len() < maxDoubtful {
				words.WriteString(s.tokens.text)
			}
		}
		s.tell(words.String())
		if step, from, ok := nth(words.String()); ok {
			s.place(asked{step: step, from: from, ofName: name == "nth-of-type"})
		}
		return
	}
	switch name {
	case "nth-last-child", "nth-last-of-type", "lang", "dir", "has":
	default:
		s.odd = true
	}
	for depth := 1; depth > 0 && s.kind != css.LeftBraceToken && s.next(); {
		s.tell(s.exact)
		switch s.kind {
		case css.FunctionToken, css.LeftParenthesisToken:
			depth++
		case css.RightParenthesisToken:
			depth--
		}
	}
}

// list reads a list of selectors; false where it is none.
func (s *selecting) list(not bool) bool {
	inner := selecting{tokens: s.tokens, depth: s.depth + 1}
	if !s.next() || !inner.read(css.RightParenthesisToken) {
		return false
	}
	f := &asked{not: not}
	for i, one := range inner.all {
		if i == maxArguments || one.part != Whole {
			return true // it is not told what it matches
		}
		f.any = append(f.any, one.selector)
		for _, c := range one.selector {
			s.tell(c.name)
			for _, t := range c.tests {
				s.tell("." + t.value.Exact[:min(len(t.value.Exact), maxDoubtful)])
			}
		}
	}
	if f.any != nil {
		s.test(test{of: f})
	}
	return true
}

// tell adds to the text by which a doubt is known.
func (s *selecting) tell(text string) {
	if len(s.text) < maxDoubtful {
		s.text += text
	}
}

// nth reads which elements are meant (CSS Syntax 3 §6).
func nth(text string) (step, from int, ok bool) {
	text, _, _ = strings.Cut(text, " of ") // only some of them: less is asked for
	text = strings.ReplaceAll(text, " ", "")
	switch text {
	case "odd":
		return 2, 1, true
	case "even":
		return 2, 0, true
	}
	const most = 1 << 20
	before, after, many := strings.Cut(text, "n")
	if !many {
		before, after = "0", text
	}
	switch before {
	case "", "+":
		before = "1"
	case "-":
		before = "-1"
	}
	if after == "" {
		after = "0"
	}
	step, err := strconv.Atoi(before)
	from, other := strconv.Atoi(after)
	if err != nil || other != nil || max(abs(step), abs(from)) > most {
		return 0, 0, false
	}
	return step, from, true
}
