package mail

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/lexical"
)

// kind is what an item of an address field is.
type kind uint8

const (
	itemText    kind = iota // atoms and white space
	itemQuoted              // a quoted string, with its quotes
	itemComment             // a comment, without its parentheses
	itemAngle               // what stands between angle brackets
	itemEnd                 // a comma, a semicolon
	itemColon               // of a group
)

type item struct {
	kind kind
	text string
}

// lex divides a value into items. A quote or a comment that nothing closes is
// text, an angle bracket goes on to the end.
func lex(b *budget.Budget, s string) []item {
	if b.Charge(1+len(s)) != nil {
		return nil
	}
	var all []item
	start := 0
	text := func(end int) {
		if end > start {
			all = append(all, item{itemText, s[start:end]})
		}
	}
	quotes, comments := true, true // none that nothing closes has been met
	for i := 0; i < len(s); {
		n := 0
		var one item
		switch s[i] {
		case '"':
			if quotes {
				n = lexical.Quoted(s[i:])
				quotes = n > 0
				one = item{itemQuoted, s[i : i+n]}
			}
		case '(':
			if comments {
				if n = lexical.Comment(s[i:]); n > 0 {
					one = item{itemComment, s[i+1 : i+n-1]}
				} else {
					comments = false
				}
			}
		case '<':
			n = angle(s[i:])
			one = item{itemAngle, strings.Trim(s[i:i+n], "<>")}
		case ',', ';':
			n, one = 1, item{kind: itemEnd}
		case ':':
			n, one = 1, item{kind: itemColon}
		case '[':
			// A domain literal has colons.
			if end := strings.IndexByte(s[i:min(len(s), i+maxLiteral)], ']'); end > 0 {
				i += end
			}
		}
		if n == 0 {
			i++
			continue
		}
		text(i)
		all = append(all, one)
		i += n
		start = i
	}
	text(len(s))
	return all
}

// maxLiteral is more than a domain literal (RFC 5321 §4.1.3) has.
const maxLiteral = 64

// angle is the length of what begins with an angle bracket, up to the one that
// closes it and those that follow it.
func angle(s string) int {
	i := 0
	for i < len(s) && s[i] == '<' {
		i++
	}
	for open := 0; i < len(s); {
		switch s[i] {
		case '"':
			// Where none of the next octets closes it, none of them begins another:
			// there are only quoted quotes.
			if i < open {
				break
			}
			if n := lexical.Quoted(s[i:min(len(s), i+maxQuoted)]); n > 0 {
				i += n
				continue
			}
			open = i + maxQuoted
		case '<': // what was begun before has no end
			return i
		case '>':
			for i < len(s) && s[i] == '>' {
				i++
			}
			return i
		}
		i++
	}
	return len(s)
}

// maxQuoted is how far the end of a quoted local part is looked for.
const maxQuoted = 256
