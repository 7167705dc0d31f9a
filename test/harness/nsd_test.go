package harness

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestNSD(t *testing.T) {
	t.Parallel()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	n, err := s.NSD(map[string]string{"example.org": "a TXT before", "bad.test": Unreadable})
	if err != nil {
		t.Fatal(err, s.Logs())
	}
	ask := func() string {
		reply, err := dns.Exchange(new(dns.Msg).SetQuestion("a.example.org.", dns.TypeTXT), n.Addr)
		if err != nil || len(reply.Answer) != 1 {
			t.Fatal(reply, err)
		}
		return reply.Answer[0].(*dns.TXT).Txt[0]
	}
	if got := ask(); got != "before" {
		t.Error(got)
	}
	reply, err := dns.Exchange(new(dns.Msg).SetQuestion("a.bad.test.", dns.TypeTXT), n.Addr)
	if err != nil || reply.Rcode != dns.RcodeServerFailure {
		t.Error(reply, err)
	}
	if err := n.Zone("example.org", "a TXT after"); err != nil {
		t.Fatal(err)
	}
	if err := n.Reload(); err != nil {
		t.Fatal(err)
	}
	// Nothing tells when it has.
	for deadline := time.Now().Add(Patience); ask() != "after"; {
		if time.Now().After(deadline) {
			t.Fatal(s.Logs())
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := n.Zone("example.org", "a A 192.0.2.256"); err == nil || !strings.Contains(err.Error(), "zone example.org") {
		t.Error(err)
	}
}
