package journal

import (
	"testing"
	"unicode"
)

// What an index takes for two letters, no comparison of a search takes for one.
func TestFoldedAsCompared(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if loose(unicode.ToLower(r)) != loose(r) || loose(unicode.SimpleFold(r)) != loose(r) {
			t.Errorf("%U is one with %U or %U, and not for an index", r, unicode.ToLower(r), unicode.SimpleFold(r))
		}
	}
}
