package test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// Reloads under traffic drop no connection and defer no message.
func TestReloadUnderTraffic(t *testing.T) {
	t.Parallel()
	const connections, messages = 4, 100
	g := prepare(t, false)
	policy := func(n int) {
		g.write(t, "policy/policy.toml", fmt.Sprintf(
			"[[client]]\nid = \"a\"\naddresses = [\"a@example.org\"]\n\n[[rule]]\nname = \"r%d\"\nstage = \"connect\"\nmatch = { client_ip = \"192.0.2.0/24\" }\nweight = %d\n", n, n))
	}
	policy(0)
	g.start(t)
	var senders sync.WaitGroup
	done := make(chan struct{})
	for range connections {
		senders.Go(func() {
			if err := g.sendMany(messages); err != nil {
				t.Error(err)
			}
		})
	}
	go func() { senders.Wait(); close(done) }()
	reloads := 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			reloads++
			policy(reloads)
			out, err := g.gate.Command(t.Context(), "reload")
			if err != nil || out.Exit != 0 {
				t.Fatalf("reload: %v %+v", err, out)
			}
		}
	}
	t.Logf("%d reloads during %d messages", reloads, connections*messages)
	if err := g.postfix.Idle(time.Minute); err != nil {
		t.Error(err)
	}
	if got := len(g.sink.Messages()); got != connections*messages {
		t.Errorf("%d messages were delivered", got)
	}
	if err := g.drained(t.Context(), harness.Patience); err != nil {
		t.Error(err)
	}
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Error(err)
	}
	if got := len(g.records(t)); got != connections*messages {
		t.Errorf("%d records", got)
	}
}

// sendMany sends messages in one session, each of which must be accepted.
func (g *gateway) sendMany(n int) error {
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	err = errors.Join(
		expect(220)(c.Reply()),
		expect(220)(c.XClient("ADDR=192.0.2.7")),
		expect(250)(c.Cmd("EHLO mail.example.com")))
	for i := 0; i < n && err == nil; i++ {
		err = errors.Join(
			expect(250)(c.Cmd("MAIL FROM:<b@example.com>")),
			expect(250)(c.Cmd("RCPT TO:<a@example.org>")),
			expect(250)(c.Data([]byte("Subject: one of many\r\n\r\ntext\r\n"))))
	}
	return errors.Join(err, expect(221)(c.Cmd("QUIT")))
}

// Who has written another state_dir into the policy still reaches the daemon, which says
// that it needs a restart, and applies the rest.
func TestReloadOfAnotherStateDir(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", "[recipients]\nmode = \"domains\"\ndomains = [\"example.org\"]\n")
	if err := g.gate.Start(); err != nil {
		t.Fatal(err)
	}
	policy, err := os.ReadFile(g.gate.Policy)
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.Replace(string(policy), `/state"`, `/elsewhere"`, 1)
	if err := os.WriteFile(g.gate.Policy, []byte(moved), 0o644); err != nil {
		t.Fatal(err)
	}
	g.write(t, "policy/policy.toml", "[[rule]]\nname = \"new\"\nstage = \"mailfrom\"\nmatch.sender = '.'\naction = \"reject\"\n")
	for command, want := range map[string]string{"reload": "needs a restart to take effect: state_dir", "status": "another state_dir needs a restart"} {
		out, err := g.gate.Command(t.Context(), command)
		if err != nil || out.Exit != 0 || !strings.Contains(out.Stderr, want) {
			t.Errorf("%s: %v %+v", command, err, out)
		}
	}
	out, err := g.gate.Command(t.Context(), "status")
	if err != nil || !strings.Contains(out.Stdout, "1 rule") {
		t.Errorf("the rest is not in force: %v %+v", err, out)
	}
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Error(err)
	}
	if out, err = g.gate.Command(t.Context(), "reload"); err != nil || out.Exit != 75 || !strings.Contains(out.Stderr, "no tollgate is running here") {
		t.Errorf("without a daemon: %v %+v", err, out)
	}
}
