package text

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// group is digits in a row: where they begin and end in a text.
type group struct{ from, to int }

// maxGroups is how many groups the number of a card may have.
const maxGroups = 19

// cardIn tells whether a text has the number of a card: 13 to 19 digits of a network
// of payments, their check digit included, alone or in groups with a space, a hyphen,
// a point, a slash or a low line between them. Where more groups of digits stand next to it, its
// own must be as they are printed on cards: rows of prices are no numbers of cards.
func cardIn(text string) bool {
	if mayHaveDigits(text) {
		text = plainDigits(text)
	}
	var run []group
	for at := 0; at < len(text); {
		if !isDigit(text[at]) {
			at++
			continue
		}
		g := group{at, at}
		for g.to < len(text) && isDigit(text[g.to]) {
			g.to++
		}
		run = append(run, g)
		next := between(text[g.to:])
		if next > 0 {
			at = g.to + next
			if len(run) > maxGroups { // too many for all to be one
				if printed(text, run[:maxGroups]) {
					return true
				}
				run = run[1:]
			}
			continue
		}
		if alike(text, run) && isCard(text, run) {
			return true
		}
		for len(run) > 0 {
			if printed(text, run) {
				return true
			}
			run = run[1:]
		}
		at = g.to
	}
	return false
}

// alike tells whether the same stands between all groups: prices and dates have a point
// where there is a space between them.
func alike(text string, run []group) bool {
	for i := 2; i < len(run); i++ {
		if text[run[i-1].to:run[i].from] != text[run[0].to:run[1].from] {
			return false
		}
	}
	return true
}

// printed tells whether groups begin with those of a card, as they are printed.
func printed(text string, run []group) bool {
	for _, lengths := range [][]int{{4, 4, 4, 4}, {4, 4, 4, 4, 3}, {4, 6, 5}, {4, 6, 4}, {8, 8}} {
		if len(run) >= len(lengths) && slices.EqualFunc(run[:len(lengths)], lengths, func(g group, n int) bool { return g.to-g.from == n }) &&
			isCard(text, run[:len(lengths)]) {
			return true
		}
	}
	return isCard(text, run[:1])
}

// isCard tells whether groups are the number of a card.
func isCard(text string, run []group) bool {
	if len(run) > maxGroups || !standsApart(text, run[0].from, run[len(run)-1].to) {
		return false
	}
	var number strings.Builder
	for _, g := range run {
		if number.Len()+g.to-g.from > maxGroups {
			return false
		}
		number.WriteString(text[g.from:g.to])
	}
	return issued(number.String()) && luhn(number.String())
}

// issued tells whether a network of payments has numbers of this length that begin
// so (ISO/IEC 7812-1; the ranges are those that networks publish).
func issued(number string) bool {
	const first = 4
	n := len(number)
	if n < 13 {
		return false
	}
	begin, _ := strconv.Atoi(number[:first])
	within := func(from, to int) bool { return from <= begin && begin <= to }
	switch {
	case within(4000, 4999): // Visa
		return n == 13 || n == 16 || n == 19
	case within(5100, 5599), within(2221, 2720): // Mastercard
		return n == 16
	case within(2200, 2204), within(3528, 3589), within(6011, 6011), within(6440, 6599), within(6200, 6299): // Mir, JCB, Discover, UnionPay
		return n >= 16
	case within(3400, 3499), within(3700, 3799): // American Express
		return n == 15
	case within(3000, 3059), within(3600, 3699), within(3800, 3999): // Diners Club
		return n == 14 || n == 16
	case within(5000, 5099), within(5600, 5899), within(6300, 6399), within(6700, 6799): // Maestro
		return true
	}
	return false
}

// between is the length of what may stand between groups of digits; 0 where the
// next is no digit.
func between(text string) int {
	i := 0
	if strings.HasPrefix(text, " ") {
		i++
	}
	for _, s := range []string{"-", ".", "/", "_", "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212"} {
		if strings.HasPrefix(text[i:], s) {
			if i += len(s); strings.HasPrefix(text[i:], " ") {
				i++
			}
			break
		}
	}
	if i == len(text) || !isDigit(text[i]) {
		return 0
	}
	return i
}

// mayHaveDigits tells whether a text may have digits of other scripts than ours: the
// first is U+0660, and there is none among the signs of U+2000 to U+2FFF.
func mayHaveDigits(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= 0xd9 && c != 0xe2 {
			return true
		}
	}
	return false
}

// plainDigits is a text with the digits of every script as ASCII has them.
func plainDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x660 || !unicode.IsDigit(r) { // before it are those of ASCII alone
			return r
		}
		for _, d := range unicode.Nd.R16 {
			if rune(d.Lo) <= r && r <= rune(d.Hi) {
				return '0' + (r-rune(d.Lo))%10
			}
		}
		for _, d := range unicode.Nd.R32 {
			if rune(d.Lo) <= r && r <= rune(d.Hi) {
				return '0' + (r-rune(d.Lo))%10
			}
		}
		return r
	}, text)
}
