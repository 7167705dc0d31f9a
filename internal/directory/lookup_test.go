package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/address"
)

func clients() []*accounting.Client {
	return []*accounting.Client{
		{ID: "sales", Addresses: []string{"sales@example.org", "Orders@Example.ORG", "@sales.example.org", `/^sales-.*@example\.org$/`}},
		{ID: "ceo", Addresses: []string{"ceo@example.org", "sales+vip@example.org", "boss@sales.example.org", `/^sales-one@/`, `/^x-ray@example\.org$/`}},
		{ID: "idn", Addresses: []string{"иван@пример.рф", "@xn--bcher-kva.example"}},
		{ID: "pm", Addresses: []string{"postmaster@owned.example", "o'hara@owned.example", `"a b"@owned.example`, "a@[192.0.2.1]"}},
		{ID: "late", Addresses: []string{`/^sales-two@example\.org$/`, `/^x-/`, `/@regex\.example$/`}},
	}
}

func snapshot(t testing.TB, cfg Config) *Directory {
	t.Helper()
	d, clashes := New(cfg, clients())
	for _, c := range clashes {
		t.Error(c)
	}
	return d
}

func (a Answer) word() string {
	s := a.Standing.String()
	if a.Client != nil {
		s += " " + a.Client.ID
	}
	return s + " " + a.Address
}

func check(t *testing.T, d *Directory, want map[string]string) {
	t.Helper()
	for addr, want := range want {
		if got := d.Lookup(addr).word(); got != want {
			t.Errorf("%q is %q, want %q", addr, got, want)
		}
	}
}

func TestLookupKnown(t *testing.T) {
	d := snapshot(t, Config{Delimiter: "+", Domains: []string{"listed.example", ".sub.example"}})
	check(t, d, map[string]string{
		// as given, in any case
		"sales@example.org":      "ours sales sales@example.org",
		"SALES@EXAMPLE.org":      "ours sales sales@example.org",
		"orders@example.org":     "ours sales orders@example.org",
		"o'hara@owned.example":   "ours pm o'hara@owned.example",
		`"a b"@owned.example`:    `ours pm "a b"@owned.example`,
		`"sales"@example.org`:    "ours sales sales@example.org",
		"nobody@example.org":     "unknown nobody@example.org",
		"Nobody@Example.org":     "unknown nobody@example.org",
		"sales@other.example":    "foreign sales@other.example",
		"sales@sub.example.org":  "foreign sales@sub.example.org",
		"sales@notexample.org":   "foreign sales@notexample.org",
		"sales@example.org.evil": "foreign sales@example.org.evil",

		// the tag
		"sales+tag@example.org":       "ours sales sales@example.org",
		"sales+a+b@example.org":       "ours sales sales@example.org",
		"sales+@example.org":          "ours sales sales@example.org",
		"sales+vip@example.org":       "ours ceo sales+vip@example.org",
		"sales+VIP@example.org":       "ours ceo sales+vip@example.org",
		"sales+vip+x@example.org":     "ours sales sales@example.org",
		"+sales@example.org":          "unknown +sales@example.org",
		"sales-tag@example.org":       "ours sales sales-tag@example.org", // by the regex, not as a tag
		`"sales+ x"@example.org`:      `unknown "sales+ x"@example.org`,
		"boss+x@sales.example.org":    "ours ceo boss@sales.example.org",
		"anybody+x@sales.example.org": "ours sales anybody+x@sales.example.org",

		// a regex, in file order
		"sales-one@example.org":        "ours sales sales-one@example.org",
		"Sales-Two@example.org":        "ours sales sales-two@example.org",
		"sales-one@elsewhere.example":  "ours ceo sales-one@elsewhere.example",
		"x-ray@example.org":            "ours ceo x-ray@example.org",
		"x-ray+t@example.org":          "ours late x-ray+t@example.org", // /^x-/ takes the full address first
		"x-ray@foreign.example":        "ours late x-ray@foreign.example",
		"any@regex.example":            "ours late any@regex.example",
		"any@regex.example.evil":       "foreign any@regex.example.evil",
		"postmaster@regex.example":     "ours late postmaster@regex.example",
		"sales-one@sales.example.org":  "ours ceo sales-one@sales.example.org", // before @domain
		"x-1@example.org.evil.example": "ours late x-1@example.org.evil.example",

		// the whole domain
		"anybody@sales.example.org":    "ours sales anybody@sales.example.org",
		"Anybody@SALES.example.org":    "ours sales anybody@sales.example.org",
		"boss@sales.example.org":       "ours ceo boss@sales.example.org",
		"any@sub.sales.example.org":    "foreign any@sub.sales.example.org",
		"@sales.example.org":           "unknown @sales.example.org",
		"user%other@sales.example.org": "unknown user%other@sales.example.org",
		"other!user@sales.example.org": "unknown other!user@sales.example.org",

		// listed domains are for the other mode
		"any@listed.example":        "foreign any@listed.example",
		"any@x.sub.example":         "foreign any@x.sub.example",
		"postmaster@listed.example": "foreign postmaster@listed.example",

		// postmaster
		"postmaster":                       "ours postmaster",
		"PostMaster":                       "ours postmaster",
		"postmaster@example.org":           "ours postmaster@example.org",
		"POSTMASTER@example.org":           "ours postmaster@example.org",
		"postmaster@owned.example":         "ours pm postmaster@owned.example",
		"postmaster@sales.example.org":     "ours sales postmaster@sales.example.org",
		"postmaster@xn--e1afmkfd.xn--p1ai": "ours postmaster@xn--e1afmkfd.xn--p1ai",
		"postmaster@foreign.example":       "foreign postmaster@foreign.example",
		"postmaster2@example.org":          "unknown postmaster2@example.org",

		// no domain
		"sales":  "no_domain sales",
		"Root":   "no_domain root",
		"":       "no_domain ",
		"sales@": "no_domain sales",
		"@":      "no_domain ",

		// IDN and SMTPUTF8
		"иван@пример.рф":                 "ours idn иван@xn--e1afmkfd.xn--p1ai",
		"ИВАН@ПРИМЕР.РФ":                 "ours idn иван@xn--e1afmkfd.xn--p1ai",
		"иван@xn--e1afmkfd.xn--p1ai":     "ours idn иван@xn--e1afmkfd.xn--p1ai",
		"Иван+тег@XN--E1AFMKFD.xn--P1AI": "ours idn иван@xn--e1afmkfd.xn--p1ai",
		"мария@пример.рф":                "unknown мария@xn--e1afmkfd.xn--p1ai",
		"any@bücher.example":             "ours idn any@xn--bcher-kva.example",
		"any@XN--BCHER-KVA.example":      "ours idn any@xn--bcher-kva.example",
	})
}

func TestLookupInDomains(t *testing.T) {
	d := snapshot(t, Config{AnyInDomains: true, Domains: []string{"Listed.example", ".sub.example", "почта.рф", "example.org", ".Deep.sub2.example"}, Delimiter: "+"})
	check(t, d, map[string]string{
		"any@listed.example":       "ours any@listed.example",
		"Any+Tag@LISTED.example":   "ours any+tag@listed.example",
		"any@x.listed.example":     "foreign any@x.listed.example",
		"any@x.sub.example":        "ours any@x.sub.example",
		"any@y.x.sub.example":      "ours any@y.x.sub.example",
		"any@sub.example":          "foreign any@sub.example",
		"any@xsub.example":         "foreign any@xsub.example",
		"any@x.deep.sub2.example":  "ours any@x.deep.sub2.example",
		"any@x.sub2.example":       "foreign any@x.sub2.example",
		"any@.sub.example":         "unknown any@.sub.example",
		"any@x..sub.example":       "unknown any@x..sub.example",
		"any@почта.рф":             "ours any@xn--80a1acny.xn--p1ai",
		"postmaster@x.sub.example": "ours postmaster@x.sub.example",
		"postmaster":               "ours postmaster",
		"sales+x@example.org":      "ours sales sales@example.org",
		"nobody@example.org":       "ours nobody@example.org",
		"nobody+x@example.org":     "ours nobody+x@example.org",
		"nobody@owned.example":     "unknown nobody@owned.example", // a client's, but not listed
		"any@sales.example.org":    "ours sales any@sales.example.org",
		"any@foreign.example":      "foreign any@foreign.example",
		"any":                      "no_domain any",
	})
}

// Whatever is sent, nothing outside the limits comes out as ours.
func TestLookupIsNotTricked(t *testing.T) {
	d := snapshot(t, Config{AnyInDomains: true, Domains: []string{"listed.example", ".sub.example"}, Delimiter: "+"})
	long := strings.Repeat("a", address.Max)
	check(t, d, map[string]string{
		// source routes (RFC 5321 §4.1.2): the last domain counts
		"@a.example,@b.example:sales@example.org":       "ours sales sales@example.org",
		"@listed.example:sales@evil.example":            "foreign sales@evil.example",
		"@listed.example,@sub.example:any@evil.example": "foreign any@evil.example",

		// an address in the local part
		`"any@evil.example"@listed.example`:    `unknown "any@evil.example"@listed.example`,
		`"any@evil.example"@sales.example.org`: `unknown "any@evil.example"@sales.example.org`,
		`"any\@evil.example"@listed.example`:   `unknown "any@evil.example"@listed.example`,
		`"any@listed.example"@evil.example`:    `foreign "any@listed.example"@evil.example`,
		`"any@regex.example"@listed.example`:   `unknown "any@regex.example"@listed.example`,
		"any@evil.example@listed.example":      `unknown "any@evil.example"@listed.example`,
		"any@listed.example@evil.example":      `foreign "any@listed.example"@evil.example`,
		"any%evil.example@listed.example":      "unknown any%evil.example@listed.example",
		"evil.example!any@listed.example":      "unknown evil.example!any@listed.example",
		"any%listed.example@evil.example":      "foreign any%listed.example@evil.example",
		"any%listed.example":                   "no_domain any%listed.example",
		`"any@listed.example"`:                 "ours any@listed.example",
		`"postmaster"`:                         "ours postmaster",
		"listed.example!any":                   "no_domain listed.example!any",

		// the domain in other words
		"sales@example.org.":    "ours sales sales@example.org",
		"sales@example.org..":   "foreign sales@example.org..",
		"any@[192.0.2.1]":       "unknown any@[192.0.2.1]",
		"a@[192.0.2.1]":         "ours pm a@[192.0.2.1]",
		"any@[192.0.2.2]":       "foreign any@[192.0.2.2]",
		"a@192.0.2.1":           "foreign a@192.0.2.1",
		"any@#3221225985":       "foreign any@#3221225985",
		"any@listed.example/x":  "foreign any@listed.example/x",
		"any@evil/.sub.example": "unknown any@evil/.sub.example",
		"any@evil .sub.example": "ours any@evil.sub.example",

		// what is no address
		"any\x00@listed.example":              "unknown any\x00@listed.example",
		"any@listed.example\x00":              "unknown any@listed.example\x00",
		"any@evil.example\x00@listed.example": "unknown any@evil.example\x00@listed.example",
		"any\r\n@listed.example":              "unknown any\r\n@listed.example",
		"any@listed.example\n":                "unknown any@listed.example\n",
		"a b@listed.example":                  "unknown a b@listed.example",
		"a,b@listed.example":                  "unknown a,b@listed.example",
		"<any@listed.example>":                "ours any@listed.example",
		"<any@listed.example":                 "unknown <any@listed.example",
		`"any@listed.example`:                 `unknown "any@listed.example`,
		"\xff@listed.example":                 "unknown \xff@listed.example",
		"any@\xff.sub.example":                "unknown any@\xff.sub.example",
		"\u0085@listed.example":               "unknown \u0085@listed.example",
		"/^sales-.*@example\\.org$/":          "foreign /^sales-.*@example.org$/",
		"postmaster\x00":                      "no_domain postmaster\x00",
		"postmaster\n":                        "no_domain postmaster\n",
		"":                                    "no_domain ",

		// what is too long
		long + "@listed.example":       "unknown " + long + "@listed.example",
		long + "@evil.example":         "foreign " + long + "@evil.example",
		"any@" + long + ".sub.example": "foreign any@" + long + ".sub.example",
		long:                           "no_domain " + long,
		"any@" + strings.Repeat("a.", 130) + "sub.example": "unknown any@" + strings.Repeat("a.", 130) + "sub.example",
	})
}

func TestLookupDelimiters(t *testing.T) {
	none := snapshot(t, Config{})
	check(t, none, map[string]string{"sales+x@example.org": "unknown sales+x@example.org", "sales@example.org": "ours sales sales@example.org"})
	two := snapshot(t, Config{Delimiter: "+="})
	check(t, two, map[string]string{"sales=x+y@example.org": "ours sales sales@example.org", "sales+x=y@example.org": "ours sales sales@example.org"})
	// A tag is looked for before a regex is tried on what is left without it.
	dash, clashes := New(Config{Delimiter: "-"}, []*accounting.Client{
		{ID: "a", Addresses: []string{`/^sales@example\.org$/`}}, {ID: "b", Addresses: []string{"orders@example.org"}},
	})
	if clashes != nil {
		t.Fatal(clashes)
	}
	check(t, dash, map[string]string{
		"sales-1@example.org":  "ours a sales@example.org",
		"orders-1@example.org": "ours b orders@example.org",
		"other-1@example.org":  "unknown other-1@example.org",
	})
}

func TestStandingString(t *testing.T) {
	for s, want := range map[Standing]string{Foreign: "foreign", Unknown: "unknown", NoDomain: "no_domain", Ours: "ours"} {
		if s.String() != want {
			t.Errorf("%d is %q, want %q", s, s, want)
		}
	}
}

func TestEmptyDirectory(t *testing.T) {
	d, clashes := New(Config{}, nil)
	if clashes != nil || len(d.Clients()) != 0 || d.Client("") != nil {
		t.Errorf("%v, %v", clashes, d.Clients())
	}
	check(t, d, map[string]string{"a@example.org": "foreign a@example.org", "postmaster": "ours postmaster", "a": "no_domain a", "": "no_domain "})
}

// Reach has every domain in which Lookup finds an address of ours.
func TestReach(t *testing.T) {
	one := &accounting.Client{ID: "one", Addresses: []string{"Ivan@Example.ORG", "@whole.example", `/^a.*@lit\.example$/`, "b@тест.рф"}}
	d, clashes := New(Config{}, []*accounting.Client{one})
	if clashes != nil {
		t.Fatal(clashes)
	}
	names, all := d.Reach()
	if want := []string{"example.org", "lit.example", "whole.example", "xn--e1aybc.xn--p1ai"}; !slices.Equal(names, want) || !all {
		t.Errorf("%v %v", names, all)
	}
	d, _ = New(Config{AnyInDomains: true, Domains: []string{"example.net", ".example.net"}}, []*accounting.Client{{ID: "x", Addresses: []string{"/^boss@/"}}})
	if names, all := d.Reach(); !slices.Equal(names, []string{".example.net", "example.net"}) || all {
		t.Errorf("%v %v", names, all)
	}
	d, _ = New(Config{Incomplete: true}, nil)
	if names, all := d.Reach(); len(names) > 0 || all {
		t.Errorf("%v %v", names, all)
	}
}

func TestClients(t *testing.T) {
	d := snapshot(t, Config{})
	var ids []string
	for _, c := range d.Clients() {
		ids = append(ids, c.ID)
		if d.Client(c.ID) != c {
			t.Errorf("%q is %v", c.ID, d.Client(c.ID))
		}
	}
	if got := fmt.Sprint(ids); got != "[ceo idn late pm sales]" {
		t.Errorf("ids %s", got)
	}
	if d.Client("nobody") != nil {
		t.Error("somebody is nobody")
	}
	d.Clients()[0] = nil
	if d.Clients()[0] == nil {
		t.Error("the snapshot can be changed from outside")
	}
}
