package setup

import "testing"

func TestParse(t *testing.T) {
	bad := func(what string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s is taken", what)
		}
	}
	for _, s := range []string{"", ",", "example", "example.org\"]", "a b@c.example", "exam ple.org, -", "x..org", "[192.0.2.1]"} {
		_, err := ParseDomains(s)
		bad(s, err)
	}
	got, err := ParseDomains("Example.ORG, .пример.рф;example.net")
	if err != nil || len(got) != 3 || got[1] != ".xn--e1afmkfd.xn--p1ai" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := ParseDomains("example.org, Example.ORG. example.org,.example.org"); err != nil || len(got) != 2 {
		t.Errorf("%q, %v", got, err)
	}
	for _, s := range []string{"mx1", "a.example b.example", ".example.org"} {
		_, err := ParseName(s)
		bad(s, err)
	}
	for s, want := range map[string]string{"": "", "local": "", "mail.example.org": "mail.example.org:25", "192.0.2.1:2525": "192.0.2.1:2525", "2001:db8::1": "[2001:db8::1]:25"} {
		if got, err := ParseNextHop(s); err != nil || got != want {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
	for _, s := range []string{"mail.example.org:0", "mail.example.org:smtp", "a b", "$(x)", "-oops", "-oops:25", "local:25"} {
		_, err := ParseNextHop(s)
		bad(s, err)
	}
	if got, in, err := ParseSenders("10.1.2.3/8, 192.0.2.7 fd00::/8"); err != nil || !in || len(got) != 3 || got[0].String() != "10.0.0.0/8" || got[1].String() != "192.0.2.7/32" {
		t.Errorf("%v, %v", got, err)
	}
	for _, s := range []string{"0.0.0.0/0", "::/0", "10.0.0.0/33", "all"} {
		_, _, err := ParseSenders(s)
		bad(s, err)
	}
}
