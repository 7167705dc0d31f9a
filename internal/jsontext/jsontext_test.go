package jsontext

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func FuzzString(f *testing.F) {
	f.Add("plain")
	f.Add("\"\\\x00\x1f\x7f\xff\u2028")
	f.Add("Ж\xd0")
	f.Fuzz(func(t *testing.T, s string) {
		got := AppendString(nil, s)
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			t.Fatal(err)
		}
		if w := strings.TrimSuffix(want.String(), "\n"); string(got) != w {
			t.Errorf("%q: %s, want %s", s, got, w)
		}
	})
}
