package webclient

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestObject(t *testing.T) {
	t.Parallel()
	got, err := Object([]byte(` {"b": 1, "a" :{"x":[1,{}]},"":"\u0441", "B":null} ` + "\r\n"))
	if err != nil || len(got) != 4 || got[0].Name != "b" || string(got[0].Value) != "1" || got[1].Name != "a" ||
		string(got[1].Value) != `{"x":[1,{}]}` || got[2].Name != "" || got[3].Name != "B" {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := Object([]byte("{}")); len(got) != 0 || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	for _, text := range []string{
		"", " ", "null", "1", `"x"`, "[]", "{", "}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1 "b":2}`, `{a:1}`, `{"a":1}{}`, `{"a":1}]`,
		`{"a":1,"a":1}`, `{"a":1,"\u0061":2}`, "<html>", `{"a":nan}`, strings.Repeat(`{"a":`, 20_000), `{"a":` + strings.Repeat("[", 20_000),
	} {
		if got, err := Object([]byte(text)); err == nil {
			t.Errorf("%.50q gives %.100s", text, got)
		}
	}
}

func TestStringAndArray(t *testing.T) {
	t.Parallel()
	if s, err := String([]byte(`"a\n\u0441"`)); s != "a\nс" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	for _, text := range []string{"null", "1", "[]", "{}", ""} {
		if s, err := String([]byte(text)); err == nil {
			t.Errorf("%s is %q", text, s)
		}
	}
	if a, err := Array([]byte(`[1,"a",[]]`)); len(a) != 3 || err != nil {
		t.Errorf("%s, %v", a, err)
	}
	for _, text := range []string{"null", "1", `"x"`, "{}", ""} {
		if a, err := Array([]byte(text)); err == nil {
			t.Errorf("%s is %s", text, a)
		}
	}
}

func TestCheckFieldName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"X-Spam", "x", "!#$", strings.Repeat("x", 200)} {
		if err := CheckFieldName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "X:", "X Y", "X\r\nY", "X\t", "Тема", "X\x7f", "X\xff", strings.Repeat("x", 201)} {
		if CheckFieldName(name) == nil {
			t.Errorf("%q is taken", name)
		}
	}
}

func FuzzObject(f *testing.F) {
	for _, text := range []string{`{"a":{"b":[1,null]},"c":"\u0441"}`, `{"a":1,"a":2}`, `{"a":1}{}`, "{}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		members, err := Object(text)
		if err == nil != objectOnce(text) {
			t.Errorf("%q: %s, %v", text, members, err)
		}
		for _, m := range members {
			if !json.Valid(m.Value) {
				t.Errorf("%q: %q", m.Name, m.Value)
			}
		}
	})
}

// objectOnce tells whether a text is an object in which no name stands twice,
// by another reading.
func objectOnce(text []byte) bool {
	var all map[string]json.RawMessage
	if json.Unmarshal(text, &all) != nil || all == nil {
		return false
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	names, depth := 0, 0
	for isName := false; ; {
		token, err := d.Token()
		if err != nil {
			return names == len(all)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			isName = depth == 1
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			isName = depth == 1
			continue
		}
		if depth == 1 {
			if isName {
				names++
			}
			isName = !isName
		}
	}
}
