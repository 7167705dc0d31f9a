package fieldtext

import (
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// The short ways say yes only of what the long ones leave as it is. Composed
// forms: what follows a letter may change it, so texts are drawn, not letters.
func TestShortWaysOfPlainTexts(t *testing.T) {
	letters := rapid.SampledFrom([]rune("aя\t\u00a0\u0085\u2028\u3000\u1680\u0301\u0306\u0439й\u00adё\u0483\u0487\u0488\u048a\u052f\u0530\u200b\uff21\ufb01\u007f\u0000\r"))
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOfN(rapid.OneOf(letters, rapid.Rune()), 0, 6).Draw(t, "text"))
		if rapid.IntRange(0, 9).Draw(t, "damaged") == 0 {
			s += "\xff"
		}
		if got := Printable(s); isPrintable(s) && got != s {
			t.Fatalf("%q is called printable and is %q", s, got)
		}
		if isVisible(s) && norm.NFKC.String(s) != s {
			t.Fatalf("%q is called visible and is composed %q", s, norm.NFKC.String(s))
		}
	})
	for r := rune(0); r < 0x30000; r++ {
		s := string(r)
		if isPrintable(s) && long(s) != s {
			t.Errorf("%U is called printable", r)
		}
		if isVisible(s) && (Invisible(r) || norm.NFKC.String("я"+s) != "я"+s) {
			t.Errorf("%U is called visible", r)
		}
	}
}

// long has printable look at a text as a whole.
func long(s string) string { return Printable("\u0000" + s) }
