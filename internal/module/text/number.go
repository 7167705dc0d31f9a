package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of an account number: a country, two check digits and up to 30 characters,
// in groups of four or none.
const (
	leastIBAN    = 4 + 8
	leastAccount = 15 // of all that there are
	mostIBAN     = 4 + 31
)

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// standsAlone tells whether no word is next to a part of a text.
func standsAlone(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	behind, _ := utf8.DecodeRuneInString(text[to:])
	return !isWord(before) && !isWord(behind)
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// luhn checks the last digit (ISO/IEC 7812-1 annex B).
func luhn(s string) bool {
	sum, n, same := 0, 0, true
	var first byte
	for i := len(s) - 1; i >= 0; i-- {
		c := s[i]
		if c < '0' || c > '9' {
			continue
		}
		if n == 0 {
			first = c
		}
		same = same && c == first
		d := int(c - '0')
		if n%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		n++
	}
	return !same && sum%10 == 0
}

// standsApart tells whether no other number is next to a number: a word of letters may be
// that nobody takes for a part of it ("PAN4111…", "…exp12/27"), hexadecimal digits not.
func standsApart(text string, from, to int) bool {
	return (standsAlone(text, from, len(text)) || afterWord(text[:from])) && (standsAlone(text, 0, to) || beforeWord(text[to:]))
}

// afterWord tells whether a text ends with a word that announces the number of a card.
func afterWord(text string) bool {
	const longest = 32 // octets
	end := text[max(0, len(text)-longest):]
	begin := len(end) - len(strings.TrimLeftFunc(end, func(r rune) bool { return r == utf8.RuneError }))
	at := strings.LastIndexFunc(end[begin:], func(r rune) bool { return !unicode.IsLetter(r) })
	word := end[begin:]
	if at >= 0 {
		r, size := utf8.DecodeRuneInString(word[at:])
		if isWord(r) {
			return false
		}
		word = word[at+size:]
	}
	return slices.Contains([]string{"pan", "card", "cc", "visa", "mc", "mastercard", "amex", "mir", "no", "nr", "number", "карта", "карты", "картой", "карту", "мир", "номер"}, strings.ToLower(word))
}

// beforeWord tells whether a text begins with two letters and more of which one is no
// hexadecimal digit.
func beforeWord(text string) bool {
	letters, other := 0, false
	for _, r := range text {
		if !unicode.IsLetter(r) {
			return false
		}
		letters++
		other = other || r > 'f' || r > 'F' && r < 'a'
		if letters > 1 && other {
			return true
		}
	}
	return false
}

// ibanIn tells whether a text has an account number.
func ibanIn(text string) bool {
	for at := 2; at+2 <= len(text); at++ {
		if !isDigit(text[at]) || !isDigit(text[at+1]) || !isLetter(text[at-1]) || !isLetter(text[at-2]) {
			continue
		}
		from := at - 2
		if !standsAlone(text, from, len(text)) {
			// "IBANDE89…"
			if before := text[:from]; suffixOf(before, "iban") == "" || !standsAlone(text, from-len("iban"), len(text)) {
				continue
			}
		}
		if accountNumber(text[from:]) {
			return true
		}
	}
	return false
}

// accountNumber tells whether a text begins with one.
func accountNumber(text string) bool {
	var number [mostIBAN]byte
	var ends [mostIBAN + 1]int // of each character, in the text
	s := number[:accountAt(text, &number, &ends)]
	if len(s) < 15 {
		return false
	}
	known := ibanLength(string(s[:2]))
	// Small letters stand in many other words: then only what is all of one counts.
	strict := !isCapital(text[0]) || !isCapital(text[1])
	for n := len(s); n >= 15; n-- {
		// What follows it may have been taken along.
		if n != known && (n != len(s) || strict) || strict && !standsAlone(text, 0, ends[n]) {
			continue
		}
		if mod97(s[:n]) {
			return true
		}
	}
	return false
}

func isCapital(c byte) bool { return 'A' <= c && c <= 'Z' }

// accountAt takes the characters of a number that a text begins with, in capitals, and
// returns how many there are, and where each ends: a country and two digits, two to seven
// groups of four characters, with something between them or nothing, and what is left of
// one.
func accountAt(text string, number *[mostIBAN]byte, ends *[mostIBAN + 1]int) int {
	n, at := 0, 0
	take := func() {
		c := text[at]
		if isLetter(c) {
			c &^= 0x20
		}
		number[n] = c
		n, at = n+1, at+1
		ends[n] = at
	}
	for at < 4 {
		take()
	}
	for {
		before := at
		at += betweenGroups(text[at:])
		group, most := 0, 4
		if n >= 4+7*4 {
			most = 3
		}
		for at < len(text) && group < most && (isLetter(text[at]) || isDigit(text[at])) {
			take()
			group++
		}
		if group < 4 && n-group < leastIBAN {
			return 0
		}
		if group < 4 || before == at {
			return n
		}
	}
}

// betweenGroups is the length of what may stand between the groups of a number.
func betweenGroups(text string) int {
	for _, s := range []string{" ", "-", ".", "/", "_", "\u2010", "\u2011", "\u2012", "\u2013"} {
		if strings.HasPrefix(text, s) {
			return len(s)
		}
	}
	return 0
}

// ibanLength is how long the numbers of a country are, 0 where it is not known
// here: then only a number that stands by itself is one.
func ibanLength(country string) int {
	switch country {
	case "NO":
		return 15
	case "BE":
		return 16
	case "DK", "FI", "NL":
		return 18
	case "SI":
		return 19
	case "AT", "EE", "KZ", "LT", "LU":
		return 20
	case "CH", "HR", "LV":
		return 21
	case "BG", "DE", "GB", "GE", "IE", "RS":
		return 22
	case "IL":
		return 23
	case "CZ", "ES", "MD", "RO", "SE", "SK":
		return 24
	case "PT":
		return 25
	case "TR":
		return 26
	case "FR", "GR", "IT":
		return 27
	case "BY", "CY", "HU", "PL":
		return 28
	case "UA":
		return 29
	case "RU":
		return 33
	}
	return 0
}

// mod97 checks the check digits (ISO 13616-1 §6.2).
func mod97(s []byte) bool {
	rest := 0
	for i := range s {
		if i += 4; i >= len(s) {
			i -= len(s)
		}
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		default:
			rest = (rest*100 + int(c-'A') + 10) % 97
		}
	}
	return rest == 1
}
