package proof

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// heldBy are the runes of an expression that is held at both ends.
func heldBy(re *syntax.Regexp) []rune {
	for re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	n := len(re.Sub)
	if re.Op != syntax.OpConcat || n < 2 || re.Sub[0].Op != syntax.OpBeginText || re.Sub[n-1].Op != syntax.OpEndText {
		return nil
	}
	runes := []rune{}
	for _, sub := range re.Sub[1 : n-1] {
		runes = appendRunes(runes, sub)
	}
	return runes
}

// appendRunes adds the ranges of runes that an expression may have.
func appendRunes(runes []rune, re *syntax.Regexp) []rune {
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			runes = append(runes, r, r)
			for q := unicode.SimpleFold(r); q != r; q = unicode.SimpleFold(q) {
				runes = append(runes, q, q)
			}
		}
	case syntax.OpCharClass:
		runes = append(runes, re.Rune...)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		runes = append(runes, 0, unicode.MaxRune)
	}
	for _, sub := range re.Sub {
		runes = appendRunes(runes, sub)
	}
	return runes
}

// outside tells whether a literal has a rune that is in none of the ranges,
// whatever its case.
func outside(text string, ranges []rune) bool {
	in := func(r rune) bool {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= r && r <= ranges[i+1] {
				return true
			}
		}
		return false
	}
	return strings.ContainsFunc(text, func(r rune) bool {
		if in(r) {
			return false
		}
		for q := unicode.SimpleFold(r); q != r; q = unicode.SimpleFold(q) {
			if in(q) {
				return false
			}
		}
		return true
	})
}

// foreign tells whether every atom has a rune that no text has in which o is
// found.
func (s *shape) foreign(o *shape) bool {
	return o.held != nil && len(s.atoms) > 0 && !slices.ContainsFunc(s.atoms, func(a atom) bool { return !outside(a.text, o.held) })
}
