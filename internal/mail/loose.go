package mail

import (
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// maxValue is how far the value of a parameter is followed that stands where none
// should.
const maxValue = 4 << 10

// looseParameter is one by the name before an equals sign, a colon, or white space
// and a quotation mark, wherever that stands. Its value goes up to the next semicolon that is in no quotes.
type looseParameter struct {
	name     string
	from, to int // of the value
}

// looseParameters are those that somebody asks for: the first and the last of
// them, as many as maxReadings and the length of the text allow. Texts that are
// quoted within each other make their values longer than all of it. cut tells
// that there are more.
func looseParameters(b *budget.Budget, s string) (list []looseParameter, cut bool) {
	var all []looseParameter
	for i := 0; i < len(s); i++ {
		next := strings.IndexAny(s[i:], "=:\"")
		if next < 0 {
			break
		}
		i += next
		from := i + 1
		if s[i] == '"' { // neither: a text in quotes after white space
			if i == 0 || s[i-1] != ' ' && s[i-1] != '\t' {
				continue
			}
			from = i
		}
		if name := nameBefore(b, s[:i]); name != "" {
			all = append(all, looseParameter{name: name, from: from})
		}
		if b.Err() != nil {
			return nil, true
		}
	}
	room := 2*len(s) + 128
	var last []looseParameter
	for taken := 0; len(all) > 0; taken++ {
		var one looseParameter
		if taken%2 == 0 {
			one, all = all[0], all[1:]
		} else {
			one, all = all[len(all)-1], all[:len(all)-1]
		}
		text, _ := cutParameter(s[one.from:min(len(s), one.from+maxValue)])
		one.to = one.from + len(text)
		if room -= len(text); room < 0 || taken >= maxReadings || b.Charge(1+len(text)) != nil {
			cut = true
			break
		}
		if taken%2 == 0 {
			list = append(list, one)
		} else {
			last = append(last, one)
		}
	}
	slices.Reverse(last)
	return append(list, last...), cut
}

// nameBefore is the name of a parameter that anybody asks for, if s ends with
// one: comments and white space may follow it (RFC 2045 §5.1, RFC 822 §3.1.4).
func nameBefore(b *budget.Budget, s string) string {
	const (
		most  = 64 // octets of the name, and of what may stand behind it
		turns = 8  // parentheses that are tried where they do not match
	)
	s = strings.TrimRight(s[max(0, len(s)-2*most):], " \t")
	commented := strings.HasSuffix(s, ")")
	if commented {
		_ = b.Charge(len(s))
		if name := lastName(b, beforeComments(s), most); name != "" {
			return name
		}
	}
	for range turns {
		if name := lastName(b, s, most); name != "" {
			return name
		}
		open := strings.LastIndexByte(s, '(')
		if !commented || open < 0 {
			break
		}
		s = strings.TrimRight(s[:open], " \t")
	}
	return ""
}

// lastName is the name of a parameter that s ends with, "" for one that nobody
// asks for.
func lastName(b *budget.Budget, s string, most int) string {
	i := len(s)
	for i > 0 && len(s)-i < most && (nameByte(s[i-1]) || s[i-1] == '*') {
		i--
	}
	_ = b.Charge(1 + len(s) - i)
	if name := s[i:]; name != "" && parameterOf(name, nil).asked() {
		return name
	}
	return ""
}

// beforeComments is a text without the comments that it ends with.
func beforeComments(s string) string {
	for strings.HasSuffix(s, ")") {
		depth, i := 0, len(s)
		for i > 0 {
			switch i--; s[i] {
			case ')':
				depth++
			case '(':
				depth--
			}
			if depth == 0 {
				break
			}
		}
		if depth > 0 {
			return s
		}
		s = strings.TrimRight(s[:i], " \t")
	}
	return s
}
