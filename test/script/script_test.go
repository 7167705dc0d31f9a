package script

import (
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRead(t *testing.T) {
	steps, err := Read(write(t, "session.txt", "# why\n\n@b C: MAIL FROM:<>\nDATA\n| Subject: x\n|\n|  indented\nS: 250 ok\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) != 3 {
		t.Fatalf("%d steps", len(steps))
	}
	if s := steps[0]; s.Conn != "b" || s.Verb != "C:" || s.Arg != "MAIL FROM:<>" || s.Line != 3 {
		t.Errorf("%+v", s)
	}
	if s := steps[1]; len(s.Text) != 3 || s.Text[0] != "Subject: x" || s.Text[1] != "" || s.Text[2] != " indented" {
		t.Errorf("%+v", s)
	}
	if _, err := Read(write(t, "session.txt", "| text\n")); err == nil {
		t.Error("text without a step is read")
	}
}

func TestMatch(t *testing.T) {
	got := Object{"a": "x1", "n": 5.0, "l": []any{map[string]any{"name": "r1", "weight": "2"}}, "e": "", "el": []any{}}
	for _, c := range []struct {
		want Object
		ok   bool
	}{
		{Object{"a": "x1"}, true},
		{Object{"a": "x"}, false},
		{Object{"a": "~^x[0-9]$"}, true},
		{Object{"a": "~^y"}, false},
		{Object{"n": 5.0, "l": []any{"r1"}}, true},
		{Object{"n": 6.0}, false},
		{Object{"l": []any{"r1", "r2"}}, false},
		{Object{"l": []any{map[string]any{"name": "r1", "weight": "2"}}}, true},
		{Object{"l": []any{map[string]any{"weight": "3"}}}, false},
		{Object{"e": nil, "el": nil, "gone": nil}, true},
		{Object{"a": nil}, false},
		{Object{"gone": "x"}, false},
	} {
		if errs := c.want.Match(got); (len(errs) == 0) != c.ok {
			t.Errorf("%v: %v", c.want, errs)
		}
	}
}

func TestDelivery(t *testing.T) {
	data := []byte("Received: by mx\r\nSubject: [T]\r\n =?utf-8?Q?=D0=BC?=\r\nX-A: 1\r\nX-a: 2\r\nTo: b\xff\r\n\r\nbody\r\n")
	for text, ok := range map[string]bool{
		"to b@c":                         true,
		"to d@c":                         false,
		"to b@c\nfrom a@b":               true,
		"to b@c\nfrom x@b":               false,
		"to b@c\nSubject: [T] м":         true,
		"to b@c\nSubject: [T]":           false,
		"to b@c\nSubject ~ ^.T. м$":      true,
		"to b@c\ncount X-A 2\nno X-B":    true,
		"to b@c\ncount X-A 1":            false,
		"to b@c\nno X-A":                 false,
		"to b@c\nraw To: b\\xff":         true,
		"to b@c\nraw Subject: [T]\\n =?": false,
		"to b@c\nnonsense here":          false,
	} {
		all, err := ReadDeliveries(write(t, "delivered.txt", text+"\n"))
		if err != nil || len(all) != 1 {
			t.Fatalf("%q: %v %v", text, all, err)
		}
		if errs := all[0].Check("a@b", []string{"b@c"}, data); (len(errs) == 0) != ok {
			t.Errorf("%q: %v", text, errs)
		}
	}
	file := write(t, "delivered.txt", "to b@c\nsame sent.eml except Subject, X-A\n")
	for sent, ok := range map[string]bool{
		"Subject: м\nTo: b\xff\n\nbody\n":       true,
		"Subject: м\nTo: b\xff\n\nbody \n":      false,
		"Subject: м\nTo: b\xff\nX-B:\n\nbody\n": false,
	} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), "sent.eml"), []byte(sent), 0o644); err != nil {
			t.Fatal(err)
		}
		all, err := ReadDeliveries(file)
		if err != nil {
			t.Fatal(err)
		}
		if errs := all[0].Check("a@b", []string{"b@c"}, data); (len(errs) == 0) != ok {
			t.Errorf("%q: %v", sent, errs)
		}
	}
}

func TestDecode(t *testing.T) {
	for raw, want := range map[string]string{
		" plain  text": "plain  text",
		" =?koi8-r?B?8NLJ18XU?=, =?windows-1251?Q?=EC=E8=F0_=EC?=":     "Привет, мир м",
		" a =?utf-8?Q?=D0?=\r\n\t=?UTF-8?Q?=BC_b?= =?utf-8*ru?Q?c?= d": "a м bc d",
	} {
		if got, err := Decode(raw); err != nil || got != want {
			t.Errorf("Decode(%q) = %q, %v; want %q", raw, got, err, want)
		}
	}
}
