package test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/test/harness"
	"github.com/tollgate-mail/tollgate/test/script"
)

const (
	faultConnections = 6
	faultMessages    = 60_000 // at most: mail goes on until the faults are over
)

// mounted mounts a small disk in a folder; it skips the test where that is not
// allowed, but for CI.
func mounted(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64m", "tollgate-faults", dir).CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no small disk: %v: %s", err, out)
		}
		t.Skipf("no small disk: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return dir
}

// full fills a disk to its last octet and returns what empties it.
func full(dir string) (func() error, error) {
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		return nil, err
	}
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return nil, errors.Join(err, f.Close())
		}
	}
	return func() error { return errors.Join(f.Close(), os.Remove(f.Name())) }, nil
}

// crowd opens milter connections that say nothing more than their negotiation.
func (g *gateway) crowd(n int) func() error {
	var all []net.Conn
	for range n {
		c, err := g.gate.DialMilter()
		if err != nil {
			break // the queue of the socket is full, too
		}
		_, _ = c.Write([]byte("\x00\x00\x00\x0dO\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff")) // it may be closed
		all = append(all, c)
	}
	return func() error {
		for _, c := range all {
			_ = c.Close()
		}
		return nil
	}
}

// TestFaults: descriptors run out, disks are full under spool, journal and stash, 1,500
// connections are there at once, the policy is loaded again and again, all under load.
// Nothing is refused for good, nothing lost, and everything that Postfix queued is
// charged once.
func TestFaults(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	state := mounted(t, g.gate.State)
	spool := mounted(t, filepath.Join(g.gate.State, "spool"))
	journal := mounted(t, g.box.Path("journal"))
	g.write(t, "policy/policy.toml", crashPolicy+`
[[rule]]
name         = "programs"
stage        = "complete"
match        = { attachment_name = '\.exe$' }
on_temperror = "tempfail"
action       = "reject"
`)
	g.start(t)

	var sent atomic.Int64
	var senders sync.WaitGroup
	over, ended := make(chan struct{}), make(chan struct{})
	for n := range faultConnections {
		senders.Go(func() {
			c := crasher{g: g, n: n, accepted: &sent, patience: time.Hour, over: over}
			if err := c.send(faultMessages / faultConnections); err != nil {
				t.Errorf("connection %d: %v", n, err)
			}
			for _, a := range c.attempts {
				if strings.HasPrefix(a.reply, "5") {
					t.Errorf("%s was refused for good: %s", a.id, a.reply)
				}
			}
		})
	}
	go func() { senders.Wait(); close(ended) }()
	// What happens, happens at a number of messages, not at a time.
	reached := func(n int64) {
		for sent.Load() < n && !t.Failed() {
			select {
			case <-ended:
				t.Errorf("all %d messages were sent before the faults were over", sent.Load())
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	deferred := func(what string, size int) {
		t.Helper()
		r, err := g.weighing(size)
		if err != nil || r.Code/100 != 4 {
			t.Errorf("%s: a message is answered %v, %v; it should be deferred", what, r, err)
		}
	}
	fault := func(what string, begin func() (func() error, error), meanwhile func()) {
		t.Helper()
		end, err := begin()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		meanwhile()
		if err := end(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		t.Logf("%4d messages: %s", sent.Load(), what)
		reached(sent.Load() + 20) // mail goes on
	}
	nothing := func() {}

	reached(50)
	fault("spool full", func() (func() error, error) { return full(spool) }, func() { deferred("spool full", 100) })
	fault("journal full", func() (func() error, error) { return full(journal) }, nothing)
	fault("stash full", func() (func() error, error) { return full(state) }, func() { deferred("stash full", 4<<20) })
	fault("1,500 connections", func() (func() error, error) { return g.crowd(1500), nil }, func() { reached(sent.Load() + 20) })
	fault("no descriptors", func() (func() error, error) {
		pid := g.gate.Process().PID()
		var was unix.Rlimit
		err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &was)
		if err == nil {
			err = unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: was.Max}, nil)
		}
		if err != nil {
			return nil, err
		}
		leave := g.crowd(300)
		return func() error {
			return errors.Join(leave(), unix.Prlimit(pid, unix.RLIMIT_NOFILE, &was, nil))
		}, nil
	}, nothing)
	fault("reloads", func() (func() error, error) {
		for range 50 {
			if err := g.gate.Process().Signal(syscall.SIGHUP); err != nil {
				return nil, err
			}
			time.Sleep(time.Millisecond) // so that they are not all one
		}
		return func() error { return nil }, nil
	}, nothing)
	close(over)
	<-ended

	if g.gate.Process().Ended() {
		t.Fatal("the daemon has ended")
	}
	if err := g.postfix.Idle(harness.Patience); err != nil {
		t.Fatal(err)
	}
	g.until(t, `"waiting": 0`, "status", "--json")
	g.stopDrained(t)
	charged := map[string]int{}
	for _, r := range g.records(t) {
		switch r.Kind {
		case accounting.Usage:
			charged[r.MessageID]++
		case accounting.Void:
			charged[r.MessageID]--
		}
	}
	for _, d := range g.sink.Messages() {
		id := strings.TrimSpace(script.ReadMessage(d.Data).All("Message-ID")[0])
		if charged[id] != 2 {
			t.Errorf("%s is charged %d times to two recipients", id, charged[id])
		}
	}
	if n := int64(len(g.sink.Messages())); n < sent.Load() {
		t.Errorf("%d messages were accepted, %d have arrived", sent.Load(), n)
	}
}

// weighing sends one message of that size.
func (g *gateway) weighing(size int) (harness.Reply, error) {
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		return harness.Reply{}, err
	}
	defer c.Close()
	err = errors.Join(expect(220)(c.Reply()), expect(220)(c.XClient("ADDR=192.0.2.7")), expect(250)(c.Cmd("EHLO crash.test")),
		expect(250)(c.Cmd("MAIL FROM:<a@crash.test>")), expect(250)(c.Cmd("RCPT TO:<two@example.org>")))
	if err != nil {
		return harness.Reply{}, err
	}
	line := strings.Repeat("some text ", 7) + "\r\n"
	return c.Data([]byte(fmt.Sprintf("Subject: weighing\r\nMessage-ID: <w%d@crash.test>\r\n\r\n", size) + strings.Repeat(line, max(size/len(line), 1))))
}
