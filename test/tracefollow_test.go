package test

import (
	"bufio"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// The trace followed live shows one recipient's messages and no other's, and leaves
// neither the trace on nor a line in its journal when it ends.
func TestTraceFollow(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", "[recipients]\nmode = \"domains\"\ndomains = [\"example.org\"]\n[[rule]]\nname = \"seen\"\nstage = \"rcptto\"\nmatch = { sender = '@far\\.test$' }\nweight = 1\n")
	g.start(t)
	c := exec.CommandContext(t.Context(), binary, "trace", "follow", "--protocol", "--rules", "--recipient", "ivan@example.org", "--policy", g.gate.Policy)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	g.until(t, "trace follow", "journal", "looks") // it is written down before anything is shown
	for _, to := range []string{"olga@example.org", "ivan@example.org", "olga@example.org"} {
		if r, err := g.transaction("192.0.2.7", "anna@far.test", to); err != nil || !r.OK() {
			t.Fatal(r, err)
		}
	}
	lines := bufio.NewScanner(out)
	var all []string
	for lines.Scan() {
		all = append(all, lines.Text())
		if strings.Contains(lines.Text(), "seen") {
			break
		}
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		all = append(all, lines.Text())
	}
	if err := c.Wait(); err != nil {
		t.Errorf("following ended with %v", err)
	}
	text := strings.Join(all, "\n")
	if !strings.Contains(text, "seen") || strings.Contains(text, "olga") {
		t.Errorf("it showed\n%s", text)
	}
	if s := g.must(t, "status"); !strings.Contains(s, "trace is off") {
		t.Errorf("after following\n%s", s)
	}
	if found := g.journal(t, "trace"); len(found) > 0 {
		t.Errorf("the trace journal has %d lines", len(found))
	}
}
