package test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	gomilter "github.com/d--j/go-milter"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// last is a milter behind tollgate that refuses some messages at their end.
type last struct {
	gomilter.NoOpMilter
	refuse bool
}

func (l *last) Header(name, value string, _ gomilter.Modifier) (*gomilter.Response, error) {
	l.refuse = l.refuse || name == "Subject" && strings.Contains(value, "refuse")
	return gomilter.RespContinue, nil
}

func (l *last) EndOfMessage(gomilter.Modifier) (*gomilter.Response, error) {
	if !l.refuse {
		return gomilter.RespAccept, nil
	}
	l.refuse = false
	return gomilter.RejectWithCodeAndReason(554, "5.7.1 the last one says no")
}

// startLast starts such a milter, and tells where it is.
func startLast(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := gomilter.NewServer(gomilter.WithMilter(func() gomilter.Milter { return &last{} }))
	go func() { _ = s.Serve(l) }() // it ends with its listener
	t.Cleanup(func() { s.Close() })
	return "inet:" + l.Addr().String()
}

const maillogPolicy = `
[accounting]
follow_maillog = %q

[recipients]
mode = "known"

[[client]]
id        = "sales"
addresses = ["@example.org"]

[[rule]]
name   = "look-at"
stage  = "headers"
match  = { subject = "hold" }
action = "hold"
`

// mail sends a message of that subject; it returns the reply to its end.
func (g *gateway) mail(t *testing.T, subject string, recipients ...string) *harness.Reply {
	t.Helper()
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Reply(); err != nil {
		t.Fatal(err)
	}
	lines := []string{"EHLO mail.example.com", "MAIL FROM:<a@example.com>"}
	for _, r := range recipients {
		lines = append(lines, "RCPT TO:<"+r+">")
	}
	for _, line := range lines {
		if err := expect(250)(c.Cmd(line)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := c.Data([]byte("Subject: " + subject + "\r\nMessage-ID: <" + subject + "@example.com>\r\n\r\ntext\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return &r
}

// must runs a command that succeeds.
func (g *gateway) must(t *testing.T, args ...string) string {
	t.Helper()
	o, err := g.gate.Command(t.Context(), args...)
	if err != nil || o.Exit != 0 {
		t.Fatalf("%q: exit code %d, %v\n%s%s", args, o.Exit, err, o.Stdout, o.Stderr)
	}
	return o.Stdout
}

// until repeats a command until it prints a text.
func (g *gateway) until(t *testing.T, text string, args ...string) string {
	t.Helper()
	ctx, cancel := contextFor(t, harness.Patience)
	defer cancel()
	for {
		o, err := g.gate.Command(ctx, args...)
		if err != nil {
			t.Fatalf("%q: %v; it printed\n%s%s", args, err, o.Stdout, o.Stderr)
		}
		if strings.Contains(o.Stdout, text) {
			return o.Stdout
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%q does not print %q but\n%s%s", args, text, o.Stdout, o.Stderr)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// refused sends a message that the milter behind tollgate refuses.
func (g *gateway) refused(t *testing.T, subject string) {
	t.Helper()
	if r := g.mail(t, subject, "ivan@example.org", "olga@example.org"); r.Code != 554 {
		t.Fatalf("%+v: the last milter does not refuse", r)
	}
}

// What was charged and not queued is voided by the followed log; so is what was
// deleted on hold by hand. What was queued stays charged, whatever happens later.
func TestMaillogFollowed(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	log := g.box.Path("postfix.log")
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	g.write(t, "policy/policy.toml", fmt.Sprintf(maillogPolicy, log))
	g.start(t, "smtpd_milters = $tollgate_milter "+startLast(t))
	g.refused(t, "refuse-one")
	g.until(t, "voided", "journal", "--verdict", "voided")
	held := g.mail(t, "hold", "ivan@example.org")
	kept := g.mail(t, "hold-and-keep", "ivan@example.org")
	if err := expect(250)(g.mailOf(t, "through")); err != nil {
		t.Fatal(err)
	}
	g.until(t, `"held": 2`, "status", "--json")
	g.until(t, `"waiting": 0`, "status", "--json")
	if out, err := exec.Command("postsuper", "-c", g.postfix.Config, "-d", held.QueueID()).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	g.until(t, held.QueueID(), "journal", "--verdict", "voided", "--json")
	// Let go, and then deleted: it was delivered to nobody, and is owed.
	if out, err := exec.Command("postsuper", "-c", g.postfix.Config, "-r", kept.QueueID()).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	g.until(t, `"held": 0`, "status", "--json")
	// Renamed while nobody looks: nothing is missed.
	g.stopDrained(t)
	g.refusedLater(t, log)
	if err := g.gate.Start(); err != nil {
		t.Fatal(err)
	}
	g.refused(t, "refuse-two")
	g.until(t, `"voided": 1`, "status", "--json")
	out := g.must(t, "status", "--json")
	if strings.Contains(out, "may have been missed") || !strings.Contains(out, `"unknown": 0`) {
		t.Error(out)
	}
	g.stopDrained(t)
	usage, voids := map[string]int{}, 0
	for _, r := range g.records(t) {
		usage[r.MessageID]++
		if r.Kind == "void" {
			voids++
			usage[r.MessageID] -= 2
		}
	}
	want := map[string]int{"<refuse-one@example.com>": 0, "<hold@example.com>": 0, "<hold-and-keep@example.com>": 1, "<through@example.com>": 1, "<refuse-two@example.com>": 0}
	for id, n := range want {
		if usage[id] != n {
			t.Errorf("%s: %d records, want %d", id, usage[id], n)
		}
	}
	if voids != 5 {
		t.Errorf("%d voids", voids)
	}
}

// What Postfix's own rules put on hold is on hold, and voided when it is deleted:
// header_checks(5) say so in the log before the message ends; access(5) does without its
// queue id, and reconcile finds it in the queue.
func TestMaillogOfHeldByPostfix(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	log, checks, access := g.box.Path("postfix.log"), g.box.Path("header_checks"), g.box.Path("access")
	for path, text := range map[string]string{log: "", checks: "/^Subject: checked/ HOLD\n", access: "/^hold-me@/ HOLD\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	g.write(t, "policy/policy.toml", fmt.Sprintf(maillogPolicy, log))
	g.start(t, "header_checks = regexp:"+checks, "smtpd_recipient_restrictions = check_recipient_access regexp:"+access+", permit_mynetworks, reject_unauth_destination")
	checked := g.mail(t, "checked", "ivan@example.org")
	asked := g.mail(t, "asked", "hold-me@example.org")
	if checked.Code != 250 || asked.Code != 250 {
		t.Fatalf("%+v %+v", checked, asked)
	}
	g.until(t, `"held": 1`, "status", "--json")
	g.until(t, "2 queued, 0 voided, 0 unknown", "reconcile", "--since", "1h")
	g.until(t, `"held": 2`, "status", "--json")
	for _, r := range []*harness.Reply{checked, asked} {
		if out, err := exec.Command("postsuper", "-c", g.postfix.Config, "-d", r.QueueID()).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		g.until(t, r.QueueID(), "journal", "--verdict", "voided", "--json")
	}
	g.until(t, `"held": 0`, "status", "--json")
	g.stopDrained(t)
}

// mailOf is a message to one recipient, as expect wants it.
func (g *gateway) mailOf(t *testing.T, subject string) (harness.Reply, error) {
	t.Helper()
	return *g.mail(t, subject, "ivan@example.org"), nil
}

// refusedLater rotates the log as logrotate does.
func (g *gateway) refusedLater(t *testing.T, log string) {
	t.Helper()
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("postfix", "-c", g.postfix.Config, "reload").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// postlogd makes the new one with its next line.
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Without a followed log nothing is voided until somebody asks; the second time
// there is nothing to do. Lines that are fed do as those that are followed.
func TestReconcile(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	log := g.box.Path("postfix.log")
	g.write(t, "policy/policy.toml", fmt.Sprintf(maillogPolicy, ""))
	g.start(t, "smtpd_milters = $tollgate_milter "+startLast(t))
	g.refused(t, "refuse-one")
	if err := expect(250)(g.mailOf(t, "through")); err != nil {
		t.Fatal(err)
	}
	g.until(t, "3", "report", "--json")
	args := []string{"reconcile", "--maillog", log, "--since", "1h"}
	g.until(t, "1 queued, 1 to be voided", append(args, "--dry-run")...)
	if out := g.must(t, args...); !strings.Contains(out, "2 messages looked at: 1 queued, 1 voided, 0 unknown") {
		t.Error(out)
	}
	if out := g.must(t, args...); !strings.Contains(out, "1 message looked at: 1 queued, 0 voided, 0 unknown") {
		t.Error(out)
	}
	g.until(t, `"deliveries":1,`, "report", "--json")
	// Without the log nothing is known, and nothing is done.
	empty := g.box.Path("empty.log")
	if err := os.WriteFile(empty, []byte("\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	args = []string{"reconcile", "--maillog", empty, "--since", "1h"}
	g.until(t, "0 voided, 1 unknown", args...) // of what has just ended nothing is said
	if o, err := g.gate.Command(t.Context(), args...); err != nil || o.Exit != 1 || !strings.Contains(o.Stdout, "0 voided, 1 unknown") {
		t.Errorf("%+v, %v", o, err)
	}
	g.write(t, "policy/policy.toml", fmt.Sprintf(maillogPolicy, "journal"))
	g.must(t, "reload")
	g.until(t, `"source": "journal"`, "status", "--json")
	g.refused(t, "refuse-two")
	if place := g.must(t, "maillog", "place"); !strings.HasPrefix(place, "@1") {
		t.Errorf("place %q", place)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	feed := exec.Command(binary, "maillog", "feed", "--policy", g.gate.Policy)
	feed.Stdin = bytes.NewReader(text)
	if out, err := feed.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	g.until(t, `"voided": 2`, "status", "--json") // the one by hand counts, too
	g.until(t, `"deliveries":1,`, "report", "--json")
}
