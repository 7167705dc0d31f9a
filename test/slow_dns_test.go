package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// dnsLists are more questions for each client than there are places for all.
func dnsLists() (lists string) {
	for i := range 6 {
		lists += fmt.Sprintf(", %q", fmt.Sprintf("list%d.example", i))
	}
	return lists[2:]
}

// While DNS answers nothing to 200 clients, those that need nothing of it are
// served as ever; and when it answers again, so are the 200.
func TestSlowDNS(t *testing.T) {
	t.Parallel()
	const clients, places = 200, 1024
	g := prepare(t, false)
	nsd, err := g.box.NSD(map[string]string{".": "*.test. MX 10 mx.fast.test.\nfast.test. MX 10 mx.fast.test.\nmx.fast.test. A 192.0.2.25\n"})
	if err != nil {
		t.Fatal(err)
	}
	g.write(t, "policy/policy.toml", fmt.Sprintf(`
[gateway]
resolver = [%q]

[[client]]
id        = "sales"
addresses = ["ivan@example.org"]

[[rule]]
name   = "listed"
stage  = "connect"
match  = { dnsbl = [%s] }
action = "reject"

[[rule]]
name   = "no-mx"
stage  = "mailfrom"
match  = { sender_mx = "missing" }
action = "reject"

[[rule]]
name   = "not-theirs"
stage  = "mailfrom"
match  = { spf = "fail" }
action = "reject"
`, nsd.Addr, dnsLists()))
	g.start(t, fmt.Sprintf("default_process_limit = %d", clients+50))

	// fast sends messages whose questions have been answered before, and tells
	// how long the middle one of them took.
	fast := func(n int) time.Duration {
		t.Helper()
		var took []time.Duration
		for range n {
			start := time.Now()
			if err := expect(250)(g.transaction("192.0.2.10", "a@fast.test", "ivan@example.org")); err != nil {
				t.Fatal(err)
			}
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		return took[n/2]
	}
	fast(1)
	before := fast(20)
	if err := nsd.Freeze(); err != nil {
		t.Fatal(err)
	}
	var slow sync.WaitGroup
	var judged atomic.Int64
	for i := range clients {
		slow.Go(func() {
			r, err := g.transaction(fmt.Sprintf("198.51.100.%d", i+1), fmt.Sprintf("a@slow%d.test", i), "ivan@example.org")
			judged.Add(1)
			if err := expect(250)(r, err); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	// How many wait at once depends on how fast this machine starts smtpd
	// processes; that some do is what the rest needs.
	var stats dnscheck.Stats
	err = eventually(harness.Patience, func() error {
		var err error
		if stats, err = g.dnsStats(t); err == nil && stats.InFlight == 0 {
			err = errors.New("no question is under way")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	during := fast(20)
	t.Logf("a message whose answers are known: %v before, %v while %d clients wait for DNS (%.2f times); %d were judged meanwhile",
		before, during, clients, float64(during)/float64(before), judged.Load())
	if err := nsd.Thaw(); err != nil {
		t.Fatal(err)
	}
	slow.Wait()
	if stats, err = g.dnsStats(t); err != nil {
		t.Fatal(err)
	}
	// The promise: a bound on what is under way, no question that is left over.
	// That the bound is reached is the limiter's own test.
	if stats.MostInFlight > places || stats.MostInFlight == 0 || stats.InFlight > 0 || stats.Waiting > 0 {
		t.Errorf("questions: %+v", stats)
	}
	t.Logf("%d questions at most were under way, %d were sent, %d were not answered", stats.MostInFlight, stats.Queries, stats.Timeouts)
	g.delivered(t, clients+41)
}

// dnsStats is what tollgate status tells of DNS.
func (g *gateway) dnsStats(t *testing.T) (dnscheck.Stats, error) {
	out, err := g.gate.Command(t.Context(), "status", "--json")
	if err != nil {
		return dnscheck.Stats{}, err
	}
	var status struct{ DNS *dnscheck.Stats }
	if err := json.NewDecoder(strings.NewReader(out.Stdout)).Decode(&status); err != nil {
		return dnscheck.Stats{}, err
	}
	if status.DNS == nil {
		return dnscheck.Stats{}, fmt.Errorf("no DNS in %s", out.Stdout)
	}
	return *status.DNS, nil
}
