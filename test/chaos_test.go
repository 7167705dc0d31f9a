package test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/test/harness"
	"github.com/tollgate-mail/tollgate/test/script"
)

var (
	chaosMessages = flag.Int("chaos.messages", 600, "messages through Postfix in TestChaos; test/README.md has the long run")
	chaosSeed     = flag.Uint64("chaos.seed", 1, "what happens when in TestChaos")
)

const chaosConnections = 20

// incidents are what happens to a gateway.
func (g *gateway) incidents(t *testing.T, spool string) map[string]func() error {
	restart := func() error {
		if err := g.gate.Process().Kill(); err != nil {
			return err
		}
		return g.gate.Start()
	}
	restartRedis := func() error {
		if err := g.redis.Kill(); err != nil {
			return err
		}
		return g.redis.Start()
	}
	list := map[string]func() error{
		"tollgate killed": restart,
		"Redis killed":    restartRedis,
		"both killed":     func() error { return errors.Join(g.redis.Kill(), restart(), g.redis.Start()) },
		"Redis slow": func() error {
			// It answers in between: what is slow is not away.
			var errs []error
			for range 8 {
				errs = append(errs, g.redis.Signal(syscall.SIGSTOP))
				time.Sleep(100 * time.Millisecond)
				errs = append(errs, g.redis.Signal(syscall.SIGCONT))
				time.Sleep(10 * time.Millisecond)
			}
			return errors.Join(errs...)
		},
	}
	if spool == "" {
		return list
	}
	list["disk full"] = func() error {
		filler := filepath.Join(spool, "filler")
		f, err := os.Create(filler)
		if err != nil {
			return err
		}
		zeros := make([]byte, 1<<20)
		for err == nil {
			_, err = f.Write(zeros)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return errors.Join(err, f.Close())
		}
		time.Sleep(300 * time.Millisecond) // mail is deferred meanwhile
		return errors.Join(f.Close(), os.Remove(filler))
	}
	return list
}

// small mounts a small disk under the spool; "" where that is not allowed.
func (g *gateway) small(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(g.gate.State, "spool")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=96m", "tollgate-chaos", dir).CombinedOutput(); err != nil {
		t.Logf("without a full disk: %v: %s", err, out)
		return ""
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return dir
}

// Mail goes on while tollgate and Redis are killed again and again, Redis is slow
// and the disk under the spool is full. In the end every message that Postfix has
// queued is charged once, and what was charged beyond that is voided by the
// followed log.
func TestChaos(t *testing.T) {
	t.Parallel()
	g := prepare(t, true)
	log := g.box.Path("postfix.log")
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	g.write(t, "policy/policy.toml", strings.Replace(crashPolicy, "share = \"split\"", fmt.Sprintf("share = \"split\"\nfollow_maillog = %q", log), 1))
	spool := g.small(t)
	g.start(t)

	random := rand.New(rand.NewPCG(*chaosSeed, 3))
	what := g.incidents(t, spool)
	names := slices.Sorted(maps.Keys(what))
	plan := slices.Clone(names)
	for range *chaosMessages / 1000 {
		plan = append(plan, names[random.IntN(len(names))])
	}
	random.Shuffle(len(plan), func(i, k int) { plan[i], plan[k] = plan[k], plan[i] })

	var sent atomic.Int64
	var senders sync.WaitGroup
	for n := range chaosConnections {
		senders.Go(func() {
			c := crasher{g: g, n: n, accepted: &sent, patience: time.Hour}
			if err := c.send(*chaosMessages / chaosConnections); err != nil {
				t.Errorf("connection %d: %v", n, err)
			}
		})
	}
	begin := time.Now()
	for i, name := range plan {
		at := int64(*chaosMessages) * int64(i+1) / int64(len(plan)+1)
		for sent.Load() < at && !t.Failed() {
			time.Sleep(5 * time.Millisecond)
		}
		if err := what[name](); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%6.2f s, %5d messages: %s", time.Since(begin).Seconds(), sent.Load(), name)
	}
	senders.Wait()
	if err := g.postfix.Idle(harness.Patience); err != nil {
		t.Fatal(err)
	}
	if err := g.drained(t.Context(), harness.Patience); err != nil {
		t.Fatal(err)
	}
	g.until(t, `"waiting": 0`, "status", "--json")
	g.stopDrained(t)
	g.judgeChaos(t, *chaosMessages)
	t.Logf("%6.2f s: compared", time.Since(begin).Seconds())
}

// judgeChaos compares what Postfix queued, all of which it has delivered, with
// the account.
func (g *gateway) judgeChaos(t *testing.T, sent int) {
	t.Helper()
	queued := map[string]bool{}
	for _, d := range g.sink.Messages() {
		queued[strings.TrimSpace(script.ReadMessage(d.Data).All("Message-ID")[0])] = true
	}
	records := g.records(t)
	type sums struct{ usage, voids, charged, size int64 }
	by, ids := map[string]*sums{}, map[string]bool{}
	for _, r := range records {
		if ids[r.ID] {
			t.Errorf("the store has %s twice", r.ID)
		}
		ids[r.ID] = true
		s := by[r.MessageID]
		if s == nil {
			s = &sums{}
			by[r.MessageID] = s
		}
		s.size = r.Size
		_, _, charged := r.Delta()
		s.charged += charged
		if r.Kind == accounting.Void {
			s.voids++
		} else {
			s.usage++
		}
	}
	over := 0
	for id := range queued {
		if s := by[id]; s == nil || s.usage != 2 || s.voids != 0 || s.charged != s.size {
			t.Errorf("queued %s: %+v", id, s)
		}
	}
	for id, s := range by {
		if queued[id] {
			continue
		}
		over++
		if s.usage != s.voids || s.charged != 0 {
			t.Errorf("%s was not queued: %+v", id, s)
		}
	}
	t.Logf("%d messages queued, %d records, %d over-counts, all voided by the followed log", len(queued), len(records), over)
	if len(queued) < sent {
		t.Errorf("%d messages were queued, %d sent", len(queued), sent)
	}
	g.compareCounters(t, records)
}
