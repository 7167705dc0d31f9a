package test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// A message that was held leaves as it came, octet by octet, and "hold show
// --eml" has shown it so.
func TestHeldMessageIsKeptAsItCame(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", `
[gateway]
report_header = ""

[recipients]
mode    = "domains"
domains = ["example.org"]

[[rule]]
name   = "everything"
stage  = "connect"
match  = { client_ip = "127.0.0.1" }
action = "hold"
`)
	g.start(t)
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Reply(); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"EHLO mail.example.com", "MAIL FROM:<a@example.com> BODY=8BITMIME", "RCPT TO:<ivan@example.org>"} {
		if err := expect(250)(c.Cmd(line)); err != nil {
			t.Fatal(err)
		}
	}
	sent := "Subject: =?UTF-8?B?0Y8=?=\r\nX-Raw: \xcf\xd2\xc9\xd7\xc5\xd4\r\nX-Folded: one\r\n\ttwo\r\n\r\n" +
		"\x00\x01\x7f\xff\r\n.\r\n..dots\r\n \r\n*** MESSAGE CONTENTS\r\n" + strings.Repeat("long \xe9 ", 2000) + "\r\n\r\n\r\n"
	r, err := c.Data([]byte(sent))
	if err := expect(250)(r, err); err != nil {
		t.Fatal(err)
	}
	id := r.QueueID()

	command := func(args ...string) string {
		t.Helper()
		o, err := g.gate.Command(t.Context(), args...)
		if err != nil || o.Exit != 0 {
			t.Fatalf("%q: exit code %d, %v\n%s%s", args, o.Exit, err, o.Stdout, o.Stderr)
		}
		return o.Stdout
	}
	file := g.box.Path("held.eml")
	command("hold", "show", "--eml", id, "-o", file)
	shown, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out := command("hold", "show", "--eml", id); out != string(shown) {
		t.Error("the file and standard output differ")
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v: mail is for its owner alone", info.Mode(), err)
	}
	if o, err := g.gate.Command(t.Context(), "hold", "show", id, "-o", file); err != nil || o.Exit != 2 {
		t.Errorf("a file is overwritten: exit code %d, %v", o.Exit, err)
	}
	command("hold", "release", id)
	ctx, cancel := contextFor(t, harness.Patience)
	defer cancel()
	if err := g.sink.Wait(ctx, 1); err != nil {
		t.Fatal(err)
	}
	wire := bytes.ReplaceAll(shown, []byte("\n"), []byte("\r\n"))
	if got := g.sink.Messages()[0].Data; !bytes.Equal(got, wire) {
		t.Errorf("shown\n%q\ndelivered\n%q", wire, got)
	}
	if trace, rest, ok := strings.Cut(string(wire), "Subject: "); !ok || !strings.HasPrefix(trace, "Received: ") || "Subject: "+rest != sent {
		t.Errorf("shown\n%q\nsent\n%q", wire, sent)
	}
}

// Deleted while no daemon runs: what was charged is taken back all the same,
// and the daemon that starts then finds its files as its own.
func TestHeldMessageIsVoidedWithoutADaemon(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", `
[recipients]
mode = "known"

[[client]]
id        = "sales"
addresses = ["@example.org"]

[[rule]]
name   = "everything"
stage  = "connect"
match  = { client_ip = "127.0.0.1" }
action = "hold"
`)
	g.start(t)
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Reply(); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"EHLO mail.example.com", "MAIL FROM:<a@example.com>", "RCPT TO:<ivan@example.org>", "RCPT TO:<olga@example.org>"} {
		if err := expect(250)(c.Cmd(line)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := c.Data([]byte("Subject: held\r\n\r\nheld\r\n"))
	if err := expect(250)(r, err); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	g.stopDrained(t)
	o, err := g.gate.Command(t.Context(), "hold", "delete", "--yes", r.QueueID())
	if err != nil || o.Exit != 0 {
		t.Fatalf("exit code %d, %v\n%s%s", o.Exit, err, o.Stdout, o.Stderr)
	}
	if err := g.gate.Start(); err != nil {
		t.Fatal(err)
	}
	g.stopDrained(t)
	var charged int64
	kinds := map[string]int{}
	for _, r := range g.records(t) {
		_, _, n := r.Delta()
		charged += n
		kinds[r.Kind]++
	}
	if charged != 0 || kinds["usage"] != 2 || kinds["void"] != 2 {
		t.Errorf("charged %d, records %v", charged, kinds)
	}
}
