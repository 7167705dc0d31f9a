package test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// The embedded store's file is set back, as from a backup: the spool brings what
// it lacks, once; payments are in no spool, and are as the file has them.
func TestEmbeddedSetBack(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", `
[recipients]
mode = "known"

[[tariff]]
name     = "office"
currency = "RUB"
per_mib  = "1000"
included = "100 B"

[[client]]
id        = "sales"
addresses = ["@example.org"]
tariff    = "office"
`)
	g.start(t)
	three := func() {
		t.Helper()
		for range 3 {
			if err := expect(250)(g.mailOf(t, "account")); err != nil {
				t.Fatal(err)
			}
		}
		g.stopDrained(t)
	}
	charged := func() (n int, sum int64, balance int64) {
		t.Helper()
		for _, r := range g.records(t) {
			n++
			sum += r.Charged
		}
		store := g.openStore(t)
		defer store.Close()
		a, err := store.(accounting.Ledger).Account(t.Context(), "sales")
		if err != nil {
			t.Fatal(err)
		}
		return n, sum, a.Balance
	}
	three()
	files, err := filepath.Glob(filepath.Join(g.gate.State, "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	old, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := g.gate.Start(); err != nil {
		t.Fatal(err)
	}
	three()
	n, sum, balance := charged()
	if n != 6 || balance >= 0 {
		t.Fatalf("%d records, balance %d", n, balance)
	}
	if err := os.WriteFile(files[0], old, 0o600); err != nil {
		t.Fatal(err)
	}
	if n, _, less := charged(); n != 3 || less == balance {
		t.Fatalf("the file that was put back has %d records, balance %d: it lacks none", n, less)
	}
	if err := g.gate.Start(); err != nil {
		t.Fatal(err)
	}
	if err := g.drained(t.Context(), harness.Patience); err != nil {
		t.Fatal(err)
	}
	g.must(t, "report", "--verify")
	g.stopDrained(t)
	if n2, sum2, balance2 := charged(); n2 != n || sum2 != sum || balance2 != balance {
		t.Errorf("%d records of %d bytes, balance %d; were %d, %d, %d", n2, sum2, balance2, n, sum, balance)
	}
}
