package text

import (
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

// ibanIn tells whether a text has an account number.
func ibanIn(text string) bool {
	for at := 2; at+2 <= len(text); at++ {
		if !isDigit(text[at]) || !isDigit(text[at+1]) || !isCapital(text[at-1]) || !isCapital(text[at-2]) || !standsAlone(text, at-2, len(text)) {
			continue
		}
		var number [mostIBAN]byte
		s := number[:accountAt(text[at-2:], &number)]
		// What follows it may have been taken along.
		if n := ibanLength(string(s[:min(len(s), 2)])); len(s) >= leastAccount && mod97(s) || n > 0 && n < len(s) && mod97(s[:n]) {
			return true
		}
	}
	return false
}

func isCapital(c byte) bool { return 'A' <= c && c <= 'Z' }

// accountAt takes the characters of a number that a text begins with, and returns how
// many there are: a country and two digits, two to seven groups of four characters,
// with a space before each or none, and what is left of one.
func accountAt(text string, number *[mostIBAN]byte) int {
	n := copy(number[:], text[:4])
	at := 4
	for {
		from, group := at, 0
		if from < len(text) && text[from] == ' ' {
			from++
		}
		most := 4
		if n >= 4+7*4 {
			most = 3
		}
		for from+group < len(text) && group < most && (isCapital(text[from+group]) || isDigit(text[from+group])) {
			group++
		}
		if group < 4 && n < leastIBAN {
			return 0
		}
		n += copy(number[n:], text[from:from+group])
		if at = from + group; group < 4 {
			return n
		}
	}
}

// ibanLengths are how long the numbers of countries are.
var ibanLengths = map[string]int{
	"AT": 20, "BE": 16, "BG": 22, "BY": 28, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22,
	"GE": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IT": 27, "KZ": 20, "LT": 20, "LU": 20, "LV": 21, "MD": 24, "NL": 18, "NO": 15,
	"PL": 28, "PT": 25, "RO": 24, "RS": 22, "RU": 33, "SE": 24, "SI": 19, "SK": 24, "TR": 26, "UA": 29,
}

// ibanLength is how long the numbers of a country are, 0 where it is not known here:
// then only a number that stands by itself is one.
func ibanLength(country string) int { return ibanLengths[country] }

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
