package daemon

import (
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/dnscheck"
)

// A resolver that nobody has asked is neither well nor ill.
func TestServersOfDNSThatAreDown(t *testing.T) {
	s := Status{DNS: &dnscheck.Stats{Servers: []dnscheck.ServerStats{
		{Addr: "192.0.2.1:53", State: dnscheck.NotAsked}, {Addr: "192.0.2.2:53", State: dnscheck.Down, LastError: "timeout"}, {Addr: "192.0.2.3:53", State: dnscheck.Up},
	}}}
	s.Started = time.Now()
	all := s.degraded(s.Started)
	if len(all) != 1 || all[0] != "DNS server 192.0.2.2:53 is down: timeout" {
		t.Errorf("%q", all)
	}
}
