package mail

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/charset"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"github.com/tollgate-mail/tollgate/internal/lexical"
)

// parameterTexts are the readings of the parameters of that name, decoded. Raw
// 8-bit octets are read in the fallback charset if they are not UTF-8.
func parameterTexts(b *budget.Budget, list []parameter, name, fallback string) []string {
	texts := parameterTextsOnce(b, list, name, fallback)
	for _, text := range slices.Clone(texts) {
		if strings.Contains(text, "=?") { // encoded twice
			texts = append(texts, fieldtext.DecodeAll(b, text, fallback))
		}
		if plain := unescape(text); plain != text { // likewise
			texts = append(texts, fieldtext.DecodeAll(b, plain, fallback))
		}
	}
	return texts
}

func parameterTextsOnce(b *budget.Budget, list []parameter, name, fallback string) []string {
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
				texts = append(texts, inCharset(b, label, unescape(octets), fallback)...)
			}
		default:
			for _, v := range p.values {
				texts = append(texts, fieldtext.Decodings(b, v, fallback)...)
				if plain := unescape(v); plain != v { // as RFC 2231 has it, without saying so
					texts = append(texts, fieldtext.DecodeAll(b, plain, fallback))
				}
				// The start of a character at the end of a name is left out by some.
				if cut := strings.TrimRightFunc(v, func(r rune) bool { return r == utf8.RuneError }); len(v)-len(cut) < utf8.UTFMax && cut != v {
					texts = append(texts, fieldtext.DecodeAll(b, cut, fallback))
				}
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
	texts = append(texts, joined(b, first, fallback)...)
	if len(first) < len(sections) {
		texts = append(texts, joined(b, last, fallback)...)
	}
	// The mark that a section is encoded may lack.
	if v := first[0].values[0]; !first[0].encoded && strings.Count(v, "'") >= 2 && strings.IndexByte(v, '%') >= 0 {
		for i := range first {
			first[i].encoded = true
		}
		texts = append(texts, joined(b, first, fallback)...)
	}
	return append(texts, looselyJoined(b, first, fallback)...)
}

// looselyJoined puts sections together as programs do that mind neither where one
// ends nor which are encoded, and look for a charset in each.
func looselyJoined(b *budget.Budget, sections []parameter, fallback string) []string {
	var octets strings.Builder
	label, encoded := "", false
	for _, p := range sections {
		v := p.values[0]
		for _, other := range p.values {
			if len(other) < len(v) {
				v = other
			}
		}
		if p.encoded {
			encoded = true
			l, rest := cutCharset(v)
			if v = rest; label == "" {
				label = l
			}
		}
		octets.WriteString(v)
	}
	if !encoded {
		return fieldtext.Decodings(b, octets.String(), fallback)
	}
	return inCharset(b, label, unescape(octets.String()), fallback)
}

// joined puts sections together: characters may be divided between them.
func joined(b *budget.Budget, sections []parameter, fallback string) []string {
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
		return fieldtext.Decodings(b, octets.String(), fallback)
	}
	return inCharset(b, label, octets.String(), fallback)
}

// cutCharset takes charset and language off (RFC 2231 §4). Where nothing follows
// the language it is none.
func cutCharset(s string) (label, rest string) {
	label, rest, ok := strings.Cut(s, "'")
	if language, text, two := strings.Cut(rest, "'"); ok && two {
		if text == "" {
			text = language
		}
		return label, text
	}
	return "", s
}

func inCharset(b *budget.Budget, label, octets, fallback string) []string {
	c, ok := charset.Find(label)
	if !ok || charset.SaysNothing(label) {
		return fieldtext.Decodings(b, octets, fallback)
	}
	texts := []string{c.Decode(b, octets)}
	if turned, ok := c.Turned(octets); ok {
		texts = append(texts, turned.Decode(b, octets))
	}
	return texts
}

// unescape decodes what percent signs encode (RFC 2231 §4).
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && lexical.HexDigit(s[i+1]) >= 0 && lexical.HexDigit(s[i+2]) >= 0 {
			out = append(out, byte(lexical.HexDigit(s[i+1])<<4|lexical.HexDigit(s[i+2])))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return string(out)
}
