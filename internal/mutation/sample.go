package mutation

import (
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/rules"
)

// mostSamples bounds the texts that are made of one expression.
const mostSamples = 24

// samples are texts in which an expression is found, and some next to them.
func samples(want *rules.Want) []string {
	tree, err := syntax.Parse(want.Pattern.Source(), syntax.Perl|syntax.FoldCase)
	if err != nil {
		return nil
	}
	var all []string
	for _, s := range sample(tree) {
		for _, around := range [...]string{s, "x " + s + " x", s + ".example", "x." + s, "x" + s, s + "x", "x" + s + "x"} {
			if !slices.Contains(all, around) {
				all = append(all, around)
			}
		}
	}
	return all
}

// sample are texts that an expression consists of, one for each of its choices.
func sample(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{strings.ToLower(string(re.Rune))}
	case syntax.OpCharClass:
		return []string{string(classRune(re.Rune))}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"x"}
	case syntax.OpCapture, syntax.OpPlus:
		return sample(re.Sub[0])
	case syntax.OpStar, syntax.OpQuest:
		return append([]string{""}, sample(re.Sub[0])...)
	case syntax.OpRepeat:
		one := sample(re.Sub[0])
		return []string{strings.Repeat(one[0], max(re.Min, 0))}
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			all = append(all, sample(sub)...)
		}
		return all[:min(len(all), mostSamples)]
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range re.Sub {
			var next []string
			for _, tail := range sample(sub) {
				for _, head := range all {
					if len(next) < mostSamples {
						next = append(next, head+tail)
					}
				}
			}
			all = next
		}
		return all
	}
	return []string{""}
}

// classRune is one that can be read.
func classRune(ranges []rune) rune {
	for _, r := range "x7a.-m1 _" {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= r && r <= ranges[i+1] {
				return r
			}
		}
	}
	if len(ranges) == 0 {
		return 'x'
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i+1] >= ' ' {
			return max(ranges[i], ' ')
		}
	}
	return ranges[0]
}
