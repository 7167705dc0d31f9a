package test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

const (
	takeoverMessages    = 800
	takeoverConnections = 8
)

// load is clients that go on sending.
type load struct {
	sent     tide // messages that were accepted
	senders  sync.WaitGroup
	over     chan struct{} // closed when all is sent
	mu       sync.Mutex
	attempts []attempt
	kills    []time.Time
}

// tide is a number that rises, and is waited for.
type tide struct {
	mu    sync.Mutex
	n     int64
	moved chan struct{} // closed when it rises; nil: nobody waits
}

func (c *tide) Add(n int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
	if c.moved != nil {
		close(c.moved)
		c.moved = nil
	}
	return c.n
}

func (c *tide) Load() int64 { return c.Add(0) }

// reach waits until it is n, or over is closed.
func (c *tide) reach(n int64, over <-chan struct{}) {
	for {
		c.mu.Lock()
		if c.n >= n {
			c.mu.Unlock()
			return
		}
		if c.moved == nil {
			c.moved = make(chan struct{})
		}
		moved := c.moved
		c.mu.Unlock()
		select {
		case <-moved:
		case <-over:
			return
		}
	}
}

func (g *gateway) load(t *testing.T, connections, messages int) *load {
	l := &load{over: make(chan struct{})}
	defer func() { go func() { l.senders.Wait(); close(l.over) }() }()
	for n := range connections {
		l.senders.Go(func() {
			c := crasher{g: g, n: n, accepted: &l.sent, patience: 3 * time.Minute}
			if n%2 == 1 {
				c.session = 20 // others last as long as the test
			}
			if err := c.send(messages / connections); err != nil {
				t.Errorf("connection %d: %v", n, err)
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			l.attempts = append(l.attempts, c.attempts...)
		})
	}
	return l
}

// reached waits until so many messages were accepted.
func (l *load) reached(t *testing.T, n int) {
	t.Helper()
	l.sent.reach(int64(n), l.over)
	if got := l.sent.Load(); got < int64(n) {
		t.Fatalf("%d messages were accepted of %d", got, n)
	}
}

// judge compares the account with what Postfix has delivered, when all is sent.
func (g *gateway) judge(t *testing.T, l *load) {
	t.Helper()
	if err := g.postfix.Idle(time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := g.drained(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if out := g.says(t, "applied once, 0 parked, 0 given up, 0 missing, 0 doubled", "audit"); out.Exit != 0 {
		t.Error(out)
	}
	if out, err := g.gate.Command(t.Context(), "report", "--verify"); err != nil || out.Exit != 0 {
		t.Error(out, err)
	}
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Error(err)
	}
	g.judgeCrash(t, int(l.sent.Load()), l.attempts, l.kills)
}

// A gateway passes from process to process while SMTP sessions go on: no message is
// deferred, and each has its records once.
func TestTakeoverUnderLoad(t *testing.T) {
	t.Parallel()
	for _, store := range []struct {
		name  string
		redis bool
	}{{"embedded", false}, {"redis", true}} {
		t.Run(store.name, func(t *testing.T) {
			t.Parallel()
			g := prepare(t, store.redis)
			g.write(t, "policy/policy.toml", crashPolicy)
			g.start(t)
			l := g.load(t, takeoverConnections, takeoverMessages)
			var before []*harness.Process
			for i := range 4 {
				l.reached(t, takeoverMessages*(i+1)/5)
				old, err := g.gate.TakeOver("")
				if err != nil {
					t.Fatal(err)
				}
				before = append(before, old)
			}
			l.senders.Wait()
			for _, p := range before {
				if err := p.Wait(harness.Patience); err != nil {
					t.Error(err)
				} else if code := p.ExitCode(); code != 0 {
					t.Errorf("one that was taken over from ended with exit code %d", code)
				}
			}
			for _, a := range l.attempts {
				if !strings.HasPrefix(a.reply, "250") {
					t.Errorf("%s was answered %q", a.id, a.reply)
				}
			}
			if len(l.attempts) != takeoverMessages {
				t.Errorf("%d messages in %d attempts", takeoverMessages, len(l.attempts))
			}
			g.judge(t, l)
			accepted := 0
			for _, e := range g.journal(t, "messages") {
				if e["verdict"] == "accept" {
					accepted++
				}
			}
			if accepted < takeoverMessages {
				t.Errorf("%d messages accepted are journalled, of %d", accepted, takeoverMessages)
			}
		})
	}
}

// Either side is killed at each step: mail goes on or is deferred, nothing is lost
// and nothing counted twice.
func TestTakeoverKilled(t *testing.T) {
	t.Parallel()
	dying, err := harness.BuildProgram(t.TempDir(), "dying", "./test/dying")
	if err != nil {
		t.Fatal(err)
	}
	const between = 40 // messages
	old := []string{"offered", "yielded", "committing", "left"}
	fresh := []string{"asked", "taken", "opened", "announced", "owned"}
	for _, redis := range []bool{false, true} {
		t.Run(fmt.Sprintf("redis=%v", redis), func(t *testing.T) {
			t.Parallel()
			g := prepare(t, redis)
			g.write(t, "policy/policy.toml", crashPolicy)
			g.start(t)
			l := g.load(t, takeoverConnections, between*(2+len(old)+len(fresh)))
			goal := between
			for _, step := range old {
				l.reached(t, goal)
				goal += between
				if _, err := g.gate.TakeOver(dying, "--die", step); err != nil {
					t.Fatalf("%s: %v", step, err)
				}
				l.kills = append(l.kills, time.Now())
				dead, err := g.gate.TakeOver("")
				if err != nil {
					t.Fatalf("%s: %v", step, err)
				}
				if err := dead.Wait(harness.Patience); err != nil || dead.ExitCode() != -1 {
					t.Errorf("%s: %v, exit code %d", step, err, dead.ExitCode())
				}
			}
			for _, step := range fresh {
				l.reached(t, goal)
				goal += between
				l.kills = append(l.kills, time.Now())
				_, err := g.gate.TakeOver(dying, "--die", step)
				if err == nil && step != "owned" {
					t.Errorf("%s: it was not killed", step)
				}
				g.serves(t, step)
			}
			l.senders.Wait()
			g.judge(t, l)
		})
	}
}

// serves waits until a daemon answers. Where the one that was to have the gateway was
// killed after the other had left, one is started, as a service manager does.
func (g *gateway) serves(t *testing.T, step string) {
	t.Helper()
	err := eventually(harness.Patience, func() error {
		out, err := g.gate.Command(t.Context(), "status")
		if err != nil || out.Exit == 0 || out.Exit == 1 {
			return err
		}
		if step != "announced" && step != "owned" {
			return fmt.Errorf("exit %d: %s", out.Exit, out.Stderr)
		}
		return g.gate.Start()
	})
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
}

// One that was taken over from is killed while its sessions go on: what it had
// accepted is in the account, its sessions are deferred, others are not.
func TestTakeoverKilledDraining(t *testing.T) {
	t.Parallel()
	g := prepare(t, true)
	g.write(t, "policy/policy.toml", crashPolicy)
	g.start(t)
	l := g.load(t, takeoverConnections, takeoverMessages)
	for i := range 3 {
		l.reached(t, takeoverMessages*(i+1)/5)
		old, err := g.gate.TakeOver("")
		if err != nil {
			t.Fatal(err)
		}
		l.reached(t, takeoverMessages*(i+1)/5+40) // some of them in sessions that it has
		l.kills = append(l.kills, time.Now())
		if err := old.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	l.senders.Wait()
	g.judge(t, l)
}

// logs waits until the log of its daemons has a text.
func (g *gateway) logs(t *testing.T, text string) {
	t.Helper()
	err := eventually(harness.Patience, func() error {
		log, err := os.ReadFile(g.box.Path("tollgate.log"))
		if err == nil && !strings.Contains(string(log), text) {
			err = fmt.Errorf("the log does not say %q", text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A session that is under way in the process before goes on as long as that may judge:
// it is ended between two messages where another policy is in force by now, and has its
// grace where somebody ends the process.
func TestTakeoverSessions(t *testing.T) {
	t.Parallel()
	refuses := crashPolicy + "\n[[rule]]\nname = \"gone\"\nstage = \"mailfrom\"\nmatch = { sender_domain = \"crash.test\" }\naction = \"reject\"\n"
	begin := func(t *testing.T) (g *gateway, one *crasher, message func() (bool, error)) {
		g = prepare(t, false)
		g.write(t, "policy/policy.toml", crashPolicy)
		g.start(t)
		one = &crasher{g: g}
		n := 0
		message = func() (bool, error) {
			n++
			return one.once(fmt.Sprintf("<%d@crash.test>", n))
		}
		if ok, err := message(); err != nil || !ok {
			t.Fatal(ok, err)
		}
		t.Cleanup(func() { one.client.Close() })
		return g, one, message
	}
	t.Run("the same policy", func(t *testing.T) {
		t.Parallel()
		g, one, message := begin(t)
		old, err := g.gate.TakeOver("")
		if err != nil {
			t.Fatal(err)
		}
		if err := old.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		g.logs(t, "asked to end")
		// As a service manager does that ends what is left.
		if err := old.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if ok, err := message(); err != nil || !ok {
			t.Errorf("in the time of grace: %v %v %+v", ok, err, one.attempts)
		}
		one.client.Close()
		if err := old.Wait(harness.Patience); err != nil || old.ExitCode() != 0 {
			t.Error(err, old.ExitCode())
		}
		if err := g.gate.Stop(harness.Patience); err != nil {
			t.Error(err)
		}
	})
	t.Run("another policy", func(t *testing.T) {
		t.Parallel()
		g, _, message := begin(t)
		g.write(t, "policy/policy.toml", refuses)
		old, err := g.gate.TakeOver("")
		if err != nil {
			t.Fatal(err)
		}
		// Until the process before has asked by what the other one judges.
		err = eventually(harness.Patience, func() error {
			if ok, err := message(); err == nil && ok {
				return errors.New("it still judges by the policy before")
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if err := old.Wait(harness.Patience); err != nil || old.ExitCode() != 0 {
			t.Error(err, old.ExitCode())
		}
		if r, err := g.transaction("192.0.2.7", "a@crash.test", "one@example.org"); err != nil || r.Code/100 != 5 {
			t.Errorf("a new session: %v %v", r, err)
		}
		if err := g.gate.Stop(harness.Patience); err != nil {
			t.Error(err)
		}
	})
}

// One that hangs is not taken over from, and one that was asked to end meanwhile does not
// take over when that wakes up.
func TestTakeoverFromOneThatHangs(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", crashPolicy)
	g.start(t)
	old := g.gate.Process()
	if err := old.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	next := exec.CommandContext(t.Context(), binary, "serve", "--takeover", "--policy", g.gate.Policy)
	said, err := next.StderrPipe()
	if err == nil {
		err = next.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() && !strings.Contains(lines.Text(), "asking the tollgate that runs") {
	}
	if err := next.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	text := ""
	for lines.Scan() {
		text += lines.Text() + "\n"
	}
	_ = next.Wait() // its exit code is looked at
	if code := next.ProcessState.ExitCode(); code != 75 || !strings.Contains(text, "asked to end") {
		t.Errorf("exit code %d\n%s", code, text)
	}
	if err := old.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if r, err := g.transaction("192.0.2.7", "a@crash.test", "one@example.org"); err != nil || r.Code != 250 {
		t.Errorf("%v %v", r, err)
	}
	g.says(t, "^gateway +gw1.test: ok", "status")
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Error(err)
	}
}

// What fails before the hand-over changes nothing, and what fails within it is taken
// back.
func TestTakeoverFails(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", crashPolicy)
	g.start(t)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for _, c := range []struct {
		name, policy string
		exit         int
	}{
		{"a bad policy", crashPolicy + "\n[[rule]]\nname = \"none\"\n", 78},
		{"metrics at an address that is another's", crashPolicy + fmt.Sprintf("\n[metrics]\nlisten = %q\n", busy.Addr()), 75},
	} {
		g.write(t, "policy/policy.toml", c.policy)
		out, err := g.gate.Command(t.Context(), "serve", "--takeover")
		if err != nil || out.Exit != c.exit {
			t.Errorf("%s: exit %d, %v\n%s", c.name, out.Exit, err, out.Stderr)
		}
		g.write(t, "policy/policy.toml", crashPolicy)
		if r, err := g.transaction("192.0.2.7", "a@crash.test", "one@example.org"); err != nil || r.Code != 250 {
			t.Errorf("after %s: %v %v", c.name, r, err)
		}
	}
	g.says(t, "^gateway +gw1.test: ok", "status")
	g.says(t, "^2 records of the spool: 2 applied once, 0 parked, 0 given up, 0 missing, 0 doubled", "audit")
	if _, err := os.Stat(strings.TrimPrefix(g.gate.Milter, "unix:")); err != nil {
		t.Error(err)
	}
	// Nobody is there to take over from.
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Error(err)
	}
	if out, err := g.gate.Command(t.Context(), "serve", "--takeover"); err != nil || out.Exit != 75 || !strings.Contains(out.Stderr, "no tollgate is running here") {
		t.Error(out, err)
	}
}
