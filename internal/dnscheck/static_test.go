package dnscheck

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/results"
)

func TestStatic(t *testing.T) {
	r, err := NewStatic(map[string][]string{
		"example.com MX":                {"10 mx.example.com", "20 mx2.example.com."},
		"MX.example.com a":              {"192.0.2.1"},
		"example.com TXT":               {`v=spf1 ip4:192.0.2.7 exp="\x" -all`, "v=spf1x;"},
		"spf.example.com TXT":           {"v=spf1 ip4:192.0.2.7 -all", "v=other; \"quoted\" \\ " + strings.Repeat("long ", 100)},
		"null.example MX":               {"0 ."},
		"empty.example MX":              {},
		"slow.example MX":               {"timeout"},
		"broken.example MX":             {"servfail"},
		"alias.example CNAME":           {"example.com"},
		"7.2.0.192.dnsbl.example.net A": {"127.0.0.2"},
		"8.2.0.192.dnsbl.example.net A": {"timeout"},
		"пример.example MX":             {"10 mx.example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for sender, want := range map[string]results.MX{
		"u@example.com": results.MXOK, "u@null.example": results.MXNull, "u@empty.example": results.MXMissing, "u@nowhere.example": results.MXMissing, "u@alias.example": results.MXOK,
		"u@mx.example.com": results.MXImplicit, "u@slow.example": "error", "u@broken.example": "error", "u@пример.example": results.MXOK, "": results.MXNone,
	} {
		got, err := r.SenderMX(t.Context(), sender)
		if got != want && (want != "error" || !errors.Is(err, ErrTemporary)) {
			t.Errorf("%s: %q, %v; want %s", sender, got, err, want)
		}
	}
	for of, want := range map[string]string{"192.0.2.7": "[127.0.0.2]", "192.0.2.8": "error", "192.0.2.9": "[]"} {
		got, err := r.Listed(t.Context(), "dnsbl.example.net", netip.MustParseAddr(of))
		check(t, of, want, got, err)
	}
	for sender, want := range map[string]string{"u@example.com": "permerror", "u@spf.example.com": "pass", "u@null.example": "none"} {
		if got, err := r.SPF(t.Context(), netip.MustParseAddr("192.0.2.7"), "h", sender); string(got.Result) != want || err != nil {
			t.Errorf("%s: %+v, %v", sender, got, err)
		}
	}
	texts, err := r.LookupTXT(t.Context(), "spf.example.com")
	if err != nil || len(texts) != 2 || !strings.HasPrefix(texts[1], `v=other; "quoted" \ long long `) {
		t.Errorf("%q, %v", texts, err)
	}
	if a, err := r.lookup(t.Context(), question{"example.net.", 1}); err != nil || a.nxdomain {
		t.Error("a name above one that exists does not exist", a, err)
	}
}

func TestStaticErrors(t *testing.T) {
	for key, value := range map[string]string{
		"example.com":     "192.0.2.1",
		"example.com SRV": "0 0 1 x.",
		"exa..mple A":     "192.0.2.1",
		"a.example A":     "192.0.2.256",
		"b.example MX":    "mx.example",
		"c.example A":     "192.0.2.1\nd.example. A 192.0.2.2",
		"":                "",
	} {
		if _, err := NewStatic(map[string][]string{key: {value}}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", key)) {
			t.Errorf("%q %q: %v", key, value, err)
		}
	}
}
