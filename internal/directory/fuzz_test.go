package directory

import (
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/address"
)

// claims tells whether one of a client's addresses says that found is its
// own, told apart from how the directory looks it up.
func claims(c *accounting.Client, found string) bool {
	for _, written := range c.Addresses {
		a, err := accounting.ParseAddress(written)
		if err != nil {
			continue
		}
		switch a.Form {
		case accounting.Mailbox:
			if address.Fold(written) == found {
				return true
			}
		case accounting.WholeDomain:
			if strings.HasSuffix(found, "@"+address.FoldDomain(a.Domain)) {
				return true
			}
		case accounting.Pattern:
			if a.Regexp.MatchString(found) {
				return true
			}
		}
	}
	return false
}

// What is ours is in a domain that is ours, or a client's, or the postmaster.
func FuzzLookup(f *testing.F) {
	for _, s := range []string{
		"sales@example.org", "Sales+tag@EXAMPLE.org.", "@a.example,@b.example:sales@example.org", `"any@evil.example"@listed.example`,
		"any%evil.example@listed.example", "any@[192.0.2.1]", "any@[IPv6:2001:db8::1]", "postmaster", "PostMaster@x.sub.example",
		"иван@пример.рф", "any@bücher.example", "any\x00@listed.example", "any@listed.example\x00", "sales-one@elsewhere.example",
		`"a\"b"@listed.example`, "a@b@listed.example", "+@listed.example", "\xff@listed.example", `"`, `"@`, "a@\u3002sub.example",
		"any@listed\uff0eexample", "any@evil.example\u3002sub.example", "any@LI\u017fTED.example", "<any@listed.example>", " any@listed.example ", `"@"`,
	} {
		f.Add(s)
	}
	cfg := Config{AnyInDomains: true, Domains: []string{"listed.example", ".sub.example"}, Delimiter: "+"}
	open, clashes := New(cfg, clients())
	if clashes != nil {
		f.Fatal(clashes)
	}
	known, clashes := New(Config{Delimiter: "+"}, clients())
	if clashes != nil {
		f.Fatal(clashes)
	}
	listed := func(domain string) bool {
		return domain == "listed.example" || strings.HasSuffix(domain, ".sub.example")
	}
	clientsDomains := make(map[string]bool)
	for _, c := range clients() {
		for _, written := range c.Addresses {
			if a, err := accounting.ParseAddress(written); err == nil && a.Form != accounting.Pattern {
				clientsDomains[address.FoldDomain(a.Domain)] = true
			}
		}
	}
	f.Fuzz(func(t *testing.T, addr string) {
		for _, d := range []*Directory{open, known} {
			a := d.Lookup(addr)
			at := strings.LastIndexByte(a.Address, '@')
			domain := a.Address[at+1:]
			inOurs := clientsDomains[domain] || d == open && listed(domain)
			if a.Client != nil && (a.Standing != Ours || !claims(a.Client, a.Address)) {
				t.Fatalf("%q is %q", addr, a.word())
			}
			switch a.Standing {
			case Ours:
				if a.Address != postmaster && (at <= 0 || len(a.Address) > address.Max || !address.Printable(a.Address)) {
					t.Fatalf("%q is %q", addr, a.word())
				}
				if a.Client == nil && a.Address != postmaster &&
					!(d == open && listed(domain)) && !(inOurs && a.Address == "postmaster@"+domain) {
					t.Fatalf("%q is %q", addr, a.word())
				}
				// The domain is the one that stands in what was given.
				given := strings.Trim(addr[strings.LastIndexByte(addr, '@')+1:], " \t>")
				if at >= 0 && !strings.ContainsAny(addr, "\"\\()") && address.FoldDomain(given) != domain && !strings.HasSuffix(addr, "@") && !strings.ContainsAny(given, " \t") {
					t.Fatalf("%q is %q", addr, a.word())
				}
				// What was found is found again, as the same client's.
				if again := d.Lookup(a.Address); again.Standing != Ours {
					t.Fatalf("%q is %q, then %q", addr, a.word(), again.word())
				}
			case NoDomain:
				if _, domain := address.Split(a.Address); domain != "" {
					t.Fatalf("%q is %q", addr, a.word())
				}
			}
		}
	})
}
