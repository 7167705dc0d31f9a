package dnscheck

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

const spfZone = `
pass.example.      300 TXT "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"
soft.example.      300 TXT "v=spf1 ~all"
neutral.example.   300 TXT "v=spf1 a:host.example mx ?all"
neutral.example.   300 MX 10 mx.example.
host.example.      300 A 192.0.2.9
host.example.      300 AAAA 2001:db8::9
mx.example.        300 A 192.0.2.10
none.example.      300 TXT "google-site-verification=1"
two.example.       300 TXT "v=spf1 -all"
two.example.       300 TXT "v=spf1 +all"
bad.example.       300 TXT "v=spf1 ip4:192.0.2.7 nonsense -all"
temp.example.      300 TXT "v=spf1 include:x.servfail -all"
helo.example.      300 TXT "v=spf1 ip4:192.0.2.7 -all"
local.example.     300 TXT "v=spf1 exists:%{l}.%{i}.macro.example -all"
postmaster.192.0.2.7.macro.example. 300 A 127.0.0.2
long.example.      300 TXT "v=spf1 ip4:192.0" ".2.7 -all"
xn--e1afmkfd.example. 300 TXT "v=spf1 ip4:192.0.2.7 -all"
spfalias.example.  300 CNAME pass.example.
spfloop.example.   300 TXT "v=spf1 include:spfloop.example -all"
ptr.example.       300 TXT "v=spf1 ptr -all"
mail.ptr.example.  300 A 192.0.2.7
7.2.0.192.in-addr.arpa. 300 PTR mail.ptr.example.
void.example.      300 TXT "v=spf1 a:x1.void.example a:x2.void.example a:x3.void.example +all"
`

func TestSPF(t *testing.T) {
	r := resolver(t, Config{}, lie(t, zone(t, spfZone)))
	tests := []struct{ ip, helo, sender, identity, domain, want string }{
		{"192.0.2.7", "h", "user@pass.example", "mailfrom", "pass.example", "pass"},
		{"::ffff:192.0.2.7", "h", "user@pass.example", "mailfrom", "pass.example", "pass"},
		{"2001:db8::7", "h", "user@PASS.example.", "mailfrom", "pass.example", "pass"},
		{"198.51.100.7", "h", "user@pass.example", "mailfrom", "pass.example", "fail"},
		{"192.0.2.7", "h", "user@spfalias.example", "mailfrom", "spfalias.example", "pass"},
		{"192.0.2.7", "h", "user@soft.example", "mailfrom", "soft.example", "softfail"},
		{"192.0.2.7", "h", "user@neutral.example", "mailfrom", "neutral.example", "neutral"},
		{"192.0.2.9", "h", "user@neutral.example", "mailfrom", "neutral.example", "pass"},
		{"192.0.2.10", "h", "user@neutral.example", "mailfrom", "neutral.example", "pass"},
		{"2001:db8::9", "h", "user@neutral.example", "mailfrom", "neutral.example", "pass"},
		{"192.0.2.7", "h", "user@none.example", "mailfrom", "none.example", "none"},
		{"192.0.2.7", "h", "user@nowhere.example", "mailfrom", "nowhere.example", "none"},
		{"192.0.2.7", "h", "user@two.example", "mailfrom", "two.example", "permerror"},
		{"192.0.2.7", "h", "user@bad.example", "mailfrom", "bad.example", "permerror"},
		{"192.0.2.7", "h", "user@spfloop.example", "mailfrom", "spfloop.example", "permerror"},
		{"192.0.2.7", "h", "user@void.example", "mailfrom", "void.example", "permerror"},
		{"192.0.2.7", "h", "user@temp.example", "mailfrom", "temp.example", "temperror"},
		{"192.0.2.7", "h", "user@x.servfail", "mailfrom", "x.servfail", "temperror"},
		{"192.0.2.7", "h", "user@x.silent", "mailfrom", "x.silent", "temperror"},
		{"192.0.2.7", "h", "user@long.example", "mailfrom", "long.example", "pass"},
		{"192.0.2.7", "h", "user@пример.example", "mailfrom", "xn--e1afmkfd.example", "pass"},
		{"192.0.2.7", "h", "user@ptr.example", "mailfrom", "ptr.example", "pass"},
		{"192.0.2.8", "h", "user@ptr.example", "mailfrom", "ptr.example", "fail"},
		{"192.0.2.7", "helo.example", "", "helo", "helo.example", "pass"},
		{"192.0.2.8", "HELO.example", "", "helo", "helo.example", "fail"},
		{"192.0.2.7", "local.example", "", "helo", "local.example", "pass"},
		{"192.0.2.7", "h", "@local.example", "mailfrom", "local.example", "pass"},
		{"192.0.2.7", "h", "other@local.example", "mailfrom", "local.example", "fail"},
		{"192.0.2.7", "[192.0.2.7]", "", "helo", "", "none"},
		{"192.0.2.7", "192.0.2.7", "", "helo", "", "none"},
		{"192.0.2.7", "localhost", "", "helo", "", "none"},
		{"192.0.2.7", "", "", "helo", "", "none"},
		{"192.0.2.7", "helo.example", "user", "mailfrom", "", "none"},
		{"192.0.2.7", "helo.example", "user@[192.0.2.7]", "mailfrom", "", "none"},
		{"192.0.2.7", "helo.example", "user@" + strings.Repeat("a", 64) + ".example", "mailfrom", "", "none"},
	}
	for _, tt := range tests {
		t.Run(tt.ip+" "+tt.helo+" "+tt.sender, func(t *testing.T) {
			got, err := r.SPF(t.Context(), netip.MustParseAddr(tt.ip), tt.helo, tt.sender)
			if string(got.Result) != tt.want || got.Identity != tt.identity || got.Domain != tt.domain {
				t.Errorf("%+v", got)
			}
			if errors.Is(err, ErrTemporary) != (tt.want == "temperror") {
				t.Error(err)
			}
		})
	}
}

func TestSPFSyntax(t *testing.T) {
	good := []string{
		"", "all", "-all", "+A ~mX ?all", "a/24 a//64 a/24//64 mx:example.org/0//128", "a:%{d}.example", "a:%{i}",
		"exists:%{ir}.%{v}._spf.%{d2}", "exists:%{l1r-}.example.", "include:_spf.example.org", "ptr", "ptr:example.org",
		"ip4:192.0.2.1 ip4:192.0.2.0/24 ip6:2001:db8::1 ip6:2001:DB8::/32", "redirect=_spf.example.org", "exp=exp.%{d}",
		"moo.cow-1_=any/%{s}thing", "moo=", "  all  ",
	}
	for _, terms := range good {
		if err := spfSyntax("v=spf1 " + terms); err != nil {
			t.Errorf("%q: %v", terms, err)
		}
	}
	bad := []string{
		"all.", "all:x.example", "+", "-all\tall", "include", "include:", "include:x", "include:-", "a:", "a/", "a/33", "a/024", "a//129", "a/24//",
		"a:1.2.3.4", "ip4", "ip4:1.2.3", "ip4:1.2.3.256", "ip4:192.0.2.1/33", "ip6:2001:db8::g", "ip6:192.0.2.1", "ip6:::1/129",
		"exists:%{x}.example", "exists:%{d0}.example", "exists:%{d", "exists:%x.example", "exists:%{c}.example",
		"redirect=", "redirect=x.example redirect=x.example", "exp=x.example EXP=y.example", "-redirect=x.example", "1moo=x", "moo=%{", "\xff",
		"a:x.example\x00",
	}
	for _, terms := range bad {
		if spfSyntax("v=spf1 "+terms) == nil {
			t.Errorf("%q passes", terms)
		}
	}
}

func FuzzSPFSyntax(f *testing.F) {
	f.Add("v=spf1 a mx ip4:192.0.2.0/24 include:%{d2}.example -all")
	f.Add("v=spf1 redirect=_spf.example.org exp=x.%{i}")
	f.Fuzz(func(t *testing.T, record string) {
		if !isSPF(record) || spfSyntax(record) != nil {
			return
		}
		if i := strings.IndexFunc(record, func(c rune) bool { return c < ' ' || c > '~' }); i >= 0 {
			t.Errorf("octet %d is no part of a record", i)
		}
	})
}

// Whoever writes an at sign into a quoted local part does not choose whose
// record is asked for.
func TestSPFQuotedAt(t *testing.T) {
	r := resolver(t, Config{}, lie(t, zone(t, `
mine.example.   300 TXT "v=spf1 +all"
victim.example. 300 TXT "v=spf1 -all"
`)))
	for _, sender := range []string{`"x@mine.example"@victim.example`, `"a@b@mine.example"@victim.example`, `"@mine.example"@victim.example`} {
		got, err := r.SPF(t.Context(), netip.MustParseAddr("192.0.2.7"), "h.example", sender)
		if got.Result != "fail" || got.Domain != "victim.example" || err != nil {
			t.Errorf("%s: %+v, %v", sender, got, err)
		}
	}
}

// TestSPFCases reads a table of shared/cases: result, client, HELO, sender, zone.
func TestSPFCases(t *testing.T) {
	dir, err := harness.Shared("cases")
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "content", "r21-spf.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		row := strings.Split(line, "\t")
		if strings.HasPrefix(line, "#") || len(row) < 5 {
			continue
		}
		records := make(map[string][]string)
		for _, one := range strings.Split(row[4], " ;; ") {
			f := strings.SplitN(one, " ", 3)
			records[f[0]+" "+f[1]] = append(records[f[0]+" "+f[1]], f[2])
		}
		r, err := NewStatic(records)
		if err != nil {
			t.Fatal(line, err)
		}
		if got, err := r.SPF(t.Context(), netip.MustParseAddr(row[1]), row[2], row[3]); string(got.Result) != row[0] {
			t.Errorf("%s: %+v, %v", line, got, err)
		}
		r.Close()
	}
}

// A term of IPv6 matches no IPv4 client, however its address is written, and takes
// nothing from the terms beside it (RFC 7208 §5.6).
func TestSPFIPv6Terms(t *testing.T) {
	for _, term := range []string{"ip6:::ffff:192.0.2.7", "ip6:::FFFF:c000:0207", "+IP6:::ffff:192.0.2.0/120", "?Ip6:::ffff:0.0.0.0/96", "ip6:0:0:0:0:0:ffff:192.0.2.7/128", "ip6:::/0"} {
		for client, want := range map[string]string{"192.0.2.7": "fail", "::ffff:192.0.2.7": "fail", "192.0.2.9": "pass", "2001:db8::9": "fail"} {
			if strings.HasSuffix(term, "::/0") && client == "2001:db8::9" {
				want = "pass"
			}
			r, err := NewStatic(map[string][]string{"a.example TXT": {"v=spf1 " + term + "  ip4:192.0.2.9 " + term + " -all"}})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := r.SPF(t.Context(), netip.MustParseAddr(client), "h", "user@a.example"); err != nil || string(got.Result) != want {
				t.Errorf("%s of %s: %+v %v, want %s", client, term, got, err, want)
			}
			r.Close()
		}
	}
}

// What a check reads of records has a bound: who publishes them chooses how long they
// are, and the same answers serve many messages.
func TestLongSPF(t *testing.T) {
	long := "v=spf1" + strings.Repeat(" ip4:198.51.100.1", 600) // ten thousand octets
	r, err := NewStatic(map[string][]string{
		"short.example TXT": {long + " ip4:192.0.2.7 -all"},
		"three.example TXT": {"v=spf1 include:a.example include:b.example include:c.example ip4:192.0.2.7 -all"},
		"four.example TXT":  {"v=spf1 include:a.example include:b.example include:c.example include:d.example ip4:192.0.2.7 -all"},
		"a.example TXT":     {long}, "b.example TXT": {long}, "c.example TXT": {long}, "d.example TXT": {long},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for domain, want := range map[string]string{"short.example": "pass", "three.example": "pass", "four.example": "permerror"} {
		if got, err := r.SPF(t.Context(), netip.MustParseAddr("192.0.2.7"), "h", "u@"+domain); string(got.Result) != want || err != nil {
			t.Errorf("%s: %+v, %v; want %s", domain, got, err, want)
		}
	}
}
