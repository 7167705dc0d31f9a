package text

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestAccountAsWritten: the characters of an account number are those of the expression
// that says how it is written.
func TestAccountAsWritten(t *testing.T) {
	written := regexp.MustCompile(`^[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?`)
	rapid.Check(t, func(t *rapid.T) {
		text := "DE" + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"89", "3704", " 0044", " ", "a", "WEST", "1", "12", "123", "-"}), 1, 14).Draw(t, "groups"), "")
		if !isDigit(text[2]) || len(text) < 4 || !isDigit(text[3]) {
			return
		}
		var number [mostIBAN]byte
		got := string(number[:accountAt(text, &number)])
		if want := strings.ReplaceAll(written.FindString(text), " ", ""); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	})
}

func TestKindsAreNumbered(t *testing.T) {
	byNumber := make(map[int]string)
	for name, k := range kinds {
		if k.number <= unknown || k.number >= mostElements || byNumber[k.number] != "" {
			t.Errorf("%s: %d, as %q", name, k.number, byNumber[k.number])
		}
		byNumber[k.number] = name
	}
	if kinds["svg"].number != svgElement || kinds["annotation-xml"].number != annotationXML || kindOf("x-y").number != unknown {
		t.Error("not as they are asked for")
	}
}
