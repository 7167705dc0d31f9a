package lexical

import (
	"strings"
	"testing"
)

func TestLexical(t *testing.T) {
	for s, want := range map[string]int{"": 0, "x": 0, "(": 0, "(a": 0, "(a)b": 3, "((a)b)c": 6, `(\))x`: 4, `(\`: 0, `("()")`: 6} {
		if got := Comment(s); got != want {
			t.Errorf("comment of %q: %d, want %d", s, got, want)
		}
	}
	for s, want := range map[string]struct {
		n          int
		text, rest string
	}{
		`"a"b`:   {3, "a", "b"},
		`"a\"b"`: {6, `a"b`, ""},
		`"a`:     {0, "a", ""},
		`"a\`:    {0, `a\`, ""},
		`""`:     {2, "", ""},
		`"\\"@x`: {4, `\`, "@x"},
	} {
		text, rest := Unquote(s)
		if n := Quoted(s); n != want.n || text != want.text || rest != want.rest {
			t.Errorf("%q: %d %q %q", s, n, text, rest)
		}
	}
	for s, want := range map[string][2]string{
		"a":          {"a", "a"},
		"a(b)c":      {"ac", "a c"},
		`"a(b)"(c)d`: {`"a(b)"d`, `"a " d`},
		"a(b":        {"a(b", "a(b"},
		`a\(b)`:      {`a\(b)`, `a\ `},
	} {
		if got := [2]string{Uncomment(s), Blank(s)}; got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

// What is taken off is a part of the text, and what one finds closed the other does.
func FuzzLexical(f *testing.F) {
	for _, s := range []string{`"a\"b"c`, "(a(b)c)d", `"(`, `("`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n := Comment(s); n > 0 && (s[0] != '(' || s[n-1] != ')') {
			t.Errorf("comment of %q: %d", s, n)
		}
		if !strings.HasPrefix(s, `"`) {
			return
		}
		_, rest := Unquote(s)
		if n := Quoted(s); n > 0 && s[n:] != rest || n == 0 && rest != "" {
			t.Errorf("%q: %d, %q", s, n, rest)
		}
		if len(Uncomment(s)) > len(s) || len(Blank(s)) > len(s) {
			t.Errorf("%q grows", s)
		}
	})
}
