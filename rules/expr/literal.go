package expr

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// Bounds of the sets of literals taken from an expression: beyond them a set
// is too common or too large to be of use.
const (
	maxLiterals = 32  // in a set
	maxClass    = 12  // runes of a class that become literals
	maxLiteral  = 200 // bytes
)

// needs is what every text that matches an expression has in it. All literals
// are folded.
type needs struct {
	// exact are all the texts the expression matches, assertions aside; nil
	// when there are too many.
	exact []string
	// sets are required together; of each at least one literal occurs.
	sets [][]string
}

// requiredLiterals returns sets of folded literals such that a text that the
// expression matches has, once folded, a literal of every set in it. None
// means nothing is known.
func requiredLiterals(re *syntax.Regexp) [][]string {
	n := needsOf(re)
	return n.flush(n.exact)
}

// flush adds a set of alternatives, which is of use only when none is empty.
func (n needs) flush(set []string) [][]string {
	if len(set) == 0 || slices.Contains(set, "") {
		return n.sets
	}
	if len(set) == 1 && len(set[0]) <= maxLiteral {
		return append(n.sets, set)
	}
	set = slices.Clone(set)
	for i, s := range set {
		if len(s) > maxLiteral {
			set[i] = s[:maxLiteral]
		}
	}
	slices.Sort(set)
	return append(n.sets, slices.Compact(set))
}

func needsOf(re *syntax.Regexp) needs {
	if isAssertion(re) {
		return needs{exact: []string{""}}
	}
	switch re.Op {
	case syntax.OpLiteral:
		var b strings.Builder
		b.Grow(len(re.Rune))
		for _, r := range re.Rune {
			b.WriteRune(fold(r))
		}
		return needs{exact: []string{b.String()}}
	case syntax.OpCharClass:
		return needs{exact: classLiterals(re.Rune)}
	case syntax.OpCapture:
		return needsOf(re.Sub[0])
	case syntax.OpQuest:
		if n := needsOf(re.Sub[0]); n.exact != nil && len(n.exact) < maxLiterals {
			return needs{exact: append(n.exact, "")}
		}
	case syntax.OpPlus:
		n := needsOf(re.Sub[0])
		return needs{sets: n.flush(n.exact)}
	case syntax.OpRepeat:
		if re.Min > 0 {
			n := needsOf(re.Sub[0])
			return needs{sets: n.flush(n.exact)}
		}
	case syntax.OpConcat:
		return concatNeeds(re.Sub)
	case syntax.OpAlternate:
		return alternateNeeds(re.Sub)
	}
	return needs{}
}

// classLiterals are the folded runes of a class given as ranges, nil when
// there are many.
func classLiterals(ranges []rune) []string {
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i+1]-ranges[i] >= 2*maxClass {
			return nil
		}
	}
	set := make([]string, 0, maxClass)
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if s := textOf(fold(r)); !slices.Contains(set, s) {
				set = append(set, s)
			}
		}
		if len(set) > maxClass {
			return nil
		}
	}
	if len(set) == 0 {
		return nil // of a class of nothing
	}
	return set
}

// textOf is a rune as a text; the most common ones are parts of one.
func textOf(r rune) string {
	const letters, digits = "abcdefghijklmnopqrstuvwxyz", "0123456789"
	switch {
	case 'a' <= r && r <= 'z':
		return letters[r-'a' : r-'a'+1]
	case '0' <= r && r <= '9':
		return digits[r-'0' : r-'0'+1]
	}
	return string(r)
}

// concatNeeds joins neighbours whose texts are all known, as long as they
// stay few.
func concatNeeds(subs []*syntax.Regexp) needs {
	var n needs
	var run []string // none is the empty text alone
	whole := true
	for _, sub := range subs {
		if isAssertion(sub) {
			continue // nothing between its neighbours
		}
		next := needsOf(sub)
		if next.exact != nil && max(len(run), 1)*len(next.exact) <= maxLiterals {
			run = cross(run, next.exact)
			continue
		}
		whole = false
		n.sets = append(n.flush(run), next.sets...)
		run = next.exact
	}
	if !whole {
		n.sets = n.flush(run)
		return n
	}
	if run == nil {
		run = []string{""}
	}
	return needs{exact: run}
}

// isAssertion tells of what matches no more than a place.
func isAssertion(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText,
		syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return false
}

func cross(left, right []string) []string {
	switch {
	case len(left) == 0 || len(left) == 1 && left[0] == "":
		return right
	case len(right) == 1 && right[0] == "":
		return left
	}
	all := make([]string, 0, len(left)*len(right))
	for _, l := range left {
		for _, r := range right {
			all = append(all, l+r)
		}
	}
	return all
}

// alternateNeeds unites one set of each branch: some branch matches, and with
// it a literal of its set is there.
func alternateNeeds(subs []*syntax.Regexp) needs {
	exact, union := make([]string, 0, len(subs)), make([]string, 0, len(subs))
	whole, each := true, true
	for _, sub := range subs {
		n := needsOf(sub)
		if n.exact == nil {
			whole = false
		}
		exact = append(exact, n.exact...)
		best := longest(n.flush(n.exact))
		if best == nil {
			each = false
		}
		union = append(union, best...)
	}
	if whole && len(exact) > 0 && len(exact) <= maxLiterals {
		return needs{exact: exact}
	}
	if !each || len(union) > 4*maxLiterals {
		return needs{}
	}
	return needs{sets: needs{}.flush(union)}
}

// longest returns the set whose shortest literal is longest, nil of none.
func longest(sets [][]string) []string {
	var best []string
	length := 0
	for _, set := range sets {
		if n := shortest(set); best == nil || n > length {
			best, length = set, n
		}
	}
	return best
}

func shortest(set []string) int {
	n := len(set[0])
	for _, s := range set {
		n = min(n, len(s))
	}
	return n
}
