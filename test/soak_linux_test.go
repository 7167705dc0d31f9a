package test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tollgate-mail/tollgate/test/harness"
)

var soak = flag.Duration("soak", 0, "how long TestSoak goes on; 0: each fault once")

const (
	soakConnections = 8
	// A trend needs so many rounds of all faults.
	soakRounds = 6
	// Of what is read of the daemon: what a round may differ from another by.
	soakGoroutines = 24
	soakMiB        = 24
	mostSoakMiB    = 128
)

// soaked is what is read of a daemon between two faults.
type soaked struct {
	goroutines, mib int
}

var goroutinesLine = regexp.MustCompile(`(?m)^go_goroutines (\d+)$`)

// look reads it.
func (g *gateway) look(metrics string) (s soaked, err error) {
	r, err := http.Get("http://" + metrics + "/metrics")
	if err != nil {
		return s, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return s, err
	}
	found := goroutinesLine.FindSubmatch(text)
	if found == nil {
		return s, errors.New("no go_goroutines among the metrics")
	}
	if s.goroutines, err = strconv.Atoi(string(found[1])); err != nil {
		return s, err
	}
	resident, err := g.gate.Resident()
	s.mib = int(resident >> 20)
	return s, err
}

// fault is what happens to a gateway and is over again.
type fault struct {
	name string
	do   func() error
}

// soakFaults are those of a round. None ends the daemon: its memory is watched.
func (g *gateway) soakFaults(t *testing.T, spool string) []fault {
	moment := func() { time.Sleep(300 * time.Millisecond) } // mail is deferred, or waits
	between := func(begin func() (func() error, error)) func() error {
		return func() error {
			end, err := begin()
			if err != nil {
				return err
			}
			moment()
			return end()
		}
	}
	signal := func(s syscall.Signal) error { return g.gate.Process().Signal(s) }
	incidents := g.incidents(t, "")
	reloads := 0
	return []fault{
		{"reloads", func() error {
			for range 10 {
				reloads++
				text, err := os.ReadFile(g.box.Path("policy", "policy.toml"))
				if err != nil {
					return err
				}
				changed := regexp.MustCompile(`weight = \d+`).ReplaceAll(text, fmt.Appendf(nil, "weight = %d", 1+reloads%3))
				if err := errors.Join(os.WriteFile(g.box.Path("policy", "policy.toml"), changed, 0o644), signal(syscall.SIGHUP)); err != nil {
					return err
				}
				time.Sleep(20 * time.Millisecond) // so that they are not all one
			}
			return nil
		}},
		{"spool full", between(func() (func() error, error) { return full(spool) })},
		{"1,500 connections", between(func() (func() error, error) { return g.crowd(1500), nil })},
		{"no descriptors", between(func() (func() error, error) {
			pid := g.gate.Process().PID()
			var was unix.Rlimit
			if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &was); err != nil {
				return nil, err
			}
			if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: was.Max}, nil); err != nil {
				return nil, err
			}
			leave := g.crowd(300)
			return func() error { return errors.Join(leave(), unix.Prlimit(pid, unix.RLIMIT_NOFILE, &was, nil)) }, nil
		})},
		{"stopped", between(func() (func() error, error) {
			return func() error { return signal(syscall.SIGCONT) }, signal(syscall.SIGSTOP)
		})},
		{"Redis killed", incidents["Redis killed"]},
		{"Redis slow", incidents["Redis slow"]},
	}
}

// TestSoak: mail comes as fast as it is taken while one fault follows another and the
// policy is loaded again and again. The daemon lives; its memory and goroutines are at
// the end what they were; what Postfix queued is charged once, and nothing else.
func TestSoak(t *testing.T) {
	t.Parallel()
	g := prepare(t, true)
	spool := mounted(t, g.box.Path("state", "spool"))
	log := g.box.Path("postfix.log")
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	port, err := g.box.Port()
	if err != nil {
		t.Fatal(err)
	}
	metrics := harness.Loopback(port)
	policy := strings.Replace(crashPolicy, `share = "split"`, fmt.Sprintf("share = \"split\"\nfollow_maillog = %q", log), 1)
	g.write(t, "policy/policy.toml", fmt.Sprintf("[metrics]\nlisten = %q\n", metrics)+policy)
	g.start(t)

	var sent atomic.Int64
	var senders sync.WaitGroup
	over := make(chan struct{})
	for n := range soakConnections {
		senders.Go(func() {
			c := crasher{g: g, n: n, accepted: &sent, patience: 2**soak + time.Hour, over: over}
			if err := c.send(1 << 30); err != nil {
				t.Errorf("connection %d: %v", n, err)
			}
			for _, a := range c.attempts {
				if strings.HasPrefix(a.reply, "5") {
					t.Errorf("%s was refused for good: %s", a.id, a.reply)
				}
			}
		})
	}
	begin := time.Now()
	var rounds [][]soaked
	faults := g.soakFaults(t, spool)
	for round := 0; !t.Failed() && (round == 0 || time.Since(begin) < *soak); round++ {
		var seen []soaked
		for _, f := range faults {
			if err := f.do(); err != nil {
				t.Errorf("%s: %v", f.name, err)
				break
			}
			for from := sent.Load(); sent.Load() < from+50 && !t.Failed(); { // mail goes on
				time.Sleep(10 * time.Millisecond)
			}
			if g.gate.Process().Ended() {
				t.Errorf("%s: the daemon has ended", f.name)
				break
			}
			if one, err := g.look(metrics); err == nil {
				seen = append(seen, one)
			} else {
				t.Errorf("%s: %v", f.name, err)
			}
		}
		rounds = append(rounds, seen)
		if len(seen) > 0 {
			t.Logf("%7.1f s, %7d messages: %d MiB, %d goroutines", time.Since(begin).Seconds(), sent.Load(), middle(seen).mib, middle(seen).goroutines)
		}
	}
	close(over)
	senders.Wait()
	if t.Failed() {
		return
	}
	flat(t, rounds)
	if err := g.postfix.Idle(harness.Patience); err != nil {
		t.Fatal(err)
	}
	g.until(t, `"waiting": 0`, "status", "--json")
	g.stopDrained(t)
	g.judgeChaos(t, int(sent.Load()))
}

// middle is the median of each figure.
func middle(seen []soaked) (m soaked) {
	of := func(figure func(soaked) int) int {
		var all []int
		for _, s := range seen {
			all = append(all, figure(s))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return soaked{of(func(s soaked) int { return s.goroutines }), of(func(s soaked) int { return s.mib })}
}

// flat compares the last third of the rounds with the first but one: in the first one
// caches fill, and stacks grow.
func flat(t *testing.T, rounds [][]soaked) {
	t.Helper()
	if last := middle(rounds[len(rounds)-1]); last.mib > mostSoakMiB {
		t.Errorf("%d MiB", last.mib)
	}
	if len(rounds) < soakRounds {
		return
	}
	third := len(rounds) / 3
	before, after := middle(slices.Concat(rounds[1:1+third]...)), middle(slices.Concat(rounds[len(rounds)-third:]...))
	t.Logf("%d MiB and %d goroutines in the first rounds, %d and %d in the last", before.mib, before.goroutines, after.mib, after.goroutines)
	if after.mib > before.mib+soakMiB {
		t.Errorf("memory grows: %d MiB, then %d", before.mib, after.mib)
	}
	if after.goroutines > before.goroutines+soakGoroutines {
		t.Errorf("goroutines leak: %d, then %d", before.goroutines, after.goroutines)
	}
}
