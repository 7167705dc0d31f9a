package test

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

const (
	crashMessages    = 5000
	crashConnections = 20
	crashKills       = 3
)

const crashPolicy = `
[[client]]
id        = "one"
addresses = ["one@example.org"]

[[client]]
id        = "two"
addresses = ["two@example.org"]

[accounting]
share = "split"

[[rule]]
name   = "weigh"
stage  = "headers"
match  = { subject = "crash" }
weight = 1
`

// attempt is one message that was sent to its end, and what was heard of it.
type attempt struct {
	id    string // its Message-ID
	reply string
	at    time.Time
}

// Redis goes away for a while, tollgate is killed again and again, and 20
// clients go on sending: every message that Postfix queued has its records
// exactly once.
func TestCrash(t *testing.T) {
	t.Parallel()
	g := prepare(t, true)
	g.write(t, "policy/policy.toml", crashPolicy)
	g.start(t)

	var (
		sent     atomic.Int64 // messages that were accepted
		mu       sync.Mutex
		attempts []attempt
		kills    []time.Time
	)
	begin := time.Now()
	var senders sync.WaitGroup
	for n := range crashConnections {
		senders.Go(func() {
			c := crasher{g: g, n: n, accepted: &sent}
			err := c.send(crashMessages / crashConnections)
			if err != nil {
				t.Errorf("connection %d: %v", n, err)
			}
			mu.Lock()
			defer mu.Unlock()
			attempts = append(attempts, c.attempts...)
		})
	}
	// What happens, happens at a number of messages, not at a time.
	reached := func(share float64) {
		for float64(sent.Load()) < share*crashMessages && !t.Failed() {
			time.Sleep(5 * time.Millisecond)
		}
	}
	step := func(share float64, what string, f func() error) {
		reached(share)
		if err := f(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		t.Logf("%6.2f s, %4d messages: %s", time.Since(begin).Seconds(), sent.Load(), what)
	}
	kill := func() error {
		kills = append(kills, time.Now())
		if err := g.gate.Process().Kill(); err != nil {
			return err
		}
		return g.gate.Start()
	}
	step(0.10, "tollgate killed and started", kill)
	step(0.25, "Redis stopped", g.redis.Stop)
	step(0.40, "tollgate killed and started while Redis is away", kill)
	step(0.60, "Redis started", g.redis.Start)
	step(0.80, "tollgate killed and started", kill)
	senders.Wait()
	if len(kills) != crashKills {
		t.Errorf("killed %d times", len(kills))
	}
	t.Logf("%6.2f s: all sent, %d attempts", time.Since(begin).Seconds(), len(attempts))

	if err := g.postfix.Idle(time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := g.drained(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Error(err)
	}
	g.judgeCrash(t, crashMessages, attempts, kills)
	t.Logf("%6.2f s: compared", time.Since(begin).Seconds())
}

// crasher is one client that sends until its messages are accepted.
type crasher struct {
	g        *gateway
	n        int
	accepted interface{ Add(n int64) int64 }
	attempts []attempt
	client   *harness.Client
	patience time.Duration   // default harness.Patience
	session  int             // messages of one SMTP session; 0: all
	over     <-chan struct{} // closed: no message more is begun; nil: all are sent
}

func (c *crasher) send(messages int) error {
	defer func() {
		if c.client != nil {
			c.client.Close()
		}
	}()
	deadline := time.Now().Add(cmp.Or(c.patience, harness.Patience))
	for i := range messages {
		select {
		case <-c.over:
			return nil
		default:
		}
		for try := 0; ; try++ {
			if time.Now().After(deadline) {
				return errors.New("not done in time")
			}
			ok, err := c.once(fmt.Sprintf("<%d.%d.%d@crash.test>", c.n, i, try))
			if err == nil && ok {
				break
			}
			// While tollgate is away Postfix defers, and this session is
			// deferred to its end: begin another.
			if c.client != nil {
				c.client.Close()
				c.client = nil
			}
			time.Sleep(20 * time.Millisecond)
		}
		c.accepted.Add(1)
		if c.session > 0 && (i+1)%c.session == 0 {
			c.client.Close()
			c.client = nil
		}
	}
	return nil
}

// once sends one message and tells whether it was accepted. A new Message-ID
// for each attempt tells them apart.
func (c *crasher) once(id string) (bool, error) {
	if c.client == nil {
		client, err := harness.Dial(c.g.postfix.Addr)
		if err != nil {
			return false, err
		}
		c.client = client
		if err := expect(220)(client.Reply()); err != nil {
			return false, err
		}
		if err := expect(220)(client.XClient("ADDR=192.0.2.7")); err != nil {
			return false, err
		}
		if err := expect(250)(client.Cmd("EHLO crash.test")); err != nil {
			return false, err
		}
	}
	for _, line := range []string{"MAIL FROM:<a@crash.test>", "RCPT TO:<two@example.org>", "RCPT TO:<one@example.org>"} {
		if err := expect(250)(c.client.Cmd(line)); err != nil {
			return false, err
		}
	}
	r, err := c.client.Data([]byte("Subject: crash\r\nMessage-ID: " + id + "\r\n\r\nsome text, so that it weighs something\r\n"))
	if r.Code != 354 { // then the message itself was sent
		c.attempts = append(c.attempts, attempt{id, r.String(), time.Now()})
	}
	return err == nil && r.Code == 250, err
}
