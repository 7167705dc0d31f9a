package text

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// TestSeenRuneByRune: runs of plain letters are taken at once; what comes out is
// what it is letter by letter.
func TestSeenRuneByRune(t *testing.T) {
	naive := func(text string) string {
		var b strings.Builder
		space := false
		for _, r := range text {
			if isSpace(r) {
				space = true
				continue
			}
			if isInvisible(r) {
				continue
			}
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		}
		return norm.NFC.String(b.String())
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("ab ~\x00\x7f\t\r\n\u00a0\u200b\u0301éё\u3000\ufeff\ufffd世"))).Draw(t, "text") +
			string(rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "octets"))
		if got, want := seen(text), naive(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	})
}
