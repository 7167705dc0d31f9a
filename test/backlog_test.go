package test

import (
	"flag"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/spool"
)

var backlogRecords = flag.Int("backlog.records", 20_000, "records that wait in TestBacklog")

// A gateway that starts with a backlog takes its first message at once, however
// many records wait, and applies them all.
func TestBacklog(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", `
[recipients]
mode = "known"

[[tariff]]
name     = "office"
currency = "RUB"
per_mib  = "1000"

[[client]]
id        = "sales"
addresses = ["@example.org"]
tariff    = "office"
`)
	g.start(t) // Postfix, which takes its time
	g.stopDrained(t)
	s, err := spool.Open(filepath.Join(g.gate.State, "spool"), spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const each, writers = 1000, 8
	now := time.Now().UTC().Truncate(time.Millisecond)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; i < *backlogRecords/each; i += writers {
				at := now.Add(-time.Duration(i) * time.Millisecond)
				base := accounting.Record{
					ID: fmt.Sprintf("old/Q%X/%d", i, at.UnixMilli()), Time: at, Gateway: "old", QueueID: fmt.Sprintf("Q%X", i),
					Sender: "a@example.com", Direction: "inbound", Verdict: "accept", Weight: "0",
				}
				payers := make([]accounting.Payer, each)
				for k := range payers {
					payers[k] = accounting.Payer{Recipient: fmt.Sprintf("user%d@example.org", k), Client: "sales"}
				}
				if err := s.Append(t.Context(), accounting.Charge(base, 1000, payers, accounting.Sharing{})); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	waiting := s.Status().Waiting
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := g.gate.Start(); err != nil {
		t.Fatal(err)
	}
	started := time.Since(began)
	if err := expect(250)(g.mailOf(t, "account")); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d records wait: started after %d ms, the first message was taken after %d ms", waiting, started.Milliseconds(), time.Since(began).Milliseconds())
	if *backlogRecords > 100_000 {
		return // draining them all is another matter
	}
	g.stopDrained(t)
	if n := len(g.records(t)); n != int(waiting)+1 {
		t.Errorf("%d records, want %d", n, waiting+1)
	}
}
