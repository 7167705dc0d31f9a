package rules

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// pattern is a regular expression as policies write it: found anywhere, case
// ignored unless it says (?-i).
type pattern struct {
	source string
	regexp *regexp.Regexp
}

// parsed is a pattern with what is known of it before it is used.
type parsed struct {
	pattern
	tree *syntax.Regexp
}

// parsePattern parses and compiles an expression in RE2 syntax.
func parsePattern(source string) (parsed, error) {
	// Parsing it by itself keeps the (?i) out of the error's text.
	tree, err := syntax.Parse(source, syntax.Perl|syntax.FoldCase)
	if err != nil {
		return parsed{}, fmt.Errorf("bad regular expression: %w", err)
	}
	re, err := regexp.Compile("(?i)" + source)
	if err != nil {
		return parsed{}, fmt.Errorf("bad regular expression: %w", err)
	}
	return parsed{pattern{source, re}, tree}, nil
}

func (p *pattern) match(s string) bool { return p.regexp.MatchString(s) }

// required are the sets of literals that a matching text has.
func (p *parsed) required() [][]string { return requiredLiterals(p.tree) }
