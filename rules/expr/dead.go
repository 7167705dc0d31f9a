package expr

import (
	"fmt"
	"regexp/syntax"
	"slices"
)

// deadTrouble: an expression that no text matches.
func deadTrouble(source string, re *syntax.Regexp) string {
	switch {
	case !dead(re):
		return ""
	case slices.Contains([]byte(source), '$'):
		return `it matches nothing: $ is the end of the text, and more must stand behind it; the character is written \$`
	case slices.Contains([]byte(source), '^'):
		return `it matches nothing: ^ is the beginning of the text, and more must stand before it; the character is written \^`
	}
	return fmt.Sprintf("%q matches nothing", source)
}

// dead tells whether no text matches: one would have to go on behind its end, or to
// stand before its beginning.
func dead(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpNoMatch:
		return true
	case syntax.OpCapture, syntax.OpPlus:
		return dead(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min > 0 && dead(re.Sub[0])
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !dead(sub) })
	case syntax.OpConcat:
		ended, begun := false, false
		for _, sub := range re.Sub {
			some := takes(sub)
			if dead(sub) || ended && some || begun && stands(sub, syntax.OpBeginText) {
				return true
			}
			ended = ended || stands(sub, syntax.OpEndText)
			begun = begun || some
		}
	}
	return false
}

// stands tells whether whatever matches is at that edge of the text.
func stands(re *syntax.Regexp, edge syntax.Op) bool {
	switch re.Op {
	case edge:
		return true
	case syntax.OpCapture, syntax.OpPlus:
		return stands(re.Sub[0], edge)
	case syntax.OpRepeat:
		return re.Min > 0 && stands(re.Sub[0], edge)
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !stands(sub, edge) })
	case syntax.OpConcat:
		return slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return stands(sub, edge) })
	}
	return false
}

// takes tells whether whatever matches has a character at least.
func takes(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune) > 0
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return true
	case syntax.OpCapture, syntax.OpPlus:
		return takes(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min > 0 && takes(re.Sub[0])
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !takes(sub) })
	case syntax.OpConcat:
		return slices.ContainsFunc(re.Sub, takes)
	}
	return false
}
