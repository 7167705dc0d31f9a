package css

import "github.com/tdewolff/parse/v2/css"

// pseudo is what a pseudo-class is.
type pseudo int

const (
	doubtful pseudo = iota // it is not told what it matches
	pointed                // what no text is in from the start: where something points, or beside the text
	aLink
)

// pseudo passes over a pseudo-class, and adds its text.
func (t *tokens) pseudo(text *string) pseudo {
	t.next()
	*text += t.text
	if t.kind == css.ColonToken {
		t.next()
		*text += t.text
	}
	if t.kind == css.FunctionToken {
		for depth := 1; depth > 0 && t.next() && t.kind != css.LeftBraceToken; {
			if len(*text) < maxDoubtful {
				*text += t.text
			}
			switch t.kind {
			case css.FunctionToken, css.LeftParenthesisToken:
				depth++
			case css.RightParenthesisToken:
				depth--
			}
		}
		return doubtful
	}
	switch t.text {
	case "hover", "active", "focus", "focus-within", "focus-visible", "visited", "target", "checked", "disabled", "before", "after",
		"first-line", "first-letter", "selection", "placeholder", "marker", "-ms-clear", "-moz-focus-inner":
		return pointed
	case "link", "any-link":
		return aLink
	}
	return doubtful
}
