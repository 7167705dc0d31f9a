package accounting

import (
	"errors"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/address"
)

func TestParseAddress(t *testing.T) {
	tests := []struct {
		in            string
		form          Form
		local, domain string
	}{
		{"sales@example.org", Mailbox, "sales", "example.org"},
		{"Sales+tag@Example.ORG", Mailbox, "Sales+tag", "Example.ORG"},
		{"иван@пример.рф", Mailbox, "иван", "пример.рф"},
		{"a@xn--e1afmkfd.xn--p1ai", Mailbox, "a", "xn--e1afmkfd.xn--p1ai"},
		{"user%other@example.org", Mailbox, "user%other", "example.org"},
		{".a..b.@example.org", Mailbox, ".a..b.", "example.org"},
		{`"a b@c"@example.org`, Mailbox, `"a b@c"`, "example.org"},
		{`"a\"b\\"@example.org`, Mailbox, `"a\"b\\"`, "example.org"},
		{"/etc/passwd@example.org", Mailbox, "/etc/passwd", "example.org"},
		{"a@localhost", Mailbox, "a", "localhost"},
		{"a@[192.0.2.1]", Mailbox, "a", "[192.0.2.1]"},
		{"a@[IPv6:2001:db8::1]", Mailbox, "a", "[IPv6:2001:db8::1]"},
		{"a@" + strings.Repeat("a", 63) + ".b", Mailbox, "a", strings.Repeat("a", 63) + ".b"},
		{"@" + strings.Repeat("ж", 40), WholeDomain, "", strings.Repeat("ж", 40)},
		{"@example.org", WholeDomain, "", "example.org"},
		{"@_sub.example.org", WholeDomain, "", "_sub.example.org"},
	}
	for _, tt := range tests {
		a, err := ParseAddress(tt.in)
		if err != nil || a.Form != tt.form || a.Local != tt.local || a.Domain != tt.domain || a.Regexp != nil || a.Open {
			t.Errorf("%q: %+v, %v", tt.in, a, err)
		}
	}
}

func TestParseAddressOfPatterns(t *testing.T) {
	tests := []struct {
		in, domain string
		open       bool
		match, not string
	}{
		{`/^sales-.*@example\.org$/`, "example.org", false, "SALES-1@example.org", "sales-1@example.org.evil.example"},
		{`/^sales-.*@Example\.org$/`, "example.org", false, "sales-1@example.org", "sales@example.org"},
		{`/(?-i)^A@example\.org$/`, "example.org", false, "A@example.org", "a@example.org"},
		{`/@example\.org\z/`, "example.org", false, "a@example.org", "example.org"},
		{`/^a@(x|y)\.example$/`, "", false, "a@x.example", "a@z.example"},
		{`/^(a@x\.example|b@y\.example)$/`, "", false, "b@y.example", "b@x.example"},
		{`/^a@x\.example$|^b@y\.example$/`, "", false, "b@y.example", "b@x.example"},
		{`/(a@x\.example$)/`, "", false, "a@x.example", "a@x.example."},
		{`/^sales-.*@example\.org/`, "", true, "sales-1@example.org.evil.example", "sales@example.org"},
		{`/^a@x\.example$|^b@/`, "", true, "b@y.example", "a@y.example"},
		{`/(?m)@example\.org$/`, "", true, "a@example.org", "a@example.orga"},
		{`/^sales-/`, "", true, "sales-1@anything.example", "a-sales-1@x"},
		{`/@пример\.рф$/`, "", false, "a@ПРИМЕР.рф", "a@пример.ру"},
		{`/a/`, "", true, "cAb@x", "b@x"},
		{`//a@b\.c$/`, "b.c", false, "x/a@b.c", "a@b.c"},
	}
	for _, tt := range tests {
		a, err := ParseAddress(tt.in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if a.Form != Pattern || a.Domain != tt.domain || a.Open != tt.open || !a.Regexp.MatchString(tt.match) || a.Regexp.MatchString(tt.not) {
			t.Errorf("%q: %+v", tt.in, a)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	tests := map[string]error{
		"":                                     address.ErrNoDomain,
		"sales":                                address.ErrNoDomain,
		"sales@":                               address.ErrNoDomain,
		"@":                                    address.ErrDomain,
		"@@example.org":                        address.ErrDomain,
		"@.example.org":                        address.ErrDomain,
		"@example.org.":                        address.ErrDomain,
		"@a..b":                                address.ErrDomain,
		"@a b":                                 address.ErrDomain,
		"a@b/c":                                address.ErrDomain,
		"a@[]":                                 address.ErrDomain,
		"a@" + strings.Repeat("a", 64):         address.ErrDomain,
		"a@" + strings.Repeat("a.", 128) + "a": address.ErrDomain,
		"a@[192.0.2.1":                         address.ErrDomain,
		"a@[x]y":                               address.ErrDomain,
		"a@[a@b]":                              address.ErrLocal,
		"a b@example.org":                      address.ErrLocal,
		"a@b@example.org":                      address.ErrLocal,
		"@a.example:b@example.org":             address.ErrDomain,
		"<a@example.org>":                      address.ErrLocal,
		"a,b@example.org":                      address.ErrLocal,
		`"a@example.org`:                       address.ErrLocal,
		`"a"b@example.org`:                     address.ErrLocal,
		`"a\"@example.org`:                     address.ErrLocal,
		`a"b"@example.org`:                     address.ErrLocal,
		`"a""b"@example.org`:                   address.ErrLocal,
		"a\x00@example.org":                    address.ErrCharacter,
		"a@example.org\x00":                    address.ErrCharacter,
		"a@example.org\n":                      address.ErrCharacter,
		"@example.org\r":                       address.ErrCharacter,
		"\x7f@example.org":                     address.ErrCharacter,
		"\"a\tb\"@example.org":                 address.ErrCharacter,
		"\u0085@example.org":                   address.ErrCharacter,
		"\xff@example.org":                     address.ErrCharacter,
		"a@\xc3":                               address.ErrCharacter,
		strings.Repeat("a", 640) + "@b.c":      address.ErrTooLong,
		"@" + strings.Repeat("a", 641):         address.ErrTooLong,
	}
	for in, want := range tests {
		if a, err := ParseAddress(in); !errors.Is(err, want) {
			t.Errorf("%q: %+v, %v, want %v", in, a, err, want)
		}
	}
	for _, in := range []string{"//", "/(/", "/a**/", `/\8/`} {
		if a, err := ParseAddress(in); err == nil {
			t.Errorf("%q: %+v", in, a)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"sales@example.org", "@example.org", `/^sales-.*@example\.org$/`, `"a b@c"@example.org`, "a@[192.0.2.1]", "иван@пример.рф",
		"@a,@b:c@d", "a@b@c", "a\x00@b", "//", "/(?s).*@k\\.example$/",
	} {
		f.Add(s, "x@example.org")
	}
	f.Fuzz(func(t *testing.T, s, probe string) {
		a, err := ParseAddress(s)
		if err != nil {
			return
		}
		switch a.Form {
		case Mailbox:
			if a.Local+"@"+a.Domain != s || a.Local == "" || a.Domain == "" {
				t.Fatalf("%q: %+v", s, a)
			}
		case WholeDomain:
			if "@"+a.Domain != s {
				t.Fatalf("%q: %+v", s, a)
			}
		case Pattern:
			if a.Domain == "" || !a.Regexp.MatchString(probe) {
				return
			}
			if _, domain, _ := cutLast(probe); strings.ToLower(domain) != a.Domain && ascii(domain) {
				t.Fatalf("%q is said to match in %q only, and matches %q", s, a.Domain, probe)
			}
		}
	})
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '@')
	return s[:max(i, 0)], s[i+1:], i >= 0
}

func ascii(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0 }
