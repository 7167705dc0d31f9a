package test

import (
	"errors"
	"fmt"
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
