package dnscheck

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tollgate-mail/tollgate/internal/results"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// nsd is the real server of this package's tests.
var nsd *harness.NSD

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, func(s *harness.Sandbox) (err error) {
		nsd, err = s.NSD(map[string]string{
			"example":              within("example.", senders+spfZone+crowded()),
			"gone.test":            "x A 192.0.2.1\n",
			"bl.example":           listed,
			"servfail.test":        harness.Unreadable,
			"2.0.192.in-addr.arpa": within("2.0.192.in-addr.arpa.", spfZone),
		})
		return err
	}))
}

// crowded are names with more than fits into a datagram.
func crowded() string {
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "crowd.example. 300 A 192.0.2.%d\n", i)
		fmt.Fprintf(&b, "crowd.example. 300 TXT \"%s %d\"\n", strings.Repeat("x", 100), i)
		fmt.Fprintf(&b, "crowd.example. 300 MX %d mx%d.crowd.example.\n", i, i)
	}
	b.WriteString("*.bench.example. 300 MX 10 mx.bench.example.\nmx.bench.example. 300 A 192.0.2.1\n")
	b.WriteString("*.bench.example. 300 TXT \"v=spf1 ip4:192.0.0.0/8 -all\"\n")
	b.WriteString("mx3.crowd.example. 300 AAAA 2001:db8::3\n")
	b.WriteString("away.example. 300 CNAME x.gone.test.\n")
	b.WriteString("elsewhere.example. 300 CNAME x.elsewhere.test.\n")
	for i := range 12 {
		fmt.Fprintf(&b, "chain%d.example. 300 CNAME chain%d.example.\n", i, i+1)
	}
	b.WriteString("chain12.example. 300 A 192.0.2.1\n")
	return b.String()
}

// within are the lines of a zone.
func within(zone, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if name, _, _ := strings.Cut(line, " "); strings.HasSuffix(name, "."+zone) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func nsdResolver(t testing.TB) *Resolver {
	t.Helper()
	return resolver(t, Config{Servers: []string{nsd.Addr}, Try: 2 * time.Second})
}

func TestSenderMXFromNSD(t *testing.T) {
	r := nsdResolver(t)
	for sender, want := range map[string]results.MX{
		"u@ok.example":        results.MXOK,
		"u@six.example":       results.MXOK,
		"u@implicit.example":  results.MXImplicit,
		"u@implicit6.example": results.MXImplicit,
		"u@null.example":      results.MXNull,
		"u@text.example":      results.MXMissing,
		"u@nowhere.example":   results.MXMissing,
		"u@gone.example":      results.MXMissing,
		"u@literal.example":   results.MXMissing,
		"u@alias.example":     results.MXOK,
		"u@mxalias.example":   results.MXOK,
		"u@пример.example":    results.MXOK,
		"u@crowd.example":     results.MXOK,
		"u@away.example":      results.MXImplicit,
		"u@elsewhere.example": "error",
		"u@loop.example":      "error",
		"u@broken.example":    "error",
		"u@x.other.test":      "error", // REFUSED
		"u@x.servfail.test":   "error",
	} {
		got, err := r.SenderMX(t.Context(), sender)
		if want == "error" && errors.Is(err, ErrTemporary) && got == "" || got == want && err == nil {
			continue
		}
		t.Errorf("%s: %q, %v; want %s", sender, got, err, want)
	}
}

func TestAnswersFromNSD(t *testing.T) {
	r := nsdResolver(t)
	for _, kind := range []uint16{dns.TypeA, dns.TypeTXT, dns.TypeMX} { // truncated over UDP
		a, err := r.lookup(t.Context(), question{"crowd.example.", kind})
		if err != nil || len(a.addrs)+len(a.texts)+len(a.mxs) != 200 {
			t.Error(dns.TypeToString[kind], a, err)
		}
	}
	a, err := r.lookup(t.Context(), question{"chain2.example.", dns.TypeA})
	if err != nil || len(a.addrs) != 1 {
		t.Error(a, err)
	}
	if a, err = r.lookup(t.Context(), question{"chain0.example.", dns.TypeA}); !errors.Is(err, errChain) {
		t.Error(a, err)
	}
	// The SOA's minimum is 60 s.
	a, err = r.lookup(t.Context(), question{"nowhere.example.", dns.TypeA})
	if err != nil || !a.nxdomain || a.ttl != time.Minute {
		t.Error(a, err)
	}
	a, err = r.lookup(t.Context(), question{"text.example.", dns.TypeA})
	if err != nil || a.nxdomain || len(a.addrs) != 0 || a.ttl != time.Minute {
		t.Error(a, err)
	}
}

func TestListedFromNSD(t *testing.T) {
	r := nsdResolver(t)
	for of, want := range map[string]string{
		"192.0.2.7": "[127.0.0.2 127.0.0.4]", "2001:db8::1": "[127.0.0.3]", "192.0.2.1": "[]", "192.0.2.8": "[127.255.255.254]",
	} {
		got, err := r.Listed(t.Context(), "bl.example", netip.MustParseAddr(of))
		check(t, of, want, got, err)
	}
	got, err := r.Listed(t.Context(), "servfail.test", netip.MustParseAddr("192.0.2.7"))
	check(t, "servfail.test", "error", got, err)
	got, err = r.ListedDomain(t.Context(), "bl.example", "Bad.example")
	check(t, "bad.example", "[127.0.1.2]", got, err)
}

func TestSPFFromNSD(t *testing.T) {
	r := nsdResolver(t)
	for sender, want := range map[string]string{
		"u@pass.example": "pass", "u@soft.example": "softfail", "u@neutral.example": "neutral", "u@none.example": "none",
		"u@two.example": "permerror", "u@temp.example": "temperror", "u@ptr.example": "pass", "u@long.example": "pass",
		"u@alias.example": "none", "u@spfalias.example": "pass", "u@crowd.example": "none",
	} {
		if got, _ := r.SPF(t.Context(), netip.MustParseAddr("192.0.2.7"), "h", sender); string(got.Result) != want {
			t.Errorf("%s: %+v; want %s", sender, got, want)
		}
	}
}

// The server stops answering, and comes back.
func TestNSDFrozen(t *testing.T) {
	var c clock
	r := resolver(t, Config{Servers: []string{nsd.Addr}, Try: 100 * time.Millisecond, Now: c.now})
	q := func() (results.MX, error) { return r.SenderMX(t.Context(), "u@ok.example") }
	if err := nsd.Freeze(); err != nil {
		t.Fatal(err)
	}
	got, err := q()
	if err := nsd.Thaw(); err != nil {
		t.Fatal(err)
	}
	if got != "" || !errors.Is(err, ErrTemporary) || !errors.Is(err, errTimeout) {
		t.Error(got, err)
	}
	if got, err := q(); got != "" || err == nil {
		t.Error("the failure was not remembered:", got)
	}
	c.pass(failureTTL)
	if got, err := q(); got != results.MXOK || err != nil {
		t.Error(got, err)
	}
}

func TestNSDRestarted(t *testing.T) {
	var c clock
	r := resolver(t, Config{Servers: []string{nsd.Addr}, Try: 2 * time.Second, Now: c.now})
	if err := nsd.Stop(); err != nil {
		t.Fatal(err)
	}
	got, err := r.SenderMX(t.Context(), "u@ok.example")
	if err := nsd.Start(); err != nil {
		t.Fatal(err)
	}
	if got != "" || !errors.Is(err, ErrTemporary) {
		t.Error(got, err)
	}
	c.pass(failureTTL)
	if got, err := r.SenderMX(t.Context(), "u@ok.example"); got != results.MXOK || err != nil {
		t.Error(got, err)
	}
}
