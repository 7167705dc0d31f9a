package proof

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/expr"
)

// shape is what is known of the texts in which an expression is found.
type shape struct {
	pattern *expr.Pattern
	// atoms: it is found in exactly the texts that one of them has; nil where it
	// is more than a choice of literals.
	atoms []atom
	// held: the whole of a text in which it is found consists of these runes, as
	// ranges; nil where any may stand somewhere.
	held []rune
	// What it looks at around its text.
	begin, end, word bool
	sensitive        bool // case may count
}

// atom is a folded literal, at the beginning or the end of a text, or both.
type atom struct {
	begin, end bool
	text       string
}

// Bounds of what an expression is expanded to.
const (
	mostAtoms = 64
	mostClass = 8
)

// minds finds where case begins to count: (?-i).
var minds = regexp.MustCompile(`\(\?[a-zA-Z]*-`)

// shapeOf reads an expression that is known to compile.
func shapeOf(p *expr.Pattern) *shape {
	s := &shape{pattern: p, sensitive: minds.MatchString(p.Source())}
	tree, err := syntax.Parse(p.Source(), syntax.Perl|syntax.FoldCase)
	if err != nil {
		s.sensitive, s.word = true, true
		return s
	}
	s.look(tree)
	if s.sensitive || s.word {
		return s
	}
	s.held = heldBy(tree)
	sequences, ok := expand(tree)
	if !ok {
		return s
	}
	for _, seq := range sequences {
		a, ok := seq.atom()
		if !ok {
			s.atoms = nil
			return s
		}
		s.atoms = append(s.atoms, a)
	}
	return s
}

// look notes the assertions.
func (s *shape) look(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpBeginText:
		s.begin = true
	case syntax.OpEndText:
		s.end = true
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpBeginLine, syntax.OpEndLine:
		s.word = true
	}
	for _, sub := range re.Sub {
		s.look(sub)
	}
}

// sequence is literals with assertions between them: "^" and "$" as these runes
// beyond Unicode.
type sequence []rune

const (
	beginMark = unicode.MaxRune + 1
	endMark   = unicode.MaxRune + 2
)

func (q sequence) atom() (a atom, ok bool) {
	for len(q) > 0 && q[0] == beginMark {
		a.begin, q = true, q[1:]
	}
	for len(q) > 0 && q[len(q)-1] == endMark {
		a.end, q = true, q[:len(q)-1]
	}
	for _, r := range q {
		if r > unicode.MaxRune {
			return a, false
		}
	}
	a.text = string(expr.AppendFold(nil, string(q)))
	return a, true
}

// expand is an expression as a choice of sequences.
func expand(re *syntax.Regexp) ([]sequence, bool) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return []sequence{{}}, true
	case syntax.OpBeginText:
		return []sequence{{beginMark}}, true
	case syntax.OpEndText:
		return []sequence{{endMark}}, true
	case syntax.OpLiteral:
		return []sequence{sequence(re.Rune)}, true
	case syntax.OpCharClass:
		return expandClass(re.Rune)
	case syntax.OpCapture:
		return expand(re.Sub[0])
	case syntax.OpQuest:
		inner, ok := expand(re.Sub[0])
		return append(inner, sequence{}), ok && len(inner) < mostAtoms
	case syntax.OpAlternate:
		var all []sequence
		for _, sub := range re.Sub {
			inner, ok := expand(sub)
			if all = append(all, inner...); !ok || len(all) > mostAtoms {
				return nil, false
			}
		}
		return all, true
	case syntax.OpConcat:
		all := []sequence{{}}
		for _, sub := range re.Sub {
			inner, ok := expand(sub)
			if !ok || len(all)*len(inner) > mostAtoms {
				return nil, false
			}
			var next []sequence
			for _, a := range all {
				for _, b := range inner {
					next = append(next, append(a[:len(a):len(a)], b...))
				}
			}
			all = next
		}
		return all, true
	}
	return nil, false
}

func expandClass(ranges []rune) ([]sequence, bool) {
	var all []sequence
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i+1]-ranges[i] >= mostClass || len(all) > mostClass {
			return nil, false
		}
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			all = append(all, sequence{r})
		}
	}
	return all, len(all) > 0
}

// found tells whether the expression is found in a text.
func (s *shape) found(text string) bool { return s.pattern.Match(text, steps()) }

func steps() *budget.Budget { return rules.Work() }

// within tells whether every text in which s is found has o in it, too; false
// where that is not known.
func (s *shape) within(o *shape) bool {
	if s.pattern.Source() == o.pattern.Source() || o.everything() {
		return true
	}
	if len(s.atoms) == 0 {
		return false
	}
	for _, a := range s.atoms {
		if !a.within(o) {
			return false
		}
	}
	return true
}

func (a atom) within(o *shape) bool {
	for _, b := range o.atoms {
		if a.withinAtom(b) {
			return true
		}
	}
	switch {
	case o.sensitive:
		return false
	case o.word:
		// The Kelvin sign and the long s fold to ASCII letters and are none.
		return a.begin && a.end && !strings.ContainsAny(a.text, "kKsS\n") && o.found(a.text)
	case o.begin && !a.begin, o.end && !a.end:
		return false
	}
	return o.found(a.text)
}

func (a atom) withinAtom(b atom) bool {
	switch {
	case b.begin && b.end:
		return a.begin && a.end && a.text == b.text
	case b.begin:
		return a.begin && strings.HasPrefix(a.text, b.text)
	case b.end:
		return a.end && strings.HasSuffix(a.text, b.text)
	}
	return strings.Contains(a.text, b.text)
}

// everything tells whether the expression is found in every text: it is where it
// may be empty at one end.
func (s *shape) everything() bool {
	return !s.word && (!s.begin || !s.end) && s.found("")
}

// exact are the folded texts that are all in which the expression is found; not
// ok where there are others.
func (s *shape) exact() ([]string, bool) {
	var all []string
	for _, a := range s.atoms {
		if !a.begin || !a.end {
			return nil, false
		}
		all = append(all, a.text)
	}
	return all, len(all) > 0
}

// disjoint tells whether no text has both; false where that is not known.
func (s *shape) disjoint(o *shape) bool {
	if s.foreign(o) || o.foreign(s) {
		return true
	}
	texts, ok := s.exact()
	if !ok {
		texts, ok = o.exact()
		s, o = o, s
	}
	if !ok || o.sensitive || o.word {
		return false
	}
	for _, t := range texts {
		if o.found(t) {
			return false
		}
	}
	return true
}

// vague tells an expression that is found nearly anywhere: nothing holds it at
// an end, and there is no literal in it.
func (s *shape) vague() bool {
	if s.begin || s.end || s.word || s.everything() {
		return false
	}
	tree, err := syntax.Parse(s.pattern.Source(), syntax.Perl|syntax.FoldCase)
	return err == nil && !hasLiteral(tree)
}

// hasLiteral tells whether an expression has a literal, or a small choice of
// characters, anywhere.
func hasLiteral(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return true
	case syntax.OpCharClass:
		_, ok := expandClass(re.Rune)
		return ok
	}
	for _, sub := range re.Sub {
		if hasLiteral(sub) {
			return true
		}
	}
	return false
}
