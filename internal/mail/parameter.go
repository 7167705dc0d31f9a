package mail

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/charset"
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
	s := unfold(raw)
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
		if n, ok := read[p.from]; ok && n == len(text) {
			continue // it stands where it should
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
	value = strings.Trim(uncomment(value), " \t\"")
	return strings.ToLower(value), found.all(), some || found.whole > maxReadings
}

// parameterOf is a parameter by its name as it is written.
func parameterOf(name string, values []string) parameter {
	p := parameter{name: strings.ToLower(strings.TrimSpace(name)), section: -1, values: values}
	if name, ok := strings.CutSuffix(p.name, "*"); ok {
		p.name, p.encoded = name, true
	}
	if i := strings.LastIndexByte(p.name, '*'); i >= 0 {
		if n, err := strconv.ParseUint(p.name[i+1:], 10, 16); err == nil {
			p.name, p.section = p.name[:i], int(n)
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

// parameterTexts are the readings of the parameters of that name, decoded. Raw
// 8-bit octets are read in the fallback charset if they are not UTF-8.
func parameterTexts(b *budget.Budget, list []parameter, name, fallback string) []string {
	var texts []string
	var sections []parameter
	for _, p := range list {
		switch {
		case p.name != name:
		case p.section >= 0:
			sections = append(sections, p)
		case p.encoded:
			for _, v := range p.values {
				label, octets := cutCharset(v)
				texts = append(texts, inCharset(b, label, unescape(octets), fallback))
			}
		default:
			for _, v := range p.values {
				texts = append(texts, decodeAll(b, v, fallback))
			}
		}
	}
	if len(sections) == 0 {
		return texts
	}
	// RFC 2231 §3: the order is that of the numbers. Of sections that are
	// there twice some take the first, some the last.
	slices.SortStableFunc(sections, func(a, b parameter) int { return cmp.Compare(a.section, b.section) })
	var first, last []parameter
	for _, p := range sections {
		n := len(first)
		if n > 0 && first[n-1].section == p.section {
			last[n-1] = p
			continue
		}
		first, last = append(first, p), append(last, p)
	}
	texts = append(texts, joined(b, first, fallback))
	if len(first) < len(sections) {
		texts = append(texts, joined(b, last, fallback))
	}
	// The mark that a section is encoded may lack.
	if v := first[0].values[0]; !first[0].encoded && strings.Count(v, "'") >= 2 && strings.IndexByte(v, '%') >= 0 {
		for i := range first {
			first[i].encoded = true
		}
		texts = append(texts, joined(b, first, fallback))
	}
	return texts
}

// joined puts sections together: characters may be divided between them.
func joined(b *budget.Budget, sections []parameter, fallback string) string {
	var octets strings.Builder
	label, encoded := "", false
	for i, p := range sections {
		v := p.values[0]
		if !p.encoded {
			octets.WriteString(v)
			continue
		}
		encoded = true
		if i == 0 { // RFC 2231 §4.1: the charset stands in the first only
			label, v = cutCharset(v)
		}
		octets.WriteString(unescape(v))
	}
	if !encoded {
		return decodeAll(b, octets.String(), fallback)
	}
	return inCharset(b, label, octets.String(), fallback)
}

// cutCharset takes charset and language off (RFC 2231 §4).
func cutCharset(s string) (label, rest string) {
	label, rest, ok := strings.Cut(s, "'")
	if _, text, two := strings.Cut(rest, "'"); ok && two {
		return label, text
	}
	return "", s
}

func inCharset(b *budget.Budget, label, octets, fallback string) string {
	if c, ok := charset.Find(label); ok && !charset.SaysNothing(label) {
		return c.Decode(b, octets)
	}
	return decodeAll(b, octets, fallback)
}

// unescape decodes what percent signs encode (RFC 2231 §4).
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hexDigit(s[i+1]) >= 0 && hexDigit(s[i+2]) >= 0 {
			out = append(out, byte(hexDigit(s[i+1])<<4|hexDigit(s[i+2])))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return string(out)
}
