package fieldtext

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// TestPlainSigns: what Visible says of common texts in the short way is what NFKC
// makes of them.
func TestPlainSigns(t *testing.T) {
	var known []rune
	for r := rune(0x20); r < 0x3000; r++ {
		if _, ok := plainSigns(string(r)); ok {
			known = append(known, r)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		text := make([]rune, 1+rng.IntN(6))
		for i := range text {
			text[i] = known[rng.IntN(len(known))]
		}
		s := string(text)
		if got, ok := plainSigns(s); !ok || got != norm.NFKC.String(s) {
			t.Fatalf("%q: %q, NFKC has %q", s, got, norm.NFKC.String(s))
		}
	}
	if _, ok := plainSigns("e\u0301\u2116"); ok {
		t.Error("a mark is taken for common")
	}
}
