package accounting

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// parsePattern reads what stands between the slashes of a Pattern.
func parsePattern(s string) (Address, error) {
	if s == "" {
		return Address{}, errors.New("an empty regex matches every address")
	}
	s = "(?i)" + s
	re, err := regexp.Compile(s)
	if err != nil {
		return Address{}, err
	}
	tree, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		return Address{}, err
	}
	return Address{Form: Pattern, Regexp: re, Domain: literalDomain(tree), Open: !endsText(tree)}, nil
}

// endsText tells whether every match ends at the end of the text.
func endsText(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEndText:
		return true
	case syntax.OpCapture:
		return endsText(re.Sub[0])
	case syntax.OpConcat:
		return endsText(re.Sub[len(re.Sub)-1])
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if !endsText(sub) {
				return false
			}
		}
		return true
	}
	return false
}

// literalDomain is the domain that a pattern spells out before its end.
func literalDomain(re *syntax.Regexp) string {
	if re.Op != syntax.OpConcat || len(re.Sub) < 2 || !endsText(re) {
		return ""
	}
	last := re.Sub[len(re.Sub)-2]
	if last.Op != syntax.OpLiteral {
		return ""
	}
	literal := string(last.Rune)
	at := strings.LastIndexByte(literal, '@')
	if at < 0 {
		return ""
	}
	// Beyond ASCII folding has more than two cases; such a domain is left to
	// the pattern itself.
	for i := range len(literal) {
		if literal[i] >= utf8.RuneSelf {
			return ""
		}
	}
	return strings.ToLower(literal[at+1:])
}
