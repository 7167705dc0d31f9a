// Package exprtest draws expressions and texts for tests.
package exprtest

import (
	"regexp"
	"strings"

	"pgregory.net/rapid"
)

// The pieces of expressions and texts are few and alike, so that random ones
// meet; among them are letters with more than two cases, and what is not UTF-8.
var (
	expressionPieces = []string{
		"kilo", "K", "\u212a", "s", "ſ", "straße", "STRASSE", "лотерея", "ЛОТ", "σ", "ς", "Σ", "ǆ", "ǅ", "i", "İ", "ı", "a", "ab", "abcd",
		"[aа]", "[k-s]", "[^k]", `\w`, `\b`, `\d+`, ".", ".*", "^", "$", `\s?`, "(?-i)", "(?i)", "(?s)", "x{2,3}", "k{0,2}", "(?:lo|лот)", "1000", "\ufffd", `\pL`,
		"[[:upper:]]", `\x{1E9E}`, "ß", `\Qa.b\E`, "ab?c", "(abc)*", "(?:abc)+", "e\u0301",
	}
	textPieces = []string{
		"kilo", "KILO", "\u212aILO", "K", "k", "s", "S", "ſ", "straße", "STRAẞE", "strasse", "Лотерея", "лот", "ΣΑΣ", "ς", "σ", "ǅ", "ǆ", "Ǆ",
		"i", "I", "İ", "ı", "a", "ab", "abc", "ABCD", "а", "А", "xx", "xxx", "1000", "\xff", "\xc3", "\ufffd", " ", "a.b", "_", "e\u0301", "\x00", "lo", "ẞ",
	}
)

// Expression draws an expression that compiles.
func Expression(t *rapid.T) string {
	var b strings.Builder
	for range rapid.IntRange(1, 4).Draw(t, "pieces") {
		p := rapid.SampledFrom(expressionPieces).Draw(t, "piece")
		switch rapid.IntRange(0, 9).Draw(t, "form") {
		case 0:
			p = "(?:" + p + "|" + rapid.SampledFrom(expressionPieces).Draw(t, "other") + ")"
		case 1:
			p = "(" + p + ")?"
		case 2:
			p = "(?:" + p + ")+"
		}
		b.WriteString(p)
	}
	s := b.String()
	if _, err := regexp.Compile("(?i)" + s); err != nil {
		return "abcd"
	}
	return s
}

// Text draws a text that such expressions may match.
func Text(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(textPieces), 0, 6).Draw(t, "text"), "")
}
