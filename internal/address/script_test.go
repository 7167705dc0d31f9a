package address

import "testing"

func TestMixesScripts(t *testing.T) {
	for s, want := range map[string]bool{
		"": false, "example.org": false, "пример.рф": false, "mail.пример.рф": false, "пример.example": false, "иван@example.org": false,
		"ex\u0430mple.org": true, "a@ex\u0430mple.org": true, "\u0440aypal.example": true, "g\u03bfogle.example": true, "münchen.example": false,
		"почта-mail.рф": true, "ex\u0430mple@example.org": false,
	} {
		if got := MixesScripts(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}
