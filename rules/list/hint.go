package list

import (
	"fmt"
	"strings"
	"unicode"
)

// misread says what is wrong with an entry that would be taken for a name and
// never be found, and what was meant; nil where nothing is known against it.
func misread(s string) error {
	if r, ok := Invisible(s); ok {
		return fmt.Errorf("%q has the invisible character %U in it", s, r)
	}
	if r, ok := misplaced(s); ok {
		if unicode.Is(unicode.Pd, r) || r == '\u2212' {
			return fmt.Errorf("%q: %U is no hyphen; a range is written 192.0.2.10-192.0.2.20", s, r)
		}
		return fmt.Errorf("%q: %U (%c) is in no address and no name", s, r, r)
	}
	lower := strings.ToLower(s)
	switch {
	case strings.HasPrefix(lower, "mailto:"):
		return fmt.Errorf("%q: write the address alone, %s", s, s[len("mailto:"):])
	case strings.HasPrefix(lower, "list:"):
		return fmt.Errorf("%q: a list cannot have another list in it", s)
	case strings.Contains(lower, "://"):
		return fmt.Errorf("%q is the address of a page; write its host name alone", s)
	case strings.HasPrefix(s, "*@"):
		return fmt.Errorf("%q: there are no wild cards; for every address of the domain write %s", s, s[1:])
	case strings.HasPrefix(s, "*."):
		return fmt.Errorf("%q: there are no wild cards; for the subdomains write %s", s, s[1:])
	case strings.HasSuffix(s, "@*"):
		return fmt.Errorf("%q: there are no wild cards; for any domain write %s", s, s[:len(s)-1])
	case strings.ContainsAny(s, "*?") && !strings.Contains(s, "@"), strings.Contains(s, "*") && s[0] != '"', standsFor(lower):
		return fmt.Errorf("%q: there are no wild cards; an expression is written /between slashes/", s)
	case strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]"):
		if a, ok := literalAddr(s); ok {
			return fmt.Errorf("%q: write the address without brackets, %s", s, a)
		}
	case strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">"):
		return fmt.Errorf("%q: write the address without angle brackets, %s; this is none of the entries that lists have", s, s[1:len(s)-1])
	case strings.Trim(s, "0123456789.-") == "" && !strings.Contains(s, "@"):
		return numeric(s)
	case accessColumn(s) != "":
		return fmt.Errorf("%q: a list has the first column of such a table alone: write %s", s, accessColumn(s))
	case len(s) > 1 && s[0] == '!':
		return fmt.Errorf("%q: a list has no exceptions; name what is excepted in `unless`", s)
	}
	return nil
}

// standsFor tells an address some of whose numbers are an x: 192.0.2.x.
func standsFor(s string) bool {
	parts := strings.Split(s, ".")
	return len(parts) == 4 && strings.Contains(s, "x") && strings.Trim(s, "0123456789.x") == "" && parts[0] != "" && strings.Trim(parts[0], "0123456789") == ""
}

// misplaced finds a character outside of ASCII that looks like one of it or is
// white space, quotation or a sign: editors and word processors put them there.
// Full stops of other scripts (RFC 5895 §2.1) and the marks that RFC 5892 appendix
// A allows have their place in names; a quoted local part may have any.
func misplaced(s string) (rune, bool) {
	if s[0] == '"' {
		return 0, false
	}
	for _, r := range s {
		if r >= 0x80 && unicode.In(r, unicode.Z, unicode.P, unicode.Sm, unicode.Sc, unicode.Sk) && !strings.ContainsRune("。．｡·・׳״་", r) {
			return r, true
		}
	}
	return 0, false
}

// numeric is what of digits and dots is no address.
func numeric(s string) error {
	parts := strings.Split(strings.TrimSuffix(s, "."), ".")
	if n := len(parts); n < 4 && !strings.Contains(s, "-") {
		for _, p := range parts {
			if p == "" || len(p) > 3 {
				return fmt.Errorf("%q is neither an address nor a name", s)
			}
		}
		return fmt.Errorf("%q is not a whole address; for the network write %s%s/%d", s,
			strings.Join(parts, "."), strings.Repeat(".0", 4-n), 8*n)
	}
	if strings.Contains(s, "-") {
		return fmt.Errorf("%q is no range; one is written 192.0.2.10-192.0.2.20", s)
	}
	return fmt.Errorf("%q is neither an address nor a name", s)
}

// Invisible finds characters that nobody sees (Unicode's Cf, and controls). Two
// of them have a place in names (RFC 5892 appendix A).
func Invisible(s string) (rune, bool) {
	for _, r := range s {
		if r >= 0x7f && r != '\u200c' && r != '\u200d' && (unicode.Is(unicode.Cf, r) || unicode.IsControl(r)) {
			return r, true
		}
	}
	return 0, false
}

// accessColumn is the first column of a line of Postfix's access(5), or of a map with a
// like second one; "" for any other text.
func accessColumn(s string) string {
	columns := strings.Fields(s)
	if len(columns) < 2 {
		return ""
	}
	word := columns[1]
	switch strings.ToUpper(word) {
	case "OK", "REJECT", "DEFER", "DEFER_IF_PERMIT", "DEFER_IF_REJECT", "DISCARD", "DUNNO", "HOLD", "WARN", "PERMIT", "BCC", "FILTER", "INFO", "PREPEND", "REDIRECT",
		"RELAY", "PERMIT_AUTH_DESTINATION":
		return columns[0]
	}
	if len(word) == 3 && (word[0] == '4' || word[0] == '5') && strings.Trim(word, "0123456789") == "" {
		return columns[0]
	}
	return ""
}
