package test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/test/harness"
	"github.com/tollgate-mail/tollgate/test/script"
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
	if err := g.gate.Stop(20 * time.Second); err != nil {
		t.Error(err)
	}
	g.judgeCrash(t, attempts, kills)
	t.Logf("%6.2f s: compared", time.Since(begin).Seconds())
}

// crasher is one client that sends until its messages are accepted.
type crasher struct {
	g        *gateway
	n        int
	accepted *atomic.Int64
	attempts []attempt
	client   *harness.Client
}

func (c *crasher) send(messages int) error {
	defer func() {
		if c.client != nil {
			c.client.Close()
		}
	}()
	deadline := time.Now().Add(2 * time.Minute)
	for i := range messages {
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

// judgeCrash compares what Postfix queued, all of which it has delivered, with
// the account.
func (g *gateway) judgeCrash(t *testing.T, attempts []attempt, kills []time.Time) {
	t.Helper()
	queued := make(map[string]bool)
	for _, d := range g.sink.Messages() {
		id := strings.TrimSpace(script.ReadMessage(d.Data).All("Message-ID")[0])
		if queued[id] {
			t.Errorf("%s was delivered twice", id)
		}
		queued[id] = true
		if want := []string{"one@example.org", "two@example.org"}; !slices.Equal(slices.Sorted(slices.Values(d.To)), want) {
			t.Errorf("%s went to %q", id, d.To)
		}
	}
	records := g.records(t)
	byMessage := make(map[string][]accounting.Record)
	ids := make(map[string]bool)
	for _, r := range records {
		if ids[r.ID] {
			t.Errorf("the store has %s twice", r.ID)
		}
		ids[r.ID] = true
		if r.Kind == accounting.Usage {
			byMessage[r.MessageID] = append(byMessage[r.MessageID], r)
		}
	}
	for id := range queued {
		var to []string
		var charged, size int64
		for _, r := range byMessage[id] {
			to = append(to, r.Recipient)
			charged += r.Charged
			size = r.Size
		}
		slices.Sort(to)
		if !slices.Equal(to, []string{"one@example.org", "two@example.org"}) || charged != size || size == 0 {
			t.Errorf("queued %s has records for %q, charged %d of %d", id, to, charged, size)
		}
	}

	// What the account has beyond that: tollgate died between its sync and its
	// reply, so that Postfix heard nothing and its client was told to come
	// again. Each must be such a one.
	heard := make(map[string]attempt)
	for _, a := range attempts {
		heard[a.id] = a
	}
	extra := 0
	for id, rs := range byMessage {
		if queued[id] {
			continue
		}
		extra++
		a, known := heard[id]
		near := slices.ContainsFunc(kills, func(k time.Time) bool {
			return rs[0].Time.After(k.Add(-2*time.Second)) && rs[0].Time.Before(k.Add(time.Second))
		})
		if !known || strings.HasPrefix(a.reply, "250") || !near {
			t.Errorf("%s has %d records and was not queued: %+v", id, len(rs), a)
			continue
		}
		t.Logf("explained: %s has %d records from %v, was not queued: the reply was lost with the kill; the client heard %q and sent it again",
			id, len(rs), rs[0].Time.Format(time.TimeOnly), a.reply)
	}
	t.Logf("%d messages queued, %d records in the store, %d messages with records that were not queued", len(queued), len(records), extra)
	if len(queued) < crashMessages {
		t.Errorf("%d messages were queued, %d accepted", len(queued), crashMessages)
	}
	g.compareCounters(t, records)
}

// compareCounters adds the records up and compares the store's own sums.
func (g *gateway) compareCounters(t *testing.T, records []accounting.Record) {
	t.Helper()
	type key struct{ client, period string }
	sums := make(map[key]accounting.Counter)
	for _, r := range records {
		k := key{r.Client, r.Time.UTC().Format("2006-01")}
		c := sums[k]
		sign := int64(1)
		if r.Kind == accounting.Void {
			sign = -1
		}
		c.Deliveries += sign
		c.Size += sign * r.Size
		c.Charged += sign * r.Charged
		sums[k] = c
	}
	store := g.openStore(t)
	defer store.Close()
	for k, want := range sums {
		counters, err := store.Counters(t.Context(), k.period)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(counters, func(c accounting.Counter) bool { return c.Client == k.client })
		if i < 0 {
			t.Errorf("no counter for %v", k)
			continue
		}
		got := counters[i]
		if got.Deliveries != want.Deliveries || got.Size != want.Size || got.Charged != want.Charged {
			t.Errorf("%v: counter %d deliveries, %d bytes, %d charged; the records sum to %d, %d, %d", k,
				got.Deliveries, got.Size, got.Charged, want.Deliveries, want.Size, want.Charged)
		}
	}
}
