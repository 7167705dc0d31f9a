package mail

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/lexical"
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
	name := s[i:]
	if name != "" && parameterOf(name, nil).asked() {
		return name
	}
	// The white space of a fold, written as programmers write it.
	if len(name) > 1 && i > 0 && s[i-1] == '\\' && strings.IndexByte("nrt", name[0]) >= 0 && parameterOf(name[1:], nil).asked() {
		return name[1:]
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

// plainName is the name of a field of a part as it is for those who pass over NULs
// and comments in it ("" where there is nothing of the kind, or the field is another):
// RFC 5322 §2.2 has them in no name, and RFC 822 §3.1.4 had comments between any symbols.
func plainName(line []byte) string {
	i := bytes.IndexByte(line, ':')
	if i <= 0 || bytes.IndexByte(line[:i], 0) < 0 && bytes.IndexByte(line[:i], '(') < 0 {
		return ""
	}
	const most = 256 // octets of a name with what is in it
	name := strings.ReplaceAll(string(line[:min(i, most)]), "\x00", "")
	name = strings.Trim(lexical.Uncomment(name), " \t")
	if name, _, ok := cutField([]byte(name + ":")); ok && describesPart(name) {
		return name
	}
	return ""
}

// indented takes a first line that is indented and a field of the part all the
// same: there is nothing that it goes on.
func (h *headerReader) indented(line []byte) bool {
	field := bytes.TrimLeft(line, " \t")
	if len(field) == len(line) {
		return false
	}
	name, _, ok := cutField(field)
	if !ok || !describesPart(name) {
		return false
	}
	h.s.defects.add(headerLine)
	return h.field(field)
}

// astray takes a line that is a parameter: a fold whose white space was lost, or
// one of a field further up.
func (h *headerReader) astray(line []byte) {
	if strings.EqualFold(h.name, "Content-Type") || strings.EqualFold(h.name, "Content-Disposition") {
		h.more("\n ", line)
		return
	}
	if h.name == "" && len(h.content) == 0 {
		return // no part says anything of itself in such a line alone
	}
	if len(h.lost)+len(line) > maxField/2 {
		h.s.defects.unread(fieldTooLong)
		return
	}
	h.lost = append(append(h.lost, "\n ;"...), line...)
}

// isBase64 tells whether the header says so far that the content is in base64.
func (h *headerReader) isBase64() bool {
	const field, word = "Content-Transfer-Encoding", "base64"
	if strings.EqualFold(h.name, field) && mayName(string(h.head[:min(len(h.head), 256)]), word) {
		return true
	}
	for _, f := range h.content {
		if strings.EqualFold(f.Name, field) && mayName(f.Value[:min(len(f.Value), 256)], word) {
			return true
		}
	}
	return false
}

// isBase64Text tells whether lines may be what is written in base64.
func isBase64Text(lines []byte) bool {
	n := 0
	for _, c := range lines {
		switch {
		case c == '\r', c == '\n':
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', strings.IndexByte("+/=-_", c) >= 0:
			n++
		default:
			return false
		}
	}
	return n > 0 && n%4 == 0
}
