// Package test drives the real binary against real daemons.
package test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// binary is the tollgate under test, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	// Tests mostly wait for daemons: more of them at once than processors.
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(max(6, runtime.NumCPU()))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "tgbin")
	if err == nil {
		defer os.RemoveAll(dir)
		binary, err = harness.Build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// sandbox makes one that is closed at the end of the test, its logs shown when
// the test has failed.
func sandbox(t *testing.T) *harness.Sandbox {
	t.Helper()
	s, err := harness.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.Logs())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// gateway is tollgate between a Postfix and its next hop.
type gateway struct {
	box     *harness.Sandbox
	sink    *harness.Sink
	redis   *harness.Redis // nil with the embedded store
	gate    *harness.Tollgate
	postfix *harness.Postfix
	daemons map[string]daemon // besides these, by name
	words   []string          // of files and what they stand for, for strings.NewReplacer
}

// prepare makes a gateway whose daemons do not run yet, but for the next hop
// and the store. Its policy is to be written to policy/policy.toml.
func prepare(t *testing.T, withRedis bool) *gateway {
	t.Helper()
	box := sandbox(t)
	if !withRedis {
		return prepareOn(t, box, nil)
	}
	redis, err := box.Redis()
	if err != nil {
		t.Fatal(err)
	}
	return prepareOn(t, box, redis)
}

// prepareOn is prepare with the store of another gateway; nil is the embedded
// one.
func prepareOn(t *testing.T, box *harness.Sandbox, redis *harness.Redis) *gateway {
	t.Helper()
	g := &gateway{box: box, redis: redis}
	var err error
	if g.sink, err = g.box.Sink(); err != nil {
		t.Fatal(err)
	}
	store := ""
	if redis != nil {
		store = redis.Addr
	}
	if g.gate, err = g.box.Tollgate(binary, store); err != nil {
		t.Fatal(err)
	}
	return g
}

// start starts tollgate and then Postfix, with these main.cf lines.
func (g *gateway) start(t *testing.T, settings ...string) {
	t.Helper()
	g.startAt(t, g.gate.Milter, settings...)
}

// startAt is start with a choice of tollgate's sockets.
func (g *gateway) startAt(t *testing.T, milter string, settings ...string) {
	t.Helper()
	g.startBehind(t, harness.PostfixConfig{Milter: milter, Settings: settings, Plain: true})
}

// startBehind starts tollgate and then this Postfix, with what it does not say.
func (g *gateway) startBehind(t *testing.T, c harness.PostfixConfig) {
	t.Helper()
	c.NextHop = g.sink.Addr()
	if c.Milter == "" {
		c.Milter = g.gate.Milter
	}
	err := g.gate.Start()
	if err == nil {
		g.postfix, err = g.box.Postfix(c)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// write writes a file of the sandbox.
func (g *gateway) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(g.box.Path(name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// transaction is one message of the client with that address, on a connection
// of its own, and the reply that ended it: the refusal of its recipient, or else
// what its end was answered.
func (g *gateway) transaction(ip, from, to string) (harness.Reply, error) {
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		return harness.Reply{}, err
	}
	defer c.Close()
	err = errors.Join(
		expect(220)(c.Reply()),
		expect(220)(c.XClient("ADDR="+ip, "NAME=mail.far.test")),
		expect(250)(c.Cmd("EHLO mail.far.test")),
		expect(250)(c.Cmd("MAIL FROM:<"+from+">")))
	if err != nil {
		return harness.Reply{}, err
	}
	if r, err := c.Cmd("RCPT TO:<" + to + ">"); err != nil || !r.OK() {
		return r, err
	}
	return c.Data([]byte("From: " + from + "\r\nSubject: hello\r\n\r\ntext\r\n"))
}
