package css

import (
	"strconv"
	"strings"

	"github.com/tdewolff/parse/v2/css"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// Attribute reads a style attribute. A brace that ends no block ends all of it for some
// programs, and for others it is a part of what makes a declaration none: where they differ,
// that is a doubt.
func Attribute(b *budget.Budget, text string) (Style, error) {
	t := newTokens(b, text)
	s := t.declarations()
	if t.err != nil || t.kind != css.RightBraceToken {
		return s, t.err
	}
	t = newTokens(b, text)
	t.alone = true
	other := t.declarations()
	s.Normal.differ(&other.Normal)
	s.Important.differ(&other.Important)
	return s, t.err
}

// differ makes doubts of what others say otherwise. Of Away and Clip there is a reading for
// both in any case.
func (d *Declarations) differ(others *Declarations) {
	for p := range properties {
		switch {
		case d[p] == others[p], p == Unsure:
		case p == Away, p == Clip:
			d[p] = others[p].over(d[p])
		default:
			d[p], d[Unsure] = Doubtful, Hides
		}
	}
}

// maxValue is how many tokens of a value are looked at.
const maxValue = 32

// value is a token of a value; n is the number it begins with, in unit.
type value struct {
	text string // in lower case
	n    float64
	unit string // "none": it begins with no number

	exact string
}

// Presentation takes an attribute of an element of SVG that stands for a property of its
// name (SVG 2 §6.6).
func (d *Declarations) Presentation(b *budget.Budget, name, value string) error {
	const perAttribute = 16
	if err := b.Charge(perAttribute); err != nil {
		return err
	}
	t := newTokens(b, name+":"+value)
	s := t.declarations()
	d.Add(&s.Normal)
	return t.err
}

// declarations reads until the end of a block, or of the text.
func (t *tokens) declarations() Style {
	var s Style
	for t.next() && (t.alone || t.kind != css.RightBraceToken) {
		switch t.kind {
		case css.LeftBraceToken:
			t.skip()
		case css.WhitespaceToken, css.SemicolonToken, css.AtKeywordToken:
		default:
			if t.declaration(&s) {
				return s
			}
		}
	}
	return s
}

// declaration reads one; ended where a block is, too. What begins otherwise than with a
// name ("*display:none") is none, up to its end (CSS Syntax 3 §5.5.5).
func (t *tokens) declaration(s *Style) (ended bool) {
	name := ""
	if t.kind == css.IdentToken {
		name = t.text
	}
	values, important, ended := t.values()
	to := &s.Normal
	if important {
		to = &s.Important
		values = values[:max(len(values)-2, 0)]
	}
	switch {
	case name == "", len(values) == 0:
	case name != "content":
		to.declare(name, values)
	case t.words != nil:
		to[Content] = t.content(values)
	}
	return ended
}

// beginsRule tells whether what begins with this token, where a declaration may stand, is
// a rule: a brace comes before a semicolon.
func (t *tokens) beginsRule() bool {
	if i := strings.IndexAny(t.input, ";{}"); i < 0 || t.input[i] != '{' || strings.HasPrefix(t.text, "--") {
		return false
	}
	ahead := t.ahead()
	for depth, n := 0, 0; ahead.next(); n++ {
		switch ahead.kind {
		case css.FunctionToken, css.LeftParenthesisToken, css.LeftBracketToken:
			depth++
		case css.RightParenthesisToken, css.RightBracketToken:
			depth = max(depth-1, 0)
		case css.SemicolonToken, css.RightBraceToken:
			if depth == 0 {
				return false
			}
		case css.WhitespaceToken:
			n--
		case css.ColonToken:
			if n == 0 { // perhaps a name: its value may be a block
				n = -1000
				if rest := strings.TrimLeft(ahead.input, " \t\n\f"); strings.HasPrefix(rest, "{") {
					return false
				}
			}
		case css.LeftBraceToken:
			if depth == 0 {
				return true
			}
		}
	}
	return false
}

// values reads what is behind a name, none where something else than a colon is;
// ended where a block does, too.
func (t *tokens) values() (values []value, important, ended bool) {
	values = t.buffer[:0]
	depth, colon, bad, bang := 0, false, false, false
	switch t.kind {
	case css.FunctionToken, css.LeftParenthesisToken, css.LeftBracketToken:
		depth = 1
	}
	for t.next() {
		switch t.kind {
		case css.RightBraceToken:
			if depth == 0 && !t.alone {
				return values, important, true
			}
			depth = max(depth-1, 0)
		case css.LeftBraceToken, css.LeftParenthesisToken, css.LeftBracketToken:
			depth++
		case css.RightParenthesisToken, css.RightBracketToken:
			depth = max(depth-1, 0)
		case css.SemicolonToken:
			if depth == 0 {
				return values, important, false
			}
		case css.ColonToken:
			if !colon && len(values) == 0 {
				colon = true
				continue
			}
		case css.FunctionToken:
			depth++
		case css.WhitespaceToken:
			continue
		}
		if bad = bad || !colon; bad {
			continue
		}
		if len(values) < maxValue {
			values = append(values, number(t.text, t.exact))
		}
		// What stands behind it makes it nothing.
		important, bang = bang && t.is("important"), t.is("!")
	}
	return values, important, true
}

// number reads what a token begins with.
func number(text, exact string) value {
	end := 0
	for end < len(text) && ('0' <= text[end] && text[end] <= '9' || text[end] == '.' || end == 0 && (text[0] == '-' || text[0] == '+')) {
		end++
	}
	if end == 0 {
		return value{text: text, unit: "none", exact: exact}
	}
	if power := end + 1; end < len(text) && text[end] == 'e' {
		if power < len(text) && (text[power] == '-' || text[power] == '+') {
			power++
		}
		for power < len(text) && '0' <= text[power] && text[power] <= '9' {
			end, power = power+1, power+1
		}
	}
	n, err := strconv.ParseFloat(text[:end], 64)
	if err != nil {
		return value{text: text, unit: "none", exact: exact}
	}
	return value{text, n, text[end:], exact}
}
