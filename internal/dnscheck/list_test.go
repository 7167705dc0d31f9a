package dnscheck

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
)

const lists = `
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

func TestListed(t *testing.T) {
	r := resolver(t, Config{}, lie(t, zone(t, lists)))
	tests := []struct {
		zone, of, want string
	}{
		{"bl.example", "192.0.2.7", "[127.0.0.2 127.0.0.4]"},
		{"BL.example.", "::ffff:192.0.2.7", "[127.0.0.2 127.0.0.4]"},
		{"bl.example", "2001:db8::1", "[127.0.0.3]"},
		{"bl.example", "2001:db8::2", "[]"},
		{"bl.example", "192.0.2.1", "[]"},
		{"bl.example", "192.0.2.11", "[]"},
		{"bl.example", "192.0.2.8", "error"},
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
	r := resolver(t, Config{}, lie(t, zone(t, lists)))
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
