package mail

import (
	"strings"
	"testing"
)

func TestSplitMessage(t *testing.T) {
	tests := []struct {
		in     string
		fields int
		body   string
	}{
		{"A: b\r\n\r\nbody\r\n", 1, "body\r\n"},
		{"A: b\nC: d\n e\n\nbody", 2, "body"},
		{"A : b\n\n", 1, ""},
		{"A: b\nno field\n\nbody", 1, "no field\n\nbody"},
		{"From x\nA: b\n\n", 2, ""},
		{" indented\nA: b\n\n", 0, " indented\nA: b\n\n"},
		{"", 0, ""},
		{"\nbody", 0, "body"},
	}
	for _, tt := range tests {
		h, body := SplitMessage([]byte(tt.in))
		if len(h) != tt.fields || string(body) != tt.body {
			t.Errorf("%q: %q, body %q", tt.in, h, body)
		}
	}
}

func FuzzSplitMessage(f *testing.F) {
	f.Add([]byte("A: b\r\n c\r\n\r\nbody"))
	f.Add([]byte("From x\n>From y\n \n:"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, body := SplitMessage(b)
		if len(body) > len(b) {
			t.Errorf("body of %d octets in a message of %d", len(body), len(b))
		}
		for _, field := range h {
			if field.Name == "" || strings.ContainsAny(field.Name, " :\n\t") {
				t.Errorf("field %q", field)
			}
		}
	})
}
