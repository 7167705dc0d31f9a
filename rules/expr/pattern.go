// Package expr matches regular expressions as policies write them: one by one,
// and thousands of them at once in one pass over a text.
package expr

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync/atomic"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// Pattern is a regular expression as policies write it: found anywhere, case
// ignored unless it says (?-i). It is compiled when it is first needed, and
// again when its cache had no room for it in between. It is safe for use by
// many goroutines.
type Pattern struct {
	source string
	cache  *Cache
	// only are folded texts of which one is in every text that matches, and in
	// no other: there is nothing to compile then.
	only   []string
	groups int32 // in parentheses
	size   int32 // instructions of the program, as far as the tree shows

	compiled atomic.Pointer[regexp.Regexp] // while it is in the cache
	used     atomic.Bool                   // since the cache last looked
}

// Parsed is a pattern with what is known of it before it is used.
type Parsed struct {
	*Pattern
	tree *syntax.Regexp
}

// Parse parses an expression in RE2 syntax.
func (c *Cache) Parse(source string) (Parsed, error) {
	// Texts are looked at with spaces for all white space of Unicode.
	source = Spaced(source)
	tree, err := syntax.Parse(source, syntax.Perl|syntax.FoldCase)
	if err != nil {
		return Parsed{}, fmt.Errorf("bad regular expression: %w%s", err, syntaxHint(source))
	}
	p := &Pattern{source: source, cache: c, only: literalsOnly(tree), groups: int32(tree.MaxCap()), size: int32(programSize(tree))}
	return Parsed{p, tree}, nil
}

// Match tells whether the expression is found in s. What it costs is charged to
// b before; where b does not cover it, the answer is no, and b has the error.
func (p *Pattern) Match(s string, b *budget.Budget) bool {
	if b.Charge(p.cost(len(s))) != nil {
		return false
	}
	if p.only != nil {
		return containsOne(string(AppendFold(nil, s)), p.only)
	}
	re := p.regexp(b)
	return re != nil && re.MatchString(s)
}

// Find is where the expression is first found in s. It is charged as Match is.
func (p *Pattern) Find(s string, b *budget.Budget) (from, to int, ok bool) {
	if b.Charge(p.cost(len(s))) != nil {
		return 0, 0, false
	}
	re := p.regexp(b)
	if re == nil {
		return 0, 0, false
	}
	at := re.FindStringIndex(s)
	if at == nil {
		return 0, 0, false
	}
	return at[0], at[1], true
}

// Captures are the texts of the expression's groups where it is first found in
// s, that of the whole first; nil where it is not found.
func (p *Pattern) Captures(s string, b *budget.Budget) []string {
	if b.Charge(p.cost(len(s))) != nil {
		return nil
	}
	re := p.regexp(b)
	if re == nil {
		return nil
	}
	return re.FindStringSubmatch(s)
}

// regexp is the compiled expression, nil when b does not cover compiling it.
func (p *Pattern) regexp(b *budget.Budget) *regexp.Regexp {
	if re := p.compiled.Load(); re != nil {
		if !p.used.Load() {
			p.used.Store(true)
		}
		return re
	}
	if b.Charge(int(p.size)*compileCost) != nil {
		return nil
	}
	return p.cache.compile(p)
}

// Groups is how many groups in parentheses an expression has.
func (p *Pattern) Groups() int { return int(p.groups) }

// Source is the expression as it was written.
func (p *Pattern) Source() string { return p.source }

// Required is what every text that matches has in it.
func (p Parsed) Required() Required { return pack(requiredLiterals(p.tree)) }

// FalseAlarms guesses how often texts have a literal of each set and yet do not
// match; not ok when nothing is known of the expression but by trying it.
func FalseAlarms(required Required) (cost int, ok bool) {
	if len(required) == 0 {
		return 0, false
	}
	// The best set decides: few literals, and long ones.
	count, shortest := required.longest()
	return 1 + 16*count/shortest, true
}

// literalsOnly are the folded texts that decide an expression alone, nil where
// there is more to it.
func literalsOnly(re *syntax.Regexp) []string {
	if !isPlain(re) {
		return nil
	}
	set := needsOf(re).exact
	for _, s := range set {
		if s == "" || len(s) > maxLiteral {
			return nil
		}
	}
	return set
}

// isPlain tells whether an expression consists of literals in which case does
// not matter.
func isPlain(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return re.Flags&syntax.FoldCase != 0
	case syntax.OpCapture, syntax.OpConcat, syntax.OpAlternate:
		for _, sub := range re.Sub {
			if !isPlain(sub) {
				return false
			}
		}
		return true
	}
	return false
}

func containsOne(folded string, literals []string) bool {
	for _, l := range literals {
		if strings.Contains(folded, l) {
			return true
		}
	}
	return false
}
