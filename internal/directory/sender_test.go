package directory

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/address"
)

func networksOf(all ...string) (list []netip.Prefix) {
	for _, s := range all {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}

func TestSenderClashes(t *testing.T) {
	d, clashes := New(Config{}, []*accounting.Client{
		{ID: "a", Logins: []string{"Ivan", "ivan@пример.рф", "ivan"}, Networks: networksOf("10.0.0.0/8", "2001:db8::/32", "10.0.0.0/8")},
		{ID: "b", Logins: []string{"IVAN", "Ivan@xn--e1afmkfd.xn--p1ai", "olga"}, Networks: networksOf("10.0.0.0/8", "10.0.0.0/9")},
		{ID: "c", Logins: []string{"", "@example.org", "/^x/", "a\nb", "\xff", strings.Repeat("x", 256), `DOMAIN\user`}},
	})
	var got []string
	for _, c := range clashes {
		got = append(got, c.Error())
	}
	bad := "a login is one name, written whole: no @domain, no /expression/, no control characters"
	want := []string{
		`login "ivan" stands twice in client "a"`,
		`network "10.0.0.0/8" stands twice in client "a"`,
		`login "IVAN" of client "b" belongs to client "a" already`,
		`login "Ivan@xn--e1afmkfd.xn--p1ai" of client "b" belongs to client "a" already`,
		`network "10.0.0.0/8" of client "b" belongs to client "a" already`,
		`login "" of client "c": ` + bad,
		`login "@example.org" of client "c": ` + bad,
		`login "/^x/" of client "c": ` + bad,
		`login "a\nb" of client "c": ` + bad,
		`login "\xff" of client "c": ` + bad,
		`login "` + strings.Repeat("x", 256) + `" of client "c": ` + bad,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for login, want := range map[string]string{"iVaN": "a", "IVAN@ПРИМЕР.РФ": "a", "Olga": "b", `domain\USER`: "c", "ghost": "", "olga@example.org": ""} {
		if got := id(d.Submitter(Submission{Login: login})); got != want {
			t.Errorf("login %s is of %q, want %q", login, got, want)
		}
	}
}

func id(c *accounting.Client) string {
	if c == nil {
		return ""
	}
	return c.ID
}

// By the login, then the longest of the networks, then the sender.
func TestSubmitter(t *testing.T) {
	d, clashes := New(Config{Delimiter: "+"}, []*accounting.Client{
		{ID: "login", Logins: []string{"ivan"}},
		{ID: "wide", Networks: networksOf("10.0.0.0/8", "::/0")},
		{ID: "narrow", Networks: networksOf("10.1.0.0/16", "10.1.2.3/32", "2001:db8::/32")},
		{ID: "sender", Addresses: []string{"ivan@example.org", "@example.net"}},
	})
	if len(clashes) > 0 {
		t.Fatal(clashes)
	}
	for _, test := range []struct {
		login, addr, sender, want string
	}{
		{"ivan", "10.1.2.3", "ivan@example.org", "login"},
		{"olga", "10.1.2.3", "ivan@example.org", "narrow"},
		{"", "10.2.0.1", "ivan@example.org", "wide"},
		{"", "::ffff:10.2.0.1", "", "wide"},
		{"", "2001:db8::1", "", "narrow"},
		{"", "2001:db9::1%eth0", "", "wide"},
		{"olga", "192.0.2.7", "Ivan+tag@example.org", "sender"},
		{"", "192.0.2.7", "anybody@example.net", "sender"},
		{"", "192.0.2.7", "stranger@example.com", ""},
		{"", "192.0.2.7", "", ""},
		{"", "", "ivan@example.org", "sender"},
	} {
		s := Submission{Login: test.login, Senders: []address.Address{address.Parse(test.sender)}}
		if test.addr != "" {
			s.Addr = netip.MustParseAddr(test.addr)
		}
		if got := id(d.Submitter(s)); got != test.want {
			t.Errorf("%+v is of %q", test, got)
		}
	}
}

// The longest prefix that an address is in, as a scan of all finds it.
func TestNetworksAgreeWithScan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	addr := func() netip.Addr {
		if r.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{10, byte(r.IntN(2)), byte(r.IntN(3)), byte(r.IntN(4))})
		}
		return netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 7: byte(r.IntN(2)), 15: byte(r.IntN(4))})
	}
	for range 500 {
		var n networks
		owners := map[netip.Prefix]*accounting.Client{}
		for range r.IntN(20) {
			a := addr()
			p := netip.PrefixFrom(a, r.IntN(a.BitLen()+1)).Masked()
			c := &accounting.Client{ID: p.String()}
			if had := n.add(p, c); had != owners[p] {
				t.Fatalf("%s is said to be of %v", p, had)
			}
			if owners[p] == nil {
				owners[p] = c
			}
		}
		for range 50 {
			a := addr()
			var want *accounting.Client
			longest := -1
			for p, c := range owners {
				if p.Contains(a) && p.Bits() > longest {
					want, longest = c, p.Bits()
				}
			}
			if got := n.find(a); got != want {
				t.Fatalf("%s is of %q, want %q", a, id(got), id(want))
			}
		}
	}
}
