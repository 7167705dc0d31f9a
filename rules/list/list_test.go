package list

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/address/addresstest"
	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/rules/expr"
)

func mustList(t testing.TB, entries ...string) *List {
	t.Helper()
	l, problems := Read("list", strings.NewReader(strings.Join(entries, "\n")), Names, cache())
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	return l
}

// Addresses in a list have the one form that they have everywhere, however they
// are spelt there or in what is looked up.
func TestListForm(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, local := range []string{"ivan", "a.b", "иван", "x_y", "\u0439", "e\u0301", "\u039d\u0399\u039a\u039f\u03a3", "νίκος", "stra\u00dfe", "\u212aate", "user%other"} {
		for _, domain := range []string{"example.org", "тест.рф", "e\u0301.example", "\u00e9.example", "\uff45xample.org", "XN--E1AYBC.xn--p1ai"} {
			for _, form := range []func(string) string{norm.NFC.String, norm.NFD.String, strings.ToUpper, strings.ToLower} {
				entry := form(local) + "@" + domain
				whole, user := mustList(t, entry), mustList(t, form(local)+"@")
				of := mustList(t, "@"+form(domain))
				for range 10 {
					text := addresstest.Spell(rnd.IntN, local, domain)
					if address.Fold(text) != address.Fold(entry) {
						continue // upper case of an odd letter
					}
					for _, one := range []string{text, address.Parse(text).ASCII(), address.Parse(text).Text()} {
						if !whole.HasText(one, nil) || !user.HasText(one, nil) || !of.HasText(one, nil) {
							t.Errorf("%q is not in the list of %q: %v, %v, %v", one, entry, whole.HasText(one, nil), user.HasText(one, nil), of.HasText(one, nil))
						}
					}
				}
			}
		}
	}
}

func TestListTexts(t *testing.T) {
	tests := []struct {
		entry     string
		has, lack []string
	}{
		{"ivan@example.org",
			[]string{"ivan@example.org", "IVAN@Example.ORG", "ivan@example.org."},
			[]string{"ivan@sub.example.org", "an@example.org", "example.org", "ivan", "ivan@", ""}},
		{"postmaster@",
			[]string{"postmaster@example.org", "PostMaster@example.com"},
			[]string{"postmaster", "xpostmaster@example.org", "postmaster.x@example.org"}},
		{"@example.org",
			[]string{"a@example.org", "example.org", "Example.Org."},
			[]string{"a@sub.example.org", "sub.example.org", "a@example.org.evil.example"}},
		{"example.org",
			[]string{"a@example.org", "example.org"},
			[]string{"sub.example.org", "notexample.org"}},
		{".example.org",
			[]string{"a.example.org", "a.b.example.org", "user@a.example.org"},
			[]string{"example.org", "user@example.org", "aexample.org"}},
		{"пример.рф",
			[]string{"пример.рф", "ПРИМЕР.РФ", "xn--e1afmkfd.xn--p1ai", "a@пример.рф", "XN--E1AFMKFD.xn--p1ai"},
			[]string{"a.пример.рф"}},
		{"XN--E1AFMKFD.xn--p1ai", []string{"Пример.рф", "a@пример.рф"}, nil},
		{".рф", []string{"пример.рф", "a@xn--e1afmkfd.xn--p1ai"}, []string{"рф"}},
		{"иван@пример.рф", []string{"Иван@Пример.РФ", "ИВАН@xn--e1afmkfd.xn--p1ai"}, []string{"ивана@пример.рф"}},
		{`"john doe"@example.org`, []string{`"John Doe"@example.org`}, []string{"john doe@example.org"}},
		{"unknown", []string{"unknown"}, []string{"unknown.example"}},
		{"_dmarc.mail-1.example", []string{"_dmarc.mail-1.example"}, nil},
		{"192.0.2.1",
			[]string{"192.0.2.1", "[192.0.2.1]", "a@[192.0.2.1]", "::ffff:192.0.2.1"},
			[]string{"192.0.2.10", "192.0.2", "x192.0.2.1"}},
		{"192.0.2.0/24", []string{"[192.0.2.77]", "192.0.2.77"}, []string{"192.0.3.1", "mx192.0.2.77"}},
		{"2001:DB8:0::1", []string{"[IPv6:2001:db8::1]", "[ipv6:2001:db8:0:0:0:0:0:1]", "2001:db8::1"}, []string{"2001:db8::2"}},
		{"::ffff:10.0.0.0/104", []string{"10.200.0.1"}, []string{"11.0.0.1"}},
		{"@[192.0.2.9]", []string{"a@[192.0.2.9]"}, []string{"a@[192.0.2.8]"}},
		{`/^bounce\+.*@lists\./`, []string{"bounce+1@lists.example"}, []string{"xbounce+1@lists.example"}},
		{"/#ticket/", []string{"a #TICKET 1"}, []string{"ticket"}},
		{"/a/b/", []string{"xA/B"}, []string{"ab"}},
		{`/(?-i)Spam/`, []string{"Spam"}, []string{"spam"}},
		{`/^$/`, []string{""}, []string{"x"}},
		{"192.168.1.10-192.168.1.20",
			[]string{"[192.168.1.10]", "192.168.1.20", "192.168.1.15"},
			[]string{"192.168.1.9", "192.168.1.21", "x192.168.1.15"}},
		{"2001:db8::1 - 2001:db8::3", []string{"[IPv6:2001:db8::2]"}, []string{"2001:db8::4"}},
	}
	for _, tt := range tests {
		l := mustList(t, tt.entry)
		if l.Len() != 1 {
			t.Errorf("%s: %d entries", tt.entry, l.Len())
		}
		for _, s := range tt.has {
			if !l.HasText(s, unlimited()) {
				t.Errorf("%q does not have %q", tt.entry, s)
			}
		}
		for _, s := range tt.lack {
			if l.HasText(s, unlimited()) {
				t.Errorf("%q has %q", tt.entry, s)
			}
		}
	}
}

func TestListAddrs(t *testing.T) {
	l := mustList(t, "192.0.2.1", "198.51.100.0/24", "2001:db8::/32", "2001:db9::1", `/^203\.0\.113\.[0-9]$/`, "example.org")
	for addr, want := range map[string]bool{
		"192.0.2.1": true, "192.0.2.2": false, "198.51.100.255": true, "198.51.101.0": false,
		"2001:db8:1::5": true, "2001:db9::1": true, "2001:db9::2": false,
		"203.0.113.7": true, "203.0.113.17": false,
	} {
		if got := l.HasAddr(netip.MustParseAddr(addr), unlimited()); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	if new(List).HasAddr(netip.MustParseAddr("192.0.2.1"), unlimited()) || new(List).HasText("example.org", unlimited()) {
		t.Error("the empty list has something")
	}
}

func TestListMailboxes(t *testing.T) {
	l := mustList(t, "@example.org")
	for text, want := range map[string]bool{
		"Ivan <ivan@example.org>":               true,
		"A <a@example.com>, B < b@EXAMPLE.org>": true,
		"ivan@example.org <x@example.com>":      false,
		"<ivan@example.org":                     false,
		"> <":                                   false,
	} {
		if got := l.HasMailbox(text, unlimited()); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestReadList(t *testing.T) {
	text := "\ufeff# partners\r\n" +
		"example.org   # the first\r\n" +
		"\r\n" +
		"\t@example.com\t#two\r\n" +
		"user#tag@example.net\n" +
		"/foo #bar/ # a comment / with slashes/\n" +
		"10.1.2.3/8\n" +
		"last.example"
	l, problems := Read("p.txt", strings.NewReader(text), Names, cache())
	if got, want := problems.Error(), "p.txt:7: warning: 10.1.2.3/8 has bits set beyond its length; it is taken as 10.0.0.0/8"; got != want {
		t.Errorf("problems: %q, want %q", got, want)
	}
	for _, s := range []string{"example.org", "a@example.com", "user#tag@example.net", "foo #bar", "[10.9.9.9]", "last.example"} {
		if !l.HasText(s, unlimited()) {
			t.Errorf("%q is not in", s)
		}
	}
	if l.Len() != 6 {
		t.Errorf("%d entries", l.Len())
	}
}

func TestListProblems(t *testing.T) {
	for entry, want := range map[string]string{
		"two words":                 `"two words" is none of`,
		"10.0.0.300":                `"10.0.0.300" is neither an address nor a name`,
		"10.0.0.0/33":               `"10.0.0.0/33" is neither an address nor a prefix`,
		"fe80::1%eth0":              `is neither an address nor a prefix`,
		"a..example":                `"a..example" is none of`,
		"@":                         `"@" is none of`,
		"@.example.org":             `is none of`,
		"a b@example.org":           `is none of`,
		"user@exa mple.org":         `is none of`,
		"user@[300.1.1.1]":          `"[300.1.1.1]" is not an address literal`,
		"/foo":                      "the expression /foo is not closed by a slash",
		"/fo(o/":                    "bad regular expression: error parsing regexp: missing closing ): `fo(o`",
		"a\xff@example.org":         "the entry is not UTF-8",
		strings.Repeat("a", 64):     "is none of",
		strings.Repeat("a.", 128):   "is none of",
		"<a@example.org>":           "is none of",
		"пример\u200d.рф":           `is not a domain name`,
		strings.Repeat("я", 70000):  "the line is longer than 65536 octets",
		"http://example.org/":       "is the address of a page; write its host name alone",
		"192.168.1":                 "is not a whole address; for the network write 192.168.1.0/24",
		"10":                        "is not a whole address; for the network write 10.0.0.0/8",
		"1.2.3.4.5":                 "is neither an address nor a name",
		"[192.168.1.15]":            "write the address without brackets, 192.168.1.15",
		"192.168.1.20-192.168.1.10": "goes down",
		"192.168.1.10-20":           "is no range; one is written 192.0.2.10-192.0.2.20",
		"mailto:a@b.example":        "write the address alone, a@b.example",
		"\u200ea@b.example":         "has the invisible character U+200E in it",
		"a@b.exam\u00adple":         "has the invisible character U+00AD in it",
		"иван@xn--":                 "is not a domain name",
		"xn--":                      "is not a domain name",
		"*@wild.example":            "for every address of the domain write @wild.example",
		"*.wild.example":            "for the subdomains write .wild.example",
		"postmaster@*":              "for any domain write postmaster@",
		"mail*.example":             "there are no wild cards",
		"!a@b.example":              "a list has no exceptions",
		"list:other":                "a list cannot have another list in it",
		"//":                        "the expression is empty and would match everything",
		"a:b@c.example":             "is none of",
		"192.0.2.1\u2013192.0.2.9":  "U+2013 is no hyphen; a range is written",
		"192.0.2.1\u2212192.0.2.9":  "U+2212 is no hyphen",
		"b\u2010c.example":          "U+2010 is no hyphen",
		"\u201ca@b.example\u201d":   "U+201C (\u201c) is in no address",
		"\u00abb.example\u00bb":     "U+00AB",
		"a\u00a0@b.example":         "U+00A0",
		"b.example\u2028c.example":  "U+2028",
		"a\u3000@b.example":         "U+3000",
		"192.168.1.x":               "there are no wild cards",
		"10.x.x.x":                  "there are no wild cards",
		".*@b.example":              "there are no wild cards",
		"a+*@c.example":             "there are no wild cards",
		`a\b@c.example`:             "is none of",
	} {
		_, problems := Read("bad.txt", strings.NewReader("good.example\n"+entry+"\ngood2.example\n"), Names, cache())
		if len(problems) != 1 || problems[0].Warning || problems[0].Pos != (diag.Pos{File: "bad.txt", Line: 2}) || !strings.Contains(problems[0].Msg, want) {
			t.Errorf("%.40q: %v, want %s", entry, problems, want)
		}
	}
}

// What matches everything is told; what matches nothing but the empty text, or
// needs an end, is not.
func TestListOfEverything(t *testing.T) {
	for entry, everything := range map[string]bool{
		".*": true, "^": true, "$": true, "x*": true, "a|": true, "(?:)": true, "^.*$": true, "(?s).*": true, "\\b|": true,
		"^$": false, "^x*$": false, "a": false, ".": false, "^$|@b\\.example$": false,
	} {
		for _, kind := range []Kind{Names, Expressions} {
			line := entry
			if kind == Names {
				line = "/" + entry + "/"
			}
			l, problems := Read("l", strings.NewReader(line+"\n"), kind, cache())
			told := strings.Contains(problems.Error(), "matches everything")
			if told != everything || l.Len() != 1 {
				t.Errorf("%q: %v, %d entries", line, problems, l.Len())
			}
		}
	}
}

// Names of all scripts stay what they are.
func TestListScripts(t *testing.T) {
	for _, entry := range []string{"тест.рф", "тест。рф", "тест．рф", "l·l.example", "ドメイン・テスト.example", "☃.example", "i❤.example", "नमस्ते.example", `"a–b “c”"@b.example`, "a'b@c.example", "x.example", "1x.2x.3x.example"} {
		if l, problems := Read("l", strings.NewReader(entry+"\n"), Names, cache()); len(problems) > 0 || l.Len() != 1 {
			t.Errorf("%q: %v, %d entries", entry, problems, l.Len())
		}
	}
}

func TestListReportsTwenty(t *testing.T) {
	l, problems := Read("x", strings.NewReader(strings.Repeat("not an entry\n10.0.0.1/8\n", 50)+"good.example\n"), Names, cache())
	if len(problems) != 42 || problems[40].String() != "x: and 30 more such lines" || !problems[41].Warning {
		t.Errorf("%d problems, the last: %v", len(problems), problems[len(problems)-1])
	}
	if !l.HasText("good.example", unlimited()) {
		t.Error("what is good after the bad lines is not in")
	}
}

type brokenReader struct{ strings.Reader }

func (r *brokenReader) Read(p []byte) (int, error) {
	if r.Len() == 0 {
		return 0, fmt.Errorf("the disk is gone")
	}
	return r.Reader.Read(p)
}

func TestReadListFails(t *testing.T) {
	r := &brokenReader{*strings.NewReader("a.example\nb.example\n")}
	_, problems := Read("x", r, Names, cache())
	if problems.Error() != "x:3: reading: the disk is gone" {
		t.Error(problems)
	}
}

func TestNewList(t *testing.T) {
	pos := diag.Pos{File: "policy.toml", Line: 7}
	l, problems := New([]diag.Operand{{V: "ceo@example.org"}, {V: " @board.example.org "}, {Pos: pos, V: int64(3)}, {Pos: pos, V: ""}}, Names, cache())
	if !l.HasText("x@board.example.org", unlimited()) || !l.HasText("ceo@example.org", unlimited()) {
		t.Error("an entry is missing")
	}
	want := "policy.toml:7: an entry of a list is a text\npolicy.toml:7: the entry is empty"
	if problems.Error() != want {
		t.Errorf("%v", problems)
	}
}

// A set that has grown many times over still finds all it was given, and
// nothing else.
func TestNameSet(t *testing.T) {
	var s nameSet
	const n = 200000
	for i := range n {
		if !s.add(fmt.Appendf(nil, "user%d@example%d.org", i, i%97)) {
			t.Fatal("full")
		}
	}
	for i := range n {
		if !s.has(fmt.Appendf(nil, "user%d@example%d.org", i, i%97)) {
			t.Fatalf("%d is missing", i)
		}
		if s.has(fmt.Appendf(nil, "user%d@example%d.org", i, (i+1)%97)) {
			t.Fatalf("%d is there twice", i)
		}
	}
	s.add([]byte("user0@example0.org"))
	if s.count != n || len(s.chunks) < 2 {
		t.Errorf("%d entries in %d chunks", s.count, len(s.chunks))
	}
	if s.add(make([]byte, maxName+1)) {
		t.Error("an overlong name was taken")
	}
}

func FuzzReadList(f *testing.F) {
	f.Add("example.org # c\n/re(x/\n10.0.0.0/8\nuser@\n.рф\n", "a@example.org")
	f.Add("[::1]\n@\n\ufeff#\n/a/ # /\r\n", "[IPv6:::1]")
	f.Fuzz(func(t *testing.T, text, value string) {
		l, problems := Read("fuzz", strings.NewReader(text), Names, cache())
		for _, p := range problems {
			if p.Pos.File != "fuzz" || p.Msg == "" {
				t.Errorf("problem %+v", p)
			}
		}
		first, again := l.HasText(value, unlimited()), l.HasText(value, unlimited())
		if first != again {
			t.Errorf("%q was %v, then %v", value, first, again)
		}
		if !first && l.HasText("x@host.", unlimited()) != l.HasText("x@host", unlimited()) && l.index == nil {
			t.Error("a trailing dot makes another name")
		}
		l.HasMailbox(value, unlimited())
	})
}

func cache() *expr.Cache { return expr.NewCache(expr.DefaultCache) }

func unlimited() *budget.Budget {
	return budget.New(context.Background(), math.MaxInt64, math.MaxInt64)
}

// A range has each of its addresses and no other.
func TestRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		addr := func(name string) netip.Addr {
			return netip.AddrFrom4([4]byte{10, 0, rapid.Byte().Draw(t, name), rapid.Byte().Draw(t, name)})
		}
		low, high := addr("low"), addr("high")
		if high.Less(low) {
			low, high = high, low
		}
		l, problems := New([]diag.Operand{{V: low.String() + "-" + high.String()}}, Names, cache())
		if problems != nil {
			t.Fatal(problems)
		}
		probes := []netip.Addr{low, high, low.Prev(), high.Next(), addr("probe")}
		for _, a := range probes {
			want := low.Compare(a) <= 0 && a.Compare(high) <= 0
			if l.HasAddr(a, unlimited()) != want {
				t.Fatalf("%s in %s-%s: %v", a, low, high, !want)
			}
		}
	})
}

func TestWords(t *testing.T) {
	l, problems := Read("w", strings.NewReader("лотерея # won\nbuy now\nstraße\n中奖\n100%\nc\u0301af\u00e9\n"), Words, cache())
	if problems != nil {
		t.Fatal(problems)
	}
	for text, want := range map[string]bool{
		"Ваша ЛОТЕРЕЯ!": true, "лотереями": false, "лотерея": true, "xлотерея": false, "лотерея_": false, "«лотерея»": true,
		"Buy   NOW": true, "buy-now": true, "buy it now": false, "buy": false, "rebuy now": false, "buy now2": false, "to buy buy now": true,
		"STRASSE": false, "STRAẞE": true, "恭喜中奖了": true, "中": false, "中x奖": false, "100": true, "1000": false, "": false, "ćafé": false,
	} {
		if got := l.HasText(text, unlimited()); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	for entry, want := range map[string]string{
		"%%%": "has no letter or digit", "\xeb\xee\xf2\xe5\xf0\xe5\xff": "is not UTF-8", "casino \xeb\xee\xf2": "is not UTF-8",
		strings.Repeat("a ", 33): "more than 32 words",
	} {
		if _, problems := New([]diag.Operand{{V: entry}}, Words, cache()); len(problems) != 1 || !strings.Contains(problems[0].Msg, want) {
			t.Errorf("%q: %v", entry, problems)
		}
	}
}

// A list whose letters are of another charset is told with the lines of them, of
// whatever type it is.
func TestListOfAnotherCharset(t *testing.T) {
	const text = "casino\n\xeb\xee\xf2\xe5\xf0\xe5\xff\nbuy \xd0\xb8\xe7 now\n# \xeb\xee\xf2\n\xd0\xb8\n"
	for _, kind := range []Kind{Words, Names, Expressions} {
		_, problems := Read("w", strings.NewReader(text), kind, cache())
		var lines []int
		for _, p := range problems {
			if !p.Warning && strings.Contains(p.Msg, "UTF-8") {
				lines = append(lines, p.Pos.Line)
			}
		}
		if !slices.Equal(lines, []int{2, 3}) {
			t.Errorf("kind %v: %v", kind, problems)
		}
	}
}

// A list of words finds what a naive reading finds: the words of the entry as
// neighbours among the words of the text.
func TestWordsAgree(t *testing.T) {
	pieces := []string{"a", "b", "ab", "Я", "я", " ", "  ", "-", "奖", "中", "_", "1", "\xff", "ß"}
	draw := func(t *rapid.T, name string) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 8).Draw(t, name), "")
	}
	split := func(s string) (words []string) {
		for rest := expr.AppendFold(nil, s); ; {
			word, after := nextWord(rest)
			if word == nil {
				return words
			}
			words, rest = append(words, string(word)), after
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var entries []diag.Operand
		var phrases [][]string
		for range rapid.IntRange(1, 5).Draw(t, "entries") {
			if e := strings.ToValidUTF8(draw(t, "entry"), ""); len(split(e)) > 0 {
				entries, phrases = append(entries, diag.Operand{V: e}), append(phrases, split(e))
			}
		}
		l, problems := New(entries, Words, cache())
		if problems != nil {
			t.Fatal(problems)
		}
		text := draw(t, "text")
		words, want := split(text), false
		for _, p := range phrases {
			for i := 0; i+len(p) <= len(words); i++ {
				want = want || slices.Equal(words[i:i+len(p)], p)
			}
		}
		if l.HasText(text, unlimited()) != want {
			t.Fatalf("%q in %q: %v", phrases, text, !want)
		}
	})
}

func TestExpressionLists(t *testing.T) {
	l, problems := Read("r", strings.NewReader("# comment\n^a #1$\n\nлот\\w\n(?=x)\nb+\n"), Expressions, cache())
	want := "r:4: warning: \\b and \\w know ASCII"
	if len(problems) != 2 || !strings.HasPrefix(problems[0].String(), want) || !strings.Contains(problems[1].Msg, "look-around") {
		t.Error(problems)
	}
	for text, want := range map[string]bool{"A #1": true, "a": false, "xbbx": true} {
		if got := l.HasText(text, unlimited()); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
