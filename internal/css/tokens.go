package css

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/css"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// tokens are those of a text, without comments.
type tokens struct {
	lexer  *css.Lexer
	octets *parse.Input // what the lexer reads
	steps  *budget.Budget
	input  string // from the next token on, as far as it is known
	kind   css.TokenType
	text   string // lower case, escapes read
	exact  string // likewise, as it stands there
	err    error

	alone bool // there is no block around: a brace ends nothing

	words *[]content // what pseudo-elements have in them; nil where there are none
	full  bool       // there was more of that than is kept

	buffer [maxValue]value // of what is read now
}

func newTokens(b *budget.Budget, text string) *tokens {
	octets := parse.NewInputString(text)
	return &tokens{lexer: css.NewLexer(octets), octets: octets, steps: b, input: text}
}

// ahead are the tokens that come next. The text is not copied for them: they are asked
// for at each rule within a rule.
func (t *tokens) ahead() *tokens {
	octets := *t.octets
	return &tokens{lexer: css.NewLexer(&octets), octets: &octets, steps: t.steps, input: t.input}
}

// next goes to the next token; false at the end, or where the budget is spent.
func (t *tokens) next() bool {
	for {
		kind, data := t.lexer.Next()
		if t.err = t.steps.Charge(1 + len(data)/16); t.err != nil || kind == css.ErrorToken {
			t.kind, t.text, t.exact = css.ErrorToken, "", ""
			return false
		}
		token := ""
		if strings.HasPrefix(t.input, string(data)) {
			token, t.input = t.input[:len(data)], t.input[len(data):]
		} else { // the lexer passed over something
			token, t.input = string(data), ""
		}
		if kind == css.CommentToken {
			continue
		}
		t.kind, t.exact = kind, unescaped(token)
		t.text = lower(t.exact)
		return true
	}
}

// lower is a text in lower case, as far as it is ASCII: case does not count there alone
// (CSS Values 4 §2.1), and the sign of Kelvin is no k.
func lower(text string) string {
	first := strings.IndexFunc(text, func(r rune) bool { return 'A' <= r && r <= 'Z' })
	if first < 0 {
		return text
	}
	b := []byte(text)
	for i, c := range b[first:] {
		if 'A' <= c && c <= 'Z' {
			b[first+i] = c | 0x20
		}
	}
	return string(b)
}

// is tells whether the token is one that stands for itself.
func (t *tokens) is(text string) bool {
	return t.text == text && t.kind != css.StringToken
}

// unescaped is a token, its escapes read (CSS Syntax 3 §4.3.7).
func unescaped(text string) string {
	if strings.IndexByte(text, '\\') < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			b.WriteByte(text[i])
			i++
			continue
		}
		i++
		end := i
		for end < len(text) && end-i < 6 && isHex(text[end]) {
			end++
		}
		if end == i { // a letter that stands for itself
			_, size := utf8.DecodeRuneInString(text[i:])
			b.WriteString(text[i : i+size])
			i += size
			continue
		}
		n, _ := strconv.ParseUint(text[i:end], 16, 32)
		b.WriteRune(rune(n))
		if i = end; i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n') {
			i++
		}
	}
	return b.String()
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

// skip passes over a block whose brace is open.
func (t *tokens) skip() {
	for depth := 1; depth > 0 && t.next(); {
		switch t.kind {
		case css.LeftBraceToken:
			depth++
		case css.RightBraceToken:
			depth--
		}
	}
}
