package mail

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"github.com/tollgate-mail/tollgate/internal/lexical"
)

// maxReadings bounds the parameters of one field that are looked at, but for the
// sections of RFC 2231: the first and the last of them. Of parameters that
// contradict each other a program shows one or the other.
const maxReadings = 64

// parameter is one of Content-Type or Content-Disposition (RFC 2045 §5.1, RFC
// 2183 §2).
type parameter struct {
	name    string   // lower case, without the marks of RFC 2231
	section int      // RFC 2231 §3: name*1 is section 1; -1 for a whole value
	encoded bool     // RFC 2231 §4
	values  []string // raw octets; several where it can be read in several ways
}

// parameters reads what a field's value begins with, and those of its
// parameters that name files and boundaries: first the ones that stand where
// they should, then what is one for programs that mind separators, quotes or
// comments less. cut tells that there were more than are kept.
func parameters(b *budget.Budget, raw string) (value string, list []parameter, cut bool) {
	_ = b.Charge(len(raw))
	s := fieldtext.Unfold(raw)
	value, rest := cutParameter(s)
	if strings.IndexByte(value, '=') >= 0 { // the value lacks, or its separator
		rest = s
	}
	found := parameterList{budget: b}
	read := make(map[int]int) // octets of the values, by where they begin
	for rest != "" && b.Charge(1) == nil {
		var text string
		start := len(s) - len(rest)
		text, rest = cutParameter(rest)
		name, value, ok := strings.Cut(text, "=")
		if ok && parameterOf(name, nil).asked() {
			read[start+len(name)+1] = len(value)
			found.add(parameterOf(name, readings(b, value)))
		}
	}
	loose, some := looseParameters(b, s)
	for _, p := range loose {
		text := s[p.from:p.to]
		if n, ok := read[p.from]; ok && (n == len(text) || n > len(text) && len(text) == maxValue) {
			continue // it stands where it should, and was read as far as it goes
		}
		values := readings(b, text)
		if i := strings.IndexByte(text, ';'); i >= 0 {
			// The semicolon stands in quotes for some and not for others.
			for _, v := range readings(b, text[:i]) {
				if !slices.Contains(values, v) {
					values = append(values, v)
				}
			}
		}
		found.add(parameterOf(p.name, values))
	}
	value = strings.Trim(lexical.Uncomment(value), " \t\"")
	return strings.ToLower(value), found.all(), some || found.whole > maxReadings
}

// parameterOf is a parameter by its name as it is written. White space or quotes
// in it, and what is no number of a section, are not minded.
func parameterOf(name string, values []string) parameter {
	name = strings.Trim(strings.TrimSpace(name), " \t\"'")
	if strings.IndexByte(name, '*') >= 0 {
		name = strings.NewReplacer(" ", "", "\t", "").Replace(name)
	}
	p := parameter{name: strings.ToLower(name), section: -1, values: values}
	if name := strings.TrimRight(p.name, "*"); name != p.name {
		p.name, p.encoded = name, true
	}
	if name, section, ok := strings.Cut(p.name, "*"); ok {
		p.name = name
		if n, err := strconv.ParseUint(section, 10, 16); err == nil {
			p.section = int(n)
		} else {
			p.encoded = true
		}
	}
	return p
}

// asked tells whether anybody wants to know the parameter.
func (p parameter) asked() bool {
	return p.name == "name" || p.name == "filename" || p.name == "boundary"
}

// parameterList keeps parameters, each once, within its bound.
type parameterList struct {
	budget *budget.Budget
	list   []parameter
	last   []parameter // beyond the bound, in a ring
	next   int
	have   map[string]bool
	// whole counts those that are no sections, whose number the length of the
	// field bounds.
	whole int
}

func (l *parameterList) add(p parameter) {
	if !p.asked() {
		return
	}
	if l.have == nil {
		l.have = make(map[string]bool)
	}
	key := p.name + "*" + strconv.Itoa(p.section) + "*" + strconv.FormatBool(p.encoded)
	fresh := p.values[:0:0]
	for _, v := range p.values {
		if _ = l.budget.Charge(1 + len(v)); !l.have[key+v] {
			l.have[key+v] = true
			fresh = append(fresh, v)
		}
	}
	if len(fresh) == 0 {
		return
	}
	if p.section < 0 { // sections go by their first value
		p.values = fresh
		if l.whole++; l.whole > maxReadings/2 {
			if len(l.last) < maxReadings/2 {
				l.last = append(l.last, p)
				return
			}
			l.last[l.next] = p
			l.next = (l.next + 1) % len(l.last)
			return
		}
	}
	l.list = append(l.list, p)
}

func (l *parameterList) all() []parameter {
	return slices.Concat(l.list, l.last[l.next:], l.last[:l.next])
}

// cutParameter cuts at the first semicolon that does not stand in quotes.
// Quotes that nothing closes go on to the end.
func cutParameter(s string) (param, rest string) {
	quotes := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quotes = !quotes
		case c == '\\' && quotes:
			i++
		case c == ';' && !quotes:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}
