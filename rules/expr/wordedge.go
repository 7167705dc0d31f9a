package expr

import (
	"regexp/syntax"
	"unicode"
)

// edge is what may stand at one end of what an expression matches.
type edge uint8

const (
	wordEdge   edge = 1 << iota // \b, \B, \w or \W
	letterEdge                  // a letter beyond ASCII
	emptyEdge                   // nothing: the neighbour's end counts, too
)

// asciiTrouble says what goes wrong where RE2's \b or \w, which know ASCII
// only, touches a letter beyond it: beside one, \b is where no ASCII letter
// begins or ends. It is "" when nothing does.
func asciiTrouble(_ string, re *syntax.Regexp) string {
	if _, _, touch := edges(re); touch {
		return `\b and \w know ASCII letters only and stand beside another letter here; ` +
			`write (^|\P{L}) and (\P{L}|$) for \b, [\pL\d_] for \w, [^\pL\d_] for \W`
	}
	return ""
}

// edges returns what stands first and last in an expression, and whether \b or
// \w touches a letter beyond ASCII inside it.
func edges(re *syntax.Regexp) (first, last edge, touch bool) {
	switch re.Op {
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return wordEdge, wordEdge, false
	case syntax.OpLiteral:
		return letter(re.Rune[0]), letter(re.Rune[len(re.Rune)-1]), false
	case syntax.OpCharClass:
		e := classEdge(re.Rune)
		return e, e, false
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return 0, 0, false
	case syntax.OpCapture:
		return edges(re.Sub[0])
	case syntax.OpStar, syntax.OpQuest, syntax.OpPlus, syntax.OpRepeat:
		first, last, touch = edges(re.Sub[0])
		if re.Op == syntax.OpStar || re.Op == syntax.OpQuest || re.Op == syntax.OpRepeat && re.Min == 0 {
			first, last = first|emptyEdge, last|emptyEdge
		}
		return first, last, touch
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			f, l, t := edges(sub)
			first, last, touch = first|f, last|l, touch || t
		}
		return first, last, touch
	case syntax.OpConcat:
		first, last = emptyEdge, emptyEdge
		for _, sub := range re.Sub {
			f, l, t := edges(sub)
			touch = touch || t || meet(last, f)
			if first&emptyEdge != 0 {
				first = first&^emptyEdge | f
			}
			if l&emptyEdge != 0 {
				l = l&^emptyEdge | last
			}
			last = l
		}
		return first, last, touch
	}
	return emptyEdge, emptyEdge, false // assertions
}

func meet(last, first edge) bool {
	return last&wordEdge != 0 && first&letterEdge != 0 || last&letterEdge != 0 && first&wordEdge != 0
}

func letter(r rune) edge {
	if r >= 0x80 && unicode.IsLetter(r) && fold(r) >= 0x80 {
		return letterEdge
	}
	return 0
}

// classEdge tells \w and classes of other letters. Neither the complement of
// something nor ASCII letters with what folds to them are such letters.
func classEdge(ranges []rune) edge {
	if isWordClass(ranges) || isOtherClass(ranges) {
		return wordEdge
	}
	if n := len(ranges); n == 0 || ranges[n-1] == unicode.MaxRune {
		return 0
	}
	var e edge
	for _, r := range ranges {
		e |= letter(r)
	}
	return e
}

// isWordClass tells \w, case-sensitive or not.
func isWordClass(ranges []rune) bool {
	return areRanges(ranges, "09AZ__az") || areRanges(ranges, "09AZ__az\u017f\u017f\u212a\u212a")
}

// isOtherClass tells \W, case-sensitive or not.
func isOtherClass(ranges []rune) bool {
	return areRanges(ranges, "\x00/:@[^``{\U0010ffff") || areRanges(ranges, "\x00/:@[^``{\u017e\u0180\u2129\u212b\U0010ffff")
}

// areRanges tells whether ranges are the runes of s.
func areRanges(ranges []rune, s string) bool {
	i := 0
	for _, r := range s {
		if i == len(ranges) || ranges[i] != r {
			return false
		}
		i++
	}
	return i == len(ranges)
}
