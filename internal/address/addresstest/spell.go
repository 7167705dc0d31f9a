// Package addresstest makes addresses for tests.
package addresstest

import "strings"

// Spell writes an address in one of the many ways that mean the same to Postfix
// (RFC 5321 §4.1.2 and appendix C, RFC 822). choose picks one of n.
func Spell(choose func(int) int, local, domain string) string {
	pairs := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			if choose(5) == 0 && r < 0x80 {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
		return b.String()
	}
	words := func(s string) string {
		list := strings.SplitAfter(s, ".")
		for i, word := range list {
			list[i] = pairs(word)
			// A dot with a backslash is a character of the word, not what divides two:
			// what follows white space or a comment is another word then.
			if i < len(list)-1 && !strings.HasSuffix(list[i], `\.`) && choose(6) == 0 {
				list[i] += []string{" ", "(x)", "\t"}[choose(3)]
			}
		}
		return strings.Join(list, "")
	}
	switch choose(3) {
	case 0:
		local = `"` + pairs(local) + `"` // between quotes a comment is text
	case 1:
		local = words(local)
	}
	for range choose(3) {
		switch choose(7) {
		case 0:
			local += "(c(d)e)"
		case 1:
			local += " "
		case 2:
			local = " " + local
		case 3:
			domain += "(\\))"
		case 4:
			domain += "\t"
		case 5:
			domain = "(x)" + domain
		case 6:
			domain = " " + domain
		}
	}
	if choose(4) == 0 {
		domain += "."
	}
	s := local + "@" + domain
	switch choose(6) {
	case 0:
		s = "@a.example,@b.example:" + s
	case 1:
		s = "<" + s + ">"
	case 2:
		s = "<" + s + " >"
	}
	if choose(4) == 0 {
		s = strings.ToUpper(s)
	}
	return s
}

// Disturb puts an odd octet or two anywhere into an address: what comes out may be
// another mailbox, or none.
func Disturb(choose func(int) int, s string) string {
	odd := []string{`"`, `\`, "(", ")", "<", ">", "@", ",", ";", ":", ".", "%", "!", "|", " ", "\t", "[", "]", "+", "a", "()", `""`, "..", "'", "=", "\u0301", "\u200b", "ß"}
	for range 1 + choose(2) {
		at := choose(len(s) + 1)
		s = s[:at] + odd[choose(len(odd))] + s[at:]
	}
	return s
}
