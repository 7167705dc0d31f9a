package address

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unicode"

	"github.com/tollgate-mail/tollgate/internal/address/addresstest"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"Ivan@Example.ORG":                  "ivan@example.org",
		"ivan@example.org.":                 "ivan@example.org",
		"ivan@example.org..":                "ivan@example.org..",
		"@a.example,@b.example:u@c.example": "u@c.example",
		`"Ivan"@example.org`:                "ivan@example.org",
		`"iv\an"@example.org`:               "ivan@example.org",
		`iv\an@example.org`:                 "ivan@example.org",
		`ivan@"example.org"`:                "ivan@example.org",
		`"a@b"@example.org`:                 `"a@b"@example.org`,
		`"a b"@example.org`:                 `"a b"@example.org`,
		`"a@b"`:                             "a@b",
		"Postmaster":                        "postmaster",
		"ИВАН@ПРИМЕР.РФ":                    "иван@xn--e1afmkfd.xn--p1ai",
		"a@XN--E1AFMKFD.xn--p1ai":           "a@xn--e1afmkfd.xn--p1ai",
		"a@[192.0.2.1]":                     "a@[192.0.2.1]",
		"user%other@example.org":            "user%other@example.org",
		"a@b@example.org":                   `"a@b"@example.org`,
		"a@ПРИМЕР。РФ":                       "a@xn--e1afmkfd.xn--p1ai",
		"a@b_c.пример.рф":                   "a@b_c.xn--e1afmkfd.xn--p1ai",
		`"a\"B"@example.org`:                `"a\"b"@example.org`,
		".a@example.org":                    ".a@example.org",
		`".a"@example.org`:                  ".a@example.org",
		"ivan@example.org ":                 "ivan@example.org",
		" ivan @ example . org\t":           "ivan@example.org",
		"<ivan@example.org>":                "ivan@example.org",
		"<<ivan@example.org>>":              "ivan@example.org",
		"<<ivan@example.org >>":             "ivan@example.org",
		"ivan@example.org(x)":               "ivan@example.org",
		"ivan(x (y) \\) z)@example.org":     "ivan@example.org",
		"Ivan <ivan@example.org>":           "ivan@example.org",
		"  ":                                "",
		"(x)":                               "",
		`""`:                                "",
		"<>":                                "",
		"<<>>":                              "",
		"@":                                 "",
		"ivan@example.org@":                 "ivan@example.org",
		"ΝΊΚΟΣ@example.org":                 "νίκοσ@example.org",
		"νίκος@example.org":                 "νίκοσ@example.org",
		"e\u0301@example.org":               "é@example.org",
		"É@example.org":                     "é@example.org",
		"й@example.org":                     "й@example.org",
		"straße@example.org":                "straße@example.org",
		// More than one address, or none: only like itself.
		"a@b.example, c@d.example": "a@b.example, c@d.example",
		"a b@example.org":          "a b@example.org",
		"<a@b.example> c":          "<a@b.example> c",
		"a@b.example>":             "a@b.example>",
		"a@exam ple.org":           "a@exam ple.org",
		"A\xff@Example.org":        "a\xff@example.org",
		"a@b.example;c":            "a@b.example;c",
		"<a@b.e(x>":                "<a@b.e(x>",
		"a@b.example(x>":           "a@b.example",
		`<"a@b.example>`:           `<"a@b.example>`,
	} {
		if got := Fold(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Parse("ivan+tag@mail.example.org") }); n != 0 {
		t.Errorf("%v allocations for a folded address", n)
	}
}

func TestForms(t *testing.T) {
	for in, want := range map[string][3]string{ // ASCII, for people, without the tag
		"":                             {"", "", ""},
		"Ivan+Shop@Example.org":        {"Ivan+Shop@example.org", "Ivan+Shop@example.org", "ivan@example.org"},
		"ВСЕ+x@тест.рф":                {"ВСЕ+x@xn--e1aybc.xn--p1ai", "ВСЕ+x@тест.рф", "все@xn--e1aybc.xn--p1ai"},
		"all@xn--e1aybc.xn--p1ai":      {"all@xn--e1aybc.xn--p1ai", "all@тест.рф", ""},
		"all@xn--not-a-label-.example": {"all@xn--not-a-label-.example", "all@xn--not-a-label-.example", ""},
		`"a+b c"@example.org`:          {`"a+b c"@example.org`, `"a+b c"@example.org`, ""},
		`"ivan+shop"@example.org`:      {"ivan+shop@example.org", "ivan+shop@example.org", "ivan@example.org"},
		"+x@example.org":               {"+x@example.org", "+x@example.org", ""},
		"postmaster+x":                 {"postmaster+x", "postmaster+x", "postmaster"},
		"a, b+c":                       {"a, b+c", "a, b+c", ""},
	} {
		a := Parse(in)
		if a.ASCII() != want[0] || a.Text() != want[1] {
			t.Errorf("%q: %q and %q", in, a.ASCII(), a.Text())
		}
		if !slices.Contains(a.Texts(), want[0]) || !slices.Contains(a.Texts(), want[1]) {
			t.Errorf("%q: %q", in, a.Texts())
		}
		short, ok := a.Untagged("+-")
		if ok != (want[2] != "") || ok && short.String() != want[2] {
			t.Errorf("%q without its tag: %q, %v", in, short, ok)
		}
		if a.Null() != (in == "") {
			t.Errorf("%q is the null sender: %v", in, a.Null())
		}
	}
}

func TestSplit(t *testing.T) {
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
		if l, d := Split(in); l != want[0] || d != want[1] {
			t.Errorf("%q: %q, %q, want %q", in, l, d, want)
		}
	}
}

// Letters that an expression takes for the same whatever their case fold to
// one.
func TestFoldRune(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if f := foldRune(r); foldRune(f) != f {
			t.Fatalf("%U folds to %U and then to %U", r, f, foldRune(f))
		}
		if s := unicode.SimpleFold(r); s != r && r != 'ı' && s != 'ı' && r != 'İ' && s != 'İ' && foldRune(s) != foldRune(r) && unicode.IsLetter(r) {
			t.Errorf("%U and %U fold to %U and %U", r, s, foldRune(r), foldRune(s))
		}
	}
}

func FuzzSpelling(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte("0"))
	f.Fuzz(func(t *testing.T, seed []byte) {
		i := 0
		choose := func(n int) int {
			if len(seed) == 0 {
				return 0
			}
			i++
			return int(seed[i%len(seed)]+byte(i/len(seed))) % n
		}
		local := []string{"ivan", "a.b", "иван", "x_y"}[choose(4)]
		domain := []string{"example.org", "тест.рф", "a-b.example"}[choose(3)]
		s := addresstest.Spell(choose, local, domain)
		if got, want := Fold(s), Fold(local+"@"+domain); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	})
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{`"a\"b"@Example.org`, "@a:@b:c", "İ@İ.example", "a@b@c", "<a@b>@", "a@[b]", `a@"b c"`, "(", "[", `"`, `\`, "a\\", "ᾳ@x", "<@>", "@@", `""@x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a := Parse(s)
		for what, form := range map[string]string{"compares": a.String(), "is in ASCII": a.ASCII(), "is for people": a.Text()} {
			if again := Fold(form); again != a.String() {
				t.Errorf("%q %s as %q, which folds to %q, not %q", s, what, form, again, a.String())
			}
		}
		if local, domain := Split(a.String()); a.Valid() && (domain != a.Domain || foldLocal(quote(a.Local)) != local) {
			t.Errorf("%q is cut into %q and %q", a.String(), local, domain)
		}
	})
}

func BenchmarkFold(b *testing.B) {
	for name, addr := range map[string]string{"folded": "ivan@example.org", "case": "Ivan@Example.ORG", "IDN": "ivan@пример.рф", "odd": `"iv\an" @example.org`} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Fold(addr)
			}
		})
	}
}

// TestInternalInShort: what Internal reads in the short way is what it reads in the
// long one.
func TestInternalInShort(t *testing.T) {
	alphabet := []byte("aZ9.-_@@%+/x")
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		b := make([]byte, rng.IntN(9))
		for i := range b {
			b[i] = alphabet[rng.IntN(len(alphabet))]
		}
		s := string(b)
		if long := internal(s); Internal(s) != long {
			t.Fatalf("%q: %+v, the long way %+v", s, Internal(s), long)
		}
		if a := Parse(s); a.Valid() && (a.ASCII() != join(quote(a.Local), a.Domain) || a.Text() != join(quote(a.Local), DisplayDomain(a.Domain))) {
			t.Fatalf("%q: %q, %q", s, a.ASCII(), a.Text())
		}
	}
}
