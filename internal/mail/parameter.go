package mail

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// parameter is one of Content-Type or Content-Disposition (RFC 2045 §5.1, RFC
// 2183 §2).
type parameter struct {
	name    string   // lower case, without the marks of RFC 2231
	section int      // RFC 2231 §3: name*1 is section 1; -1 for a whole value
	encoded bool     // RFC 2231 §4
	values  []string // raw octets; several where it can be read in several ways
}

// parameters reads what a field's value begins with, and those of its
// parameters that name files and boundaries. It is lenient as mail programs
// are.
func parameters(raw string) (value string, list []parameter) {
	s := unfold(raw)
	value, rest := cutParameter(s)
	if strings.IndexByte(value, '=') >= 0 { // the value lacks
		value, rest = "", s
	}
	for rest != "" {
		var text string
		text, rest = cutParameter(rest)
		list = appendParameter(list, text)
		if rest == "" && strings.Count(text, `"`)%2 != 0 {
			// Quotes that nothing closes: the parameters that they hide are
			// seen by those who do not mind quotes.
			_, hidden, _ := strings.Cut(text, ";")
			for _, text := range strings.Split(hidden, ";") {
				list = appendParameter(list, text)
			}
		}
	}
	return strings.ToLower(strings.Trim(value, " \t\"")), list
}

func appendParameter(list []parameter, text string) []parameter {
	name, value, found := strings.Cut(text, "=")
	if !found {
		return list
	}
	p := parameter{name: strings.ToLower(strings.TrimSpace(name)), section: -1}
	if name, ok := strings.CutSuffix(p.name, "*"); ok {
		p.name, p.encoded = name, true
	}
	if i := strings.LastIndexByte(p.name, '*'); i >= 0 {
		if n, err := strconv.ParseUint(p.name[i+1:], 10, 16); err == nil {
			p.name, p.section = p.name[:i], int(n)
		}
	}
	switch p.name {
	case "name", "filename", "boundary":
		p.values = readings(value)
		return append(list, p)
	}
	return list // nobody asks
}

// readings are the values that programs find in the text after the equals
// sign.
func readings(s string) []string {
	s = strings.Trim(s, " \t\r\n")
	quoted, ok := strings.CutPrefix(s, `"`)
	if !ok {
		if len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'' {
			s = s[1 : len(s)-1]
		}
		return []string{s}
	}
	// A backslash quotes any character (RFC 5322 §3.2.1), but who writes the
	// paths of some systems means itself by it.
	var strict, literal strings.Builder
	i := 0
	for ; i < len(quoted) && quoted[i] != '"'; i++ {
		if c := quoted[i]; c == '\\' && i+1 < len(quoted) {
			i++
			if quoted[i] != '"' && quoted[i] != '\\' {
				literal.WriteByte(c)
			}
		}
		strict.WriteByte(quoted[i])
		literal.WriteByte(quoted[i])
	}
	list := []string{literal.String()}
	if strict.Len() != literal.Len() {
		list = append(list, strict.String())
	}
	// Some read on after the quotes.
	if i < len(quoted) {
		if after := strings.Trim(quoted[i+1:], " \t"); after != "" {
			list = append(list, literal.String()+strings.ReplaceAll(after, `"`, ""))
		}
	}
	return list
}

// parameterTexts are the readings of the parameters of that name, decoded. Raw
// 8-bit octets are read in the fallback charset if they are not UTF-8.
func parameterTexts(list []parameter, name, fallback string) []string {
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
				texts = append(texts, inCharset(label, unescape(octets), fallback))
			}
		default:
			for _, v := range p.values {
				texts = append(texts, decodeAll(v, fallback))
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
	texts = append(texts, joined(first, fallback))
	if len(first) < len(sections) {
		texts = append(texts, joined(last, fallback))
	}
	return texts
}

// joined puts sections together: characters may be divided between them.
func joined(sections []parameter, fallback string) string {
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
		return decodeAll(octets.String(), fallback)
	}
	return inCharset(label, octets.String(), fallback)
}

// cutCharset takes charset and language off (RFC 2231 §4).
func cutCharset(s string) (label, rest string) {
	label, rest, ok := strings.Cut(s, "'")
	if _, text, two := strings.Cut(rest, "'"); ok && two {
		return label, text
	}
	return "", s
}

func inCharset(label, octets, fallback string) string {
	if e, ok := charset(label); ok {
		return convert(e, octets)
	}
	return decodeAll(octets, fallback)
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
