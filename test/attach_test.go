package test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// A Postfix with smtpd and cleanup in a chroot, which knows no tollgate, comes to
// ask it and to ask it no more.
func TestAttach(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", "[recipients]\nmode = \"domains\"\ndomains = [\"example.org\"]\n")
	var err error
	if g.postfix, err = g.box.Postfix(harness.PostfixConfig{NextHop: g.sink.Addr(), Bare: true}); err != nil {
		t.Fatal(err)
	}
	run := func(exit int, says string, args ...string) string {
		t.Helper()
		o, err := g.gate.Command(t.Context(), args...)
		if err != nil {
			t.Fatal(err)
		}
		if o.Exit != exit || !strings.Contains(o.Stdout+o.Stderr, says) {
			t.Fatalf("%v: exit code %d, not %d, or not %q:\n%s%s", args, o.Exit, exit, says, o.Stdout, o.Stderr)
		}
		return o.Stdout + o.Stderr
	}
	judged := func() int { return len(g.journal(t, "messages")) }
	mail := func() {
		t.Helper()
		if r, err := g.transaction("192.0.2.7", "a@far.test", "ivan@example.org"); err != nil || !r.OK() {
			t.Fatalf("%v, %v", r, err)
		}
	}
	mainCf := func() string {
		t.Helper()
		b, err := os.ReadFile(g.postfix.Config + "/main.cf")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	former := mainCf()

	// Where a chroot does not see it, it is not attached.
	if err := g.gate.Listen(g.box.Path("milter.sock")); err != nil {
		t.Fatal(err)
	}
	run(75, "chroot", "attach", "--yes")
	folder := g.box.Path("pf/queue/tollgate")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := g.gate.Listen(folder + "/milter.sock"); err != nil {
		t.Fatal(err)
	}
	// Nor while it does not run.
	run(75, "start it first", "attach", "--yes")
	if err := g.gate.Start(); err != nil {
		t.Fatal(err)
	}
	// Nor where Postfix may not go.
	run(75, folder+" (chgrp postfix", "attach", "--yes")
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder+"/milter.sock", 0o666); err != nil {
		t.Fatal(err)
	}
	run(0, "smtpd_milters", "attach", "--dry-run")
	run(1, "nothing was changed", "attach") // nobody answers
	if mainCf() != former {
		t.Fatalf("changed without a yes: %s", mainCf())
	}
	mail()
	run(0, "no Postfix has connected", "status")

	run(0, "Postfix was reloaded", "attach", "--yes")
	// None has connected yet: it may have been forgotten to reload it.
	run(0, "this one would be reloaded", "attach", "--dry-run")
	run(1, "it was not reloaded", "attach") // nobody answers
	run(0, "this one was reloaded", "attach", "--yes")
	for deadline := time.Now().Add(harness.Patience); judged() == 0; {
		// Processes from before the reload end one by one.
		if time.Now().After(deadline) {
			t.Fatal("mail is not judged")
		}
		mail()
	}
	run(0, "1 message received whole", "status")
	if said := run(0, "nothing to change", "attach", "--yes"); strings.Contains(said, "reloaded") {
		t.Error(said)
	}

	run(0, "Postfix was reloaded", "detach", "--yes")
	run(0, "nothing to change", "detach", "--yes")
	if a, b := strings.Fields(mainCf()), strings.Fields(former); strings.Join(a, " ") != strings.Join(b, " ") {
		t.Errorf("was\n%s\nis\n%s", former, mainCf())
	}
}
