package test

import (
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// A gateway is put back from a backup while its Redis goes on: what was billed after the
// backup stays billed, what the backup's spool has is not billed twice, and what is sent
// then counts on.
func TestRestoreBesideRedis(t *testing.T) {
	t.Parallel()
	g := prepare(t, true)
	g.write(t, "policy/policy.toml", `
[recipients]
mode = "known"

[[client]]
id        = "sales"
addresses = ["@example.org"]
`)
	g.start(t)
	send := func(n int) {
		t.Helper()
		for range n {
			if err := expect(250)(g.mailOf(t, "account")); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(3)
	if err := g.drained(t.Context(), harness.Patience); err != nil {
		t.Fatal(err)
	}
	// Two more are in the spool of the backup alone: the store is away.
	if err := g.redis.Stop(); err != nil {
		t.Fatal(err)
	}
	send(2)
	file := g.box.Path("gateway.tar.gz")
	g.must(t, "backup", file)
	if err := g.redis.Start(); err != nil {
		t.Fatal(err)
	}
	send(2) // after the backup
	g.stopDrained(t)
	if n := len(g.records(t)); n != 7 {
		t.Fatalf("%d records before the restore", n)
	}
	g.must(t, "restore", file, "--replace", "--state-only")
	if err := g.gate.Start(); err != nil {
		t.Fatal(err)
	}
	send(1)
	g.stopDrained(t)
	seen := map[string]bool{}
	for _, r := range g.records(t) {
		if seen[r.ID] {
			t.Errorf("%s is there twice", r.ID)
		}
		seen[r.ID] = true
	}
	if len(seen) != 8 {
		t.Errorf("%d records, want 8", len(seen))
	}
	if err := g.gate.Start(); err != nil {
		t.Fatal(err)
	}
	g.says(t, `sales +8 `, "report")
	g.must(t, "report", "--verify")
	g.stopDrained(t)
}
