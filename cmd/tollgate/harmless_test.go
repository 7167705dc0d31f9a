package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
)

// What is spelt by number is the same text, and nothing in it moves a terminal.
func TestHarmless(t *testing.T) {
	for r := rune(0x20); r <= unicode.MaxRune; r++ {
		if r >= 0xd800 && r < 0xe000 || r == '"' || r == '\\' {
			continue
		}
		if r > 0x20000 && r < 0xe0000 && r%97 != 0 { // ideographs, and planes of which nothing is assigned
			continue
		}
		line := []byte(`{"subject":"a` + string(r) + `b"}`)
		text := string(harmless(line))
		if strings.ContainsFunc(text, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }) {
			t.Fatalf("%U: %q", r, text)
		}
		if r%97 != 0 && unicode.IsPrint(r) {
			continue
		}
		var was, is struct{ Subject string }
		if err := json.Unmarshal(line, &was); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(text), &is); err != nil || is != was {
			t.Fatalf("%U: %q, %v", r, text, err)
		}
	}
	if got := string(harmless([]byte("{\"a\":\"\x9b\xff\"}"))); !json.Valid([]byte(got)) || strings.IndexByte(got, 0x9b) >= 0 {
		t.Errorf("%q", got)
	}
}
