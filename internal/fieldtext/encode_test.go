package fieldtext

import (
	"strings"
	"testing"
)

func TestEncode(t *testing.T) {
	for in, want := range map[string]string{
		"":              " ",
		"YES":           " YES",
		"a\r\nX: y\x00": " a X: y",
		"да":            " =?UTF-8?B?0LTQsA==?=",
	} {
		if got := Encode("X-Note", in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for _, long := range []string{
		strings.Repeat("word ", 100),
		strings.Repeat("длинный текст ", 100),
		strings.Repeat("x", 5000),
		"a" + strings.Repeat(" ", 1500) + "b",
	} {
		if v := Encode("X-Note", long); !strings.Contains(v, "\n") {
			t.Errorf("%.20q is not folded", v)
		} else {
			checkOurs(t, "X-Note", v)
		}
	}
}

// checkOurs checks what every value that we write alone must be: lines within
// 78 octets unless one piece is longer (RFC 5322 §2.1.1), words within 75 (RFC
// 2047 §2), no octets but printable ASCII, tabs and folds.
func checkOurs(t *testing.T, name, value string) {
	t.Helper()
	if value == "" || value[0] != ' ' {
		t.Errorf("%q does not begin with a space", value)
	}
	for i, l := range strings.Split(value, "\n") {
		if i > 0 && blank(l) {
			t.Errorf("line %d is blank: %q", i, value)
		}
		words := len(strings.Fields(l))
		if i == 0 {
			l = name + ":" + l
		} else if l[0] != ' ' && l[0] != '\t' {
			t.Errorf("line %d begins anew: %q", i, value)
		}
		if strings.Contains(l, "=?") && len(l) > 76 && len(name) < 40 {
			t.Errorf("line %d has encoded-words and %d octets", i, len(l)) // RFC 2047 §2
		}
		if len(l) > MostLine || len(l) > wantLine && words > 1 {
			t.Errorf("line %d has %d octets", i, len(l))
		}
	}
	for i := 0; i < len(value); i++ {
		if c := value[i]; c >= 0x7f || c < ' ' && c != '\n' && c != '\t' {
			t.Errorf("octet %#x in %q", c, value)
		}
	}
	for _, w := range strings.Fields(value) {
		if _, ok := wordAt(w, asLabelled, nil); ok && len(w) > 75 {
			t.Errorf("an encoded-word of %d octets: %q", len(w), w)
		}
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("да\r\n нет")
	f.Add(strings.Repeat("y", 3000))
	f.Add("a" + strings.Repeat(" ", 1000) + "b")
	f.Fuzz(func(t *testing.T, text string) {
		v := Encode("X-Note", text)
		checkOurs(t, "X-Note", v)
		if want := collapse(clean(text)); collapse(Decode(nil, v, "")) != want {
			t.Errorf("%q decodes to %q, want %q", v, collapse(Decode(nil, v, "")), want)
		}
	})
}
