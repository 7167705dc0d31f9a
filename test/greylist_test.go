package test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
	"github.com/tollgate-mail/tollgate/test/script"
)

// greylisting is a policy that greylists strangers. Whether a try comes too
// early is for the policy to say here, not for the clock: with a delay of an
// hour all do, with that of a second none that comes a second later.
const greylisting = `
[[client]]
id        = "sales"
addresses = ["ivan@example.org", "olga@example.org"]

[outbound]
networks = ["10.0.0.0/8"]

[greylist]
delay          = %q
auto_whitelist = 3

[[rule]]
name   = "strangers"
stage  = "rcptto"
unless = { correspondent = true }
action = "greylist"
`

func (g *gateway) setDelay(t *testing.T, delay string) {
	t.Helper()
	g.write(t, "policy/policy.toml", fmt.Sprintf(greylisting, delay))
	if g.gate.Process() == nil {
		return
	}
	if o, err := g.gate.Command(t.Context(), "reload"); err != nil || o.Exit != 0 {
		t.Fatalf("reload: %v %+v", err, o)
	}
}

// swaks sends a message as the client of that address, and returns the refusal
// of its recipient; "" when it was accepted.
func (g *gateway) swaks(t *testing.T, ip, from, to string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(g.postfix.Addr)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(ip, ":") {
		ip = "IPV6:" + ip
	}
	ctx, cancel := contextFor(t, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "swaks", "--server", host, "--port", port, "--helo", "mail.far.test",
		"--xclient-addr", ip, "--from", from, "--to", to, "--header", "Subject: tried").CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &exit) && exit.ExitCode() == 24: // no recipient was accepted
		_, reply, _ := strings.Cut(string(out[bytes.LastIndex(out, []byte("RCPT TO")):]), "<** ")
		reply, _, _ = strings.Cut(reply, "\n")
		return reply
	}
	t.Fatalf("swaks: %v\n%s", err, out)
	return ""
}

// tries are deliveries and what becomes of each: "passes", or why it has to
// come again. The senders are of far.test, the recipients of example.org.
func (g *gateway) tries(t *testing.T, what string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		var ip, from, to, want string
		if _, err := fmt.Sscan(line, &ip, &from, &to, &want); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		sender := from + "@far.test"
		if from == "<>" {
			sender = from
		}
		got := "passes"
		if reply := g.swaks(t, ip, sender, to+"@example.org"); reply != "" {
			got = reply
			block := g.lastBlock(t)
			if why, ok := block["reason"].(string); ok && strings.HasPrefix(reply, "451 4.7.1 ") && block["verdict"] == "greylist" && block["rule"] == "strangers" {
				got, _, _ = strings.Cut(strings.TrimPrefix(why, "greylisted: "), ",")
			}
		}
		if got != want {
			t.Errorf("%s: %s: %s", what, line, got)
		}
	}
}

// lastBlock is the last entry of the block journal, which is there before the
// client hears of it.
func (g *gateway) lastBlock(t *testing.T) script.Object {
	t.Helper()
	all := g.journal(t, "blocks")
	if len(all) == 0 {
		t.Fatal("a refusal is in no journal")
	}
	return all[len(all)-1]
}

// delivered checks what has arrived, and that each of it is accounted for.
func (g *gateway) delivered(t *testing.T, messages int) {
	t.Helper()
	if err := g.postfix.Idle(harness.Patience); err != nil {
		t.Error(err)
	}
	if n := len(g.sink.Messages()); n != messages {
		t.Errorf("%d messages were delivered, %d were accepted", n, messages)
	}
	if err := g.drained(t.Context(), harness.Patience); err != nil {
		t.Error(err)
	}
}

// second lets a delay of a second pass.
func second() { time.Sleep(1100 * time.Millisecond) }

// What one gateway has seen, another one on the same Redis knows; when Redis is
// away, mail passes.
func TestGreylistTwoGateways(t *testing.T) {
	t.Parallel()
	one := prepare(t, true)
	two := prepareOn(t, sandbox(t), one.redis)
	name, err := os.ReadFile(two.gate.Policy)
	if err == nil {
		err = os.WriteFile(two.gate.Policy, bytes.Replace(name, []byte("gw1.test"), []byte("gw2.test"), 1), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []*gateway{one, two} {
		g.setDelay(t, "1h")
		g.start(t)
	}

	one.tries(t, "first", "198.51.100.7 bob ivan new", "2001:db8:0:1::7 bob ivan new")
	two.tries(t, "too early, on the other gateway and within the client's network",
		"198.51.100.7 bob ivan early", "198.51.100.255 bob ivan early", "2001:db8:0:1:ffff::9 bob ivan early")
	two.tries(t, "something else",
		"198.51.100.7 bob olga new", "198.51.100.7 rob ivan new", "198.51.101.7 bob ivan new",
		"2001:db8:0:2::7 bob ivan new", "198.51.100.7 <> ivan new")
	two.tries(t, "the same sender to the eye of greylisting", "198.51.100.7 bob+news ivan early", "198.51.100.7 BOB ivan early")

	second()
	one.setDelay(t, "1s")
	two.setDelay(t, "1s")
	two.tries(t, "in time", "198.51.100.8 bob ivan passes", "2001:db8:0:1:2::7 bob ivan passes")
	one.setDelay(t, "1h")
	one.tries(t, "known", "198.51.100.9 bob ivan passes", "2001:db8:0:1::7 bob ivan passes")
	two.setDelay(t, "1h")
	two.tries(t, "not a network of good name yet", "198.51.100.7 new1 ivan new")
	two.setDelay(t, "1s")
	two.tries(t, "three of its network", "198.51.100.7 bob olga passes", "198.51.100.7 rob ivan passes")
	one.setDelay(t, "1h")
	one.tries(t, "a network of good name, and one that has none", "198.51.100.77 new2 ivan passes", "198.51.101.7 new2 ivan new")

	// Frozen, Redis answers nothing; stopped, nobody listens.
	if err := one.redis.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	one.tries(t, "Redis is frozen", "192.0.2.1 far1 ivan passes")
	if err := one.redis.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := one.redis.Stop(); err != nil {
		t.Fatal(err)
	}
	two.tries(t, "Redis is away", "192.0.2.2 far2 ivan passes")
	if o, err := two.gate.Command(t.Context(), "status"); err != nil || !strings.Contains(o.Stdout+o.Stderr, "the state store is unreachable") {
		t.Errorf("%v: the status says nothing of the state store:\n%s%s", err, o.Stdout, o.Stderr)
	}
	if err := one.redis.Start(); err != nil {
		t.Fatal(err)
	}
	// Each pause is longer than the one before; what passes meanwhile counts too.
	passed := 0
	err = eventually(harness.Patience, func() error {
		reply := two.swaks(t, "192.0.2.3", fmt.Sprintf("far3%c@far.test", 'a'+passed), "ivan@example.org")
		if reply == "" {
			passed++
			return errors.New("not greylisted, with Redis back")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	one.delivered(t, 4)
	two.delivered(t, 5+passed)
	if n := len(one.records(t)); n != 9+passed {
		t.Errorf("%d records of %d messages", n, 9+passed)
	}
}

// The embedded store outlives the daemon, also one that was killed.
func TestGreylistRestart(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.setDelay(t, "1h")
	g.start(t)
	restart := func(end func() error) {
		t.Helper()
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := g.gate.Start(); err != nil {
			t.Fatal(err)
		}
	}
	stop := func() error { return g.gate.Stop(harness.Patience) }
	// What has changed is written within a second; a crash loses no more.
	var tried time.Time // before the try that changed something last
	kill := func() error {
		if err := eventually(harness.Patience, func() error {
			info, err := os.Stat(filepath.Join(g.gate.State, "state.bolt"))
			if err == nil && info.ModTime().Before(tried) {
				err = errors.New("the state has not been written")
			}
			return err
		}); err != nil {
			return err
		}
		second() // the transaction has its end
		return g.gate.Process().Kill()
	}

	g.tries(t, "first", "198.51.100.7 bob ivan new", "198.51.100.7 rob ivan new")
	restart(stop)
	g.tries(t, "after a restart", "198.51.100.8 bob ivan early")
	tried = time.Now()
	g.tries(t, "not yet written", "198.51.100.8 tom ivan new")
	restart(kill)
	g.tries(t, "after a crash", "198.51.100.8 rob ivan early", "198.51.100.8 tom ivan early")
	second()
	g.setDelay(t, "1s")
	tried = time.Now()
	g.tries(t, "in time", "198.51.100.7 bob ivan passes")
	g.setDelay(t, "1h")
	restart(kill)
	g.tries(t, "known after a crash", "198.51.100.9 bob ivan passes", "198.51.100.9 rob ivan early")

	// Who writes to somebody may be answered at once.
	if reply := g.swaks(t, "10.0.0.5", "olga@example.org", "Carol@far.test"); reply != "" {
		t.Fatal(reply)
	}
	err := eventually(harness.Patience, func() error {
		if g.swaks(t, "192.0.2.9", "carol@far.test", "olga@example.org") != "" {
			return errors.New("the answer of a correspondent is greylisted")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	restart(stop)
	g.tries(t, "correspondents", "203.0.113.1 carol olga passes", "203.0.113.1 carol ivan new", "203.0.113.1 dave olga new")
	g.delivered(t, 5)
}
