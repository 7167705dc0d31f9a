package charset

import (
	"strings"
	"testing"
)

func TestLatin(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Приз": "Priz", "ЩУКА": "ShchUKA", "съёмка": "semka", "Ёж": "Ezh", "Їжак": "Yizhak", "Ґанок": "Ganok", "ў": "u",
		"Zürich": "Zurich", "Straße": "Strasse", "café": "cafe", "cafe\u0301": "cafe", "Łódź": "Lodz", "«да» — №1…": `"da" - No1...`,
		"中": "?", "😀": "?", "ﬁ": "fi", "Ａ": "A",
	} {
		var b strings.Builder
		for _, r := range text {
			b.WriteString(Latin(r))
		}
		if b.String() != want {
			t.Errorf("%s: %s, want %s", text, b.String(), want)
		}
	}
}

// Whatever comes, it is printable ASCII.
func FuzzLatin(f *testing.F) {
	f.Add('я')
	f.Add('\ufdfa')
	f.Fuzz(func(t *testing.T, r rune) {
		for _, c := range Latin(r) {
			if c < ' ' || c > '~' {
				t.Errorf("%q: %q", r, Latin(r))
			}
		}
	})
}
