package dnscheck

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

const listed = `
7.2.0.192.bl.example. 300 A 127.0.0.4
7.2.0.192.bl.example. 300 A 127.0.0.2
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example. 300 A 127.0.0.3
bad.example.bl.example. 300 A 127.0.1.2
xn--e1afmkfd.example.bl.example. 300 A 127.0.1.3
8.2.0.192.bl.example. 300 A 127.255.255.254
9.2.0.192.bl.example. 300 A 203.0.113.80
10.2.0.192.bl.example. 300 A 127.0.0.2
10.2.0.192.bl.example. 300 A 203.0.113.80
11.2.0.192.bl.example. 300 TXT "no address"
`

// untrusted are lists that were given up, or refuse.
const untrusted = `
7.2.0.192.dead.example. 300 A 127.0.0.2
1.0.0.127.dead.example. 300 A 127.0.0.2
bad.example.dead.example. 300 A 127.0.0.2
invalid.dead.example. 300 A 127.0.0.2
7.2.0.192.refuses.example. 300 A 127.0.0.1
1.0.0.127.refuses.example. 300 A 127.0.0.1
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.six.example. 300 A 127.0.0.2
1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.six.example. 300 A 127.0.0.2
`

func TestListed(t *testing.T) {
	r := resolver(t, Config{}, lie(t, zone(t, listed+untrusted)))
	tests := []struct {
		zone, of, want string
	}{
		{"bl.example", "192.0.2.7", "[127.0.0.2 127.0.0.4]"},
		{"BL.example.", "::ffff:192.0.2.7", "[127.0.0.2 127.0.0.4]"},
		{"bl.example", "2001:db8::1", "[127.0.0.3]"},
		{"bl.example", "2001:db8::2", "[]"},
		{"bl.example", "192.0.2.1", "[]"},
		{"bl.example", "192.0.2.11", "[]"},
		{"bl.example", "192.0.2.8", "[127.255.255.254]"},
		{"dead.example", "192.0.2.7", "error"},
		{"refuses.example", "192.0.2.7", "[127.0.0.1]"},
		{"six.example", "2001:db8::1", "error"},
		{"bl.example", "192.0.2.9", "error"},
		{"bl.example", "192.0.2.10", "error"},
		{"bl.servfail", "192.0.2.7", "error"},
	}
	for _, tt := range tests {
		got, err := r.Listed(t.Context(), tt.zone, netip.MustParseAddr(tt.of))
		check(t, tt.zone+" "+tt.of, tt.want, got, err)
	}
	if _, err := r.Listed(t.Context(), "no..zone", netip.MustParseAddr("192.0.2.7")); err == nil {
		t.Error("a bad zone")
	}
	if got, err := r.Listed(t.Context(), "bl.example", netip.Addr{}); got != nil || err != nil {
		t.Error("no address", got, err)
	}
}

func TestListedDomain(t *testing.T) {
	r := resolver(t, Config{}, lie(t, zone(t, listed+untrusted)))
	for of, want := range map[string]string{
		"bad.example":    "[127.0.1.2]",
		"BAD.example.":   "[127.0.1.2]",
		"пример.example": "[127.0.1.3]",
		"good.example":   "[]",
		"":               "[]",
		"[192.0.2.7]":    "[]",
		"192.0.2.7":      "[]",
		"x.silent":       "[]",
	} {
		got, err := r.ListedDomain(t.Context(), "bl.example", of)
		check(t, of, want, got, err)
	}
	got, err := r.ListedDomain(t.Context(), "dead.example", "bad.example")
	check(t, "a list of everything", "error", got, err)
	if _, err := r.ListedDomain(t.Context(), "", "bad.example"); err == nil {
		t.Error("no zone")
	}
}

func check(t *testing.T, what, want string, got []netip.Addr, err error) {
	t.Helper()
	if want == "error" {
		if got != nil || !errors.Is(err, ErrTemporary) {
			t.Errorf("%s: %v, %v", what, got, err)
		}
		return
	}
	if fmt.Sprint(got) != want || err != nil {
		t.Errorf("%s: %v, %v; want %s", what, got, err, want)
	}
}

func TestRefuses(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1": true, "127.0.1.255": true, "127.0.0.255": true, "127.255.255.252": true, "127.255.255.1": true, "::ffff:127.0.0.1": true,
		"127.0.0.2": false, "127.0.1.1": false, "127.0.1.2": false, "127.0.0.254": false, "192.0.2.255": false, "2001:db8::ff": false,
	} {
		if got := Refuses(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}

// What is thought of a list is counted, and told once when it changes.
func TestReputations(t *testing.T) {
	var told strings.Builder
	log := slog.New(slog.NewTextHandler(&told, nil))
	r := resolver(t, Config{Log: log}, lie(t, zone(t, listed+untrusted)))
	for range 2 {
		for _, of := range []string{"192.0.2.7", "192.0.2.1"} {
			for _, zone := range []string{"bl.example", "dead.example", "refuses.example"} {
				_, _ = r.Listed(t.Context(), zone, netip.MustParseAddr(of))
			}
		}
	}
	var all []string
	for _, s := range r.Stats().Lists {
		all = append(all, fmt.Sprintf("%s %d %d %d %s %v", s.Zone, s.Asked, s.Listed, s.Refused, s.State, s.Since != nil))
	}
	if got, want := strings.Join(all, "; "), "bl.example 4 2 0 trusted false; dead.example 4 0 0 distrusted true; refuses.example 4 0 2 refusing true"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if n := strings.Count(told.String(), "level=WARN"); n != 2 || !strings.Contains(told.String(), "zone=dead.example") || !strings.Contains(told.String(), "zone=refuses.example") {
		t.Errorf("told %d times: %s", n, told.String())
	}
}
