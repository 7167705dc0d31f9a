package jsontext

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Eight octets at a time find what one at a time finds, wherever it stands.
func TestPlainLength(t *testing.T) {
	slow := func(s string) int {
		for i := range len(s) {
			if !Plain(s[i]) {
				return i
			}
		}
		return len(s)
	}
	for c := range 256 {
		for at := range 20 {
			s := strings.Repeat("a", at) + string([]byte{byte(c)}) + strings.Repeat("~", 12)
			if got, want := PlainLength(s), slow(s); got != want {
				t.Fatalf("%q: %d, want %d", s, got, want)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOfN(rapid.OneOf(rapid.ByteRange(' ', '~'), rapid.ByteRange(' ', '~'), rapid.ByteRange(' ', '~'), rapid.Byte()), 0, 60).Draw(t, "s"))
		if got, want := PlainLength(s), slow(s); got != want {
			t.Fatalf("%q: %d, want %d", s, got, want)
		}
	})
}

// BenchmarkAppendString writes what a record is made of: addresses, names, ids.
func BenchmarkAppendString(b *testing.B) {
	texts := []string{"gw.example.org/4fXy2k3zq1/1795417200123/user0.0@example.org", "usage", "<cc14e66a.a72d.JavaMail.app@mail.example.net>", "203.0.113.77", ""}
	var out []byte
	for b.Loop() {
		out = out[:0]
		for _, s := range texts {
			out = AppendString(out, s)
		}
	}
}
