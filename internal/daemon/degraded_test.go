package daemon

import (
	"strings"
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

// A full disk defers all mail that is billed.
func TestSpoolThatCannotBeWritten(t *testing.T) {
	var s Status
	s.Started = time.Now()
	s.Spool.WriteError, s.Spool.WriteFailed = "spool: no space left on device", s.Started
	if all := s.degraded(s.Started); len(all) != 1 || !strings.Contains(all[0], "deferred") || !strings.Contains(all[0], "no space left") {
		t.Errorf("%q", all)
	}
}

// Records are said to wait where some do.
func TestStoreAwayWithNothingWaiting(t *testing.T) {
	var s Status
	s.Started = time.Now()
	s.Spool.LastError, s.Spool.ErrorSince = "refused", s.Started
	for waiting, want := range map[int64]string{0: "no new record waits", 2: "records wait in the spool"} {
		s.Spool.Waiting = waiting
		if all := s.degraded(s.Started); len(all) != 1 || !strings.Contains(all[0], want) {
			t.Errorf("%d: %q", waiting, all)
		}
	}
}
