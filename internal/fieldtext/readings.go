package fieldtext

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/charset"
)

// Readings are what readers may see in a raw value: first what Decode returns,
// then what others do where labels contradict the octets, where base64 is
// divided between words, has other characters in it or no end, or is encoded
// twice, and each of these as Visible has
// it. Of plain text there is one. They are charged as Decode is.
func Readings(b *budget.Budget, raw, fallbackCharset string) []string {
	_ = b.Charge(1 + len(raw))
	s := Unfold(raw)
	set, _ := charset.Find(fallbackCharset)
	hz, isHZ := charset.HZ(s)
	if plain(s) && !set.Stateful() && !isHZ {
		return []string{s}
	}
	list := make([]string, 0, 3) // what is decoded, and that as it can be seen
	add := func(s string) {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	for _, text := range Decodings(b, s, fallbackCharset) {
		add(Printable(text))
	}
	if set.Stateful() && isASCII(s) {
		add(Printable(set.Decode(b, s)))
	}
	if isHZ {
		add(Printable(hz.Decode(b, s)))
	}
	if strings.Contains(list[0], "=?") {
		add(Decode(b, list[0], fallbackCharset))
	}
	for i := range len(list) { // those there are now
		_ = b.Charge(len(list[i]))
		add(Visible(list[i]))
	}
	return list
}

// Decodings are what programs make of the encoded-words of a text of one line,
// control characters included: first what RFC 2047 says.
func Decodings(b *budget.Budget, s, fallbackCharset string) []string {
	d := decoder{budget: b, fallback: fallbackCharset, rest: s}
	d.out.Grow(len(s))
	list := []string{d.run()}
	for _, other := range []struct {
		manner  manner
		differs bool
	}{{anyLabel, d.unknown}, {asUTF8, d.mislabelled}, {joinedWords, d.divided}, {brokenWords, d.broken}, {otherOrder, d.turned}} {
		if !other.differs {
			continue
		}
		again := decoder{budget: b, manner: other.manner, fallback: fallbackCharset, rest: s}
		if text := again.run(); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}

// Others are the Readings of a value but the first, without white space around
// them. It costs little for what has none.
func Others(b *budget.Budget, raw, fallbackCharset string) []string {
	if foldsOnly(raw) {
		_ = b.Charge(1 + len(raw))
		set, _ := charset.Find(fallbackCharset)
		if _, isHZ := charset.HZ(raw); !set.Stateful() && !isHZ {
			return nil
		}
	}
	all := Readings(b, raw, fallbackCharset)[1:]
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
