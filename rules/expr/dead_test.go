package expr

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDead(t *testing.T) {
	for source, want := range map[string]bool{
		"$x": true, "a$b": true, "x^": true, "(a$)b": true, "(a$|b$)c": true, `a\zb`: true, "(x^|y^)": true, "(a^b)+": true, "$[a-z]": true, "(?:$){2}x": true, ".^": true, "a$|b$c": false,
		"(a$|b)c": false, "^$": false, "x$": false, "$": false, "^": false, "$x?": false, "x*^": false, `\$x`: false, "[$]x": false, "(?m)a$\n^b": false, "(a^b)*": false, "(a^b)?": false, "": false,
		"$^": false, "a{0}^b": false, "(^|x)y": false, "(^a)": false, "y($|z)": false, "x(|^)": false, `\bx$\b`: false, "a$()": false,
	} {
		re, err := syntax.Parse(source, syntax.Perl|syntax.FoldCase)
		if err != nil {
			t.Fatal(source, err)
		}
		if dead(re) != want {
			t.Errorf("%s: %v", source, !want)
		}
		if got := deadTrouble(source, re); (got != "") != want || want && !strings.Contains(got, "matches nothing") {
			t.Errorf("%s: %q", source, got)
		}
	}
}

// Of what is said to match nothing nothing matches.
func TestDeadMatchesNothing(t *testing.T) {
	var grow func(depth int) *rapid.Generator[string]
	grow = func(depth int) *rapid.Generator[string] {
		leaf := rapid.SampledFrom([]string{"a", "b", "^", "$", ".", "", "[ab]", `\z`, `\b`})
		if depth == 0 {
			return leaf
		}
		return rapid.Custom(func(t *rapid.T) string {
			one, other := grow(depth-1), grow(depth-1)
			switch rapid.IntRange(0, 4).Draw(t, "of") {
			case 0:
				return "(" + one.Draw(t, "a") + "|" + other.Draw(t, "b") + ")"
			case 1:
				return "(" + one.Draw(t, "a") + ")" + rapid.SampledFrom([]string{"*", "+", "?", "{2}", "{0,2}"}).Draw(t, "times")
			case 2, 3:
				return one.Draw(t, "a") + other.Draw(t, "b")
			}
			return leaf.Draw(t, "leaf")
		})
	}
	texts := []string{"", "a", "b", "ab", "ba", "aab", "bab", "a\n", "\nb"}
	rapid.Check(t, func(t *rapid.T) {
		source := grow(4).Draw(t, "source")
		re, err := syntax.Parse(source, syntax.Perl|syntax.FoldCase)
		if err != nil || !dead(re) {
			return
		}
		for _, text := range texts {
			if regexp.MustCompile("(?i)" + source).MatchString(text) {
				t.Fatalf("%s matches %q", source, text)
			}
		}
	})
}
