package mail

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecode(t *testing.T) {
	tests := []struct{ name, raw, charset, want string }{
		{"plain", " hello", "", " hello"},
		{"fold", " a\n b", "", " a b"},
		{"CRLF fold", " a\r\n\tb", "", " a\tb"},
		{"bare line end", "a\nb", "", "a b"},
		{"B", "=?UTF-8?B?0J/RgNC40LLQtdGC?=", "", "Привет"},
		{"no padding", "=?utf-8?b?YQ?=", "", "a"},
		{"Q", "=?koi8-r?Q?=F0=D2=C9=D7=C5=D4=2C_you?=", "", "Привет, you"},
		{"language", "=?US-ASCII*EN?Q?Keith_Moore?=", "", "Keith Moore"},
		{"adjacent", "=?utf-8?q?a?= \t =?utf-8?q?b?=", "", "ab"},
		{"adjacent, other charset", "=?utf-8?q?a?= =?koi8-r?q?=F0?=", "", "aП"},
		{"not adjacent", "=?utf-8?q?a?= x =?utf-8?q?b?=", "", "a x b"},
		{"divided character", "=?utf-8?q?=D0?= =?utf-8?q?=9F?=", "", "П"},
		{"space in a word", "=?utf-8?q?a b?=", "", "a b"},
		{"unknown charset", "=?x-nope?q?a?= b", "", "=?x-nope?q?a?= b"},
		{"no charset", "=??q?a?=", "", "=??q?a?="},
		{"unknown encoding", "=?utf-8?x?a?=", "", "=?utf-8?x?a?="},
		{"broken base64", "=?utf-8?b?*?= b", "", "=?utf-8?b?*?= b"},
		{"unclosed", "=?utf-8?q?a b", "", "=?utf-8?q?a b"},
		{"ISO-2022-JP", "=?ISO-2022-JP?B?GyRCJEskYyE8JHMbKEI=?=", "", "にゃーん"},
		{"raw UTF-8", "Привет", "koi8-r", "Привет"},
		{"raw KOI8-R", "\xf0\xd2\xc9\xd7\xc5\xd4", "koi8-r", "Привет"},
		{"raw, charset unknown", "caf\xe9", "", "café"},
		{"hidden line end", "=?utf-8?q?a=0D=0Ab?=", "", "a  b"},
		{"hidden NUL", "=?utf-8?q?vi=00agra?=", "", "viagra"},
	}
	for _, tt := range tests {
		if got := Decode(tt.raw, tt.charset); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestFallbackCharset(t *testing.T) {
	for raw, want := range map[string]string{
		` text/plain; charset=koi8-r`:                   "koi8-r",
		" text/plain; format=flowed;\n charset=\"x-y\"": "x-y",
		` text/plain; CHARSET*=us-ascii'en'utf-8`:       "utf-8",
		` text/plain`:          "",
		` text/plain; charset`: "",
	} {
		if got := (Header{{"content-type", raw}}).FallbackCharset(); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		f    Field
		wire string
	}{
		{Field{"A", ""}, "A:\r\n"},
		{Field{"A", " b\n c"}, "A: b\r\n c\r\n"},
		{Field{"A", " b\r\n c\n\td"}, "A: b\r\n c\r\n\td\r\n"},
	} {
		if got := tt.f.Size(); got != int64(len(tt.wire)) {
			t.Errorf("%v: %d, want %d", tt.f, got, len(tt.wire))
		}
	}
}

func TestTraceIPs(t *testing.T) {
	h := Header{
		{"Subject", " 192.0.2.99"},
		{"Received", " from a (b.example [192.0.2.1])\n\tby c (8.17.1)"},
		{"received", " from [IPv6:2001:db8::1] (unknown [2001:db8::2])"},
		{"Received", " from x (192.0.2.1) by y; Mon, 23 Nov 2026 10:00:00 +0000"},
		{"X-Originating-IP", " [198.51.100.9]"},
		{"Received", " from 203.0.113.5. by v1.2.3.4 with id 10.0.0.1x"},
	}
	want := "[192.0.2.1 2001:db8::1 2001:db8::2 203.0.113.5 198.51.100.9]"
	if got := fmt.Sprint(h.TraceIPs()); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestFoldAddress(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"Ivan@Example.ORG":                  "ivan@example.org",
		"ivan@example.org.":                 "ivan@example.org",
		"@a.example,@b.example:u@c.example": "u@c.example",
		`"Ivan"@example.org`:                "ivan@example.org",
		`"iv\an"@example.org`:               "ivan@example.org",
		`"a@b"@example.org`:                 `"a@b"@example.org`,
		`"a b"@example.org`:                 `"a b"@example.org`,
		`"a@b"`:                             `"a@b"`,
		"Postmaster":                        "postmaster",
		"ИВАН@ПРИМЕР.РФ":                    "иван@xn--e1afmkfd.xn--p1ai",
		"a@XN--E1AFMKFD.xn--p1ai":           "a@xn--e1afmkfd.xn--p1ai",
		"a@[192.0.2.1]":                     "a@[192.0.2.1]",
		"user%other@example.org":            "user%other@example.org",
		"a@b@example.org":                   "a@b@example.org",
	} {
		if got := FoldAddress(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { FoldAddress("ivan+tag@mail.example.org") }); n != 0 {
		t.Errorf("%v allocations for a folded address", n)
	}
}

func TestSplitAddress(t *testing.T) {
	for in, want := range map[string][2]string{
		"a@b":    {"a", "b"},
		"a":      {"a", ""},
		`"a@b"`:  {`"a@b"`, ""},
		`"a@"@b`: {`"a@"`, "b"},
		"a@b@c":  {"a@b", "c"},
		`"a@b`:   {`"a`, "b"},
		"@b":     {"", "b"},
		"a@":     {"a", ""},
	} {
		if l, d := SplitAddress(in); l != want[0] || d != want[1] {
			t.Errorf("%q: %q, %q, want %q", in, l, d, want)
		}
	}
}

func TestFieldValue(t *testing.T) {
	for in, want := range map[string]string{
		"":              " ",
		"YES":           " YES",
		"a\r\nX: y\x00": " a X: y",
		"да":            " =?UTF-8?B?0LTQsA==?=",
	} {
		if got := FieldValue("X-Note", in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	long := FieldValue("X-Note", strings.Repeat("word ", 100))
	for _, l := range strings.Split(long, "\n") {
		if len(l) > wantLine {
			t.Errorf("a line of %d octets", len(l))
		}
	}
	checkValue(t, "X-Note", FieldValue("X-Note", strings.Repeat("x", 5000)))
	if !strings.Contains(FieldValue("X-Note", strings.Repeat("x", 5000)), "\n") {
		t.Error("a long word is not folded")
	}
}

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

// TestLinear decodes what would take hours if any step were quadratic.
func TestLinear(t *testing.T) {
	const n = 1 << 21
	for _, unit := range []string{"=?utf-8?q?a", "=?", "=?utf-8?q?a?= ", "=?x?q?", "?=", "=?utf-8?b?", "\n"} {
		s := strings.Repeat(unit, n/len(unit))
		Decode(s, "")
		TagSubject(s, "[X]")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("=?UTF-8?B?0J/RgA==?= =?koi8-r?q?=F0?=\n x", "koi8-r")
	f.Add("=?utf-8?q?=?=", "big5")
	f.Fuzz(func(t *testing.T, raw, charset string) {
		d := Decode(raw, charset)
		if a := string(AppendDecode([]byte("x"), raw, charset)); a != "x"+strings.TrimSpace(d) {
			t.Errorf("appended %q, decoded %q", a, d)
		}
		if !utf8.ValidString(d) || strings.ContainsAny(d, "\r\n\x00") {
			t.Errorf("%q", d)
		}
	})
}

func FuzzFieldValue(f *testing.F) {
	f.Add("да\r\n нет")
	f.Add(strings.Repeat("y", 3000))
	f.Fuzz(func(t *testing.T, text string) {
		v := FieldValue("X-Note", text)
		checkValue(t, "X-Note", v)
		for i := 0; i < len(v); i++ {
			if v[i] >= 0x7f || v[i] < ' ' && v[i] != '\n' && v[i] != '\t' {
				t.Errorf("octet %#x in %q", v[i], v)
			}
		}
		if want := collapse(printable(strings.ToValidUTF8(unfold(text), "\uFFFD"))); collapse(Decode(v, "")) != want {
			t.Errorf("%q decodes to %q, want %q", v, collapse(Decode(v, "")), want)
		}
	})
}

func FuzzFoldAddress(f *testing.F) {
	f.Add(`"a\"b"@Example.org`)
	f.Add("@a:@b:c")
	f.Add("İ@İ.example")
	f.Fuzz(func(t *testing.T, addr string) {
		once := FoldAddress(addr)
		if twice := FoldAddress(once); twice != once {
			t.Errorf("%q folds to %q and then to %q", addr, once, twice)
		}
	})
}

func FuzzTraceIPs(f *testing.F) {
	f.Add(" from a ([IPv6:::1]) 1.2.3.4")
	f.Fuzz(func(t *testing.T, value string) {
		seen := map[string]bool{}
		for _, a := range (Header{{"Received", value}}).TraceIPs() {
			if !a.IsValid() || seen[a.String()] {
				t.Errorf("%v twice or not valid", a)
			}
			seen[a.String()] = true
		}
	})
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

func BenchmarkDecode(b *testing.B) {
	for _, s := range []string{" an ordinary value of ordinary length", " =?UTF-8?B?0J/RgNC40LLQtdGC?="} {
		b.Run(s[:5], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Decode(s, "")
			}
		})
	}
}

// TestUnfoldBothWays: a text without CR unfolds as it does with some.
func TestUnfoldBothWays(t *testing.T) {
	for _, s := range []string{"", "a", "\n", "a\n b", "a\n\n\tb", "a\nb", "\na", "a\n", "a \n \n b\n"} {
		fast := string(appendUnfolded(nil, s))
		slow := string(appendUnfolded(nil, strings.ReplaceAll(s, "\n", "\r\n")))
		if fast != slow {
			t.Errorf("%q: %q and %q", s, fast, slow)
		}
	}
}
