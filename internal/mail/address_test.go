package mail

import (
	"testing"
)

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
		"a@ПРИМЕР。РФ":                       "a@xn--e1afmkfd.xn--p1ai",
		"a@b_c.пример.рф":                   "a@b_c.xn--e1afmkfd.xn--p1ai",
		`"a\"B"@example.org`:                `"a\"b"@example.org`,
		"A\xff@Example.org\xff":             "a\xff@example.org\xff",
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

func BenchmarkFoldAddress(b *testing.B) {
	for name, addr := range map[string]string{"folded": "ivan@example.org", "case": "Ivan@Example.ORG", "IDN": "ivan@пример.рф"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				FoldAddress(addr)
			}
		})
	}
}
