package test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// A test message goes through the real Postfix and its story is told: the plain
// one arrives, the virus is refused, the one on hold is said to be.
func TestSendTest(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	clamd, err := g.box.Clamd(harness.ClamdConfig{})
	if err != nil {
		t.Fatal(err)
	}
	g.write(t, "policy/policy.toml", `
[recipients]
mode    = "domains"
domains = ["example.org"]

[antivirus]
clamd = "unix:`+clamd.Socket+`"

[[rule]]
name   = "wait"
stage  = "mailfrom"
match  = { sender = "wait@example.com" }
action = "hold"
`)
	g.start(t)
	send := func(exit int, args ...string) string {
		t.Helper()
		o, err := g.gate.Command(t.Context(), append([]string{"send-test", "--server", g.postfix.Addr}, args...)...)
		if err != nil || o.Exit != exit {
			t.Fatalf("%q: exit code %d, %v\n%s%s", args, o.Exit, err, o.Stdout, o.Stderr)
		}
		return o.Stdout
	}
	for _, tt := range []struct {
		exit int
		args string
		want string
	}{
		{0, "--to ivan@example.org", "it has left the queue"},
		{0, "", "<postmaster@example.org>"},
		{0, "--to ivan@example.org --eicar", harness.Virus},
		{0, "--to ivan@example.org --from wait@example.com", "it is on hold"},
		{1, "--to ivan@elsewhere.example", "RCPT was answered 55"},
		{1, "--to ivan@elsewhere.example --eicar", "RCPT was answered 55"}, // refused, and not for what is in it
		{1, "--to ivan@example.org --gtube", "it has left the queue"},      // nobody looks for spam
	} {
		if out := send(tt.exit, strings.Fields(tt.args)...); !strings.Contains(out, tt.want) {
			t.Errorf("%s: no %q in:\n%s", tt.args, tt.want, out)
		}
	}
	var outcome struct {
		Answer struct{ Code int }
		Judged bool
		Ref    string
	}
	if err := json.Unmarshal([]byte(send(0, "--to", "ivan@example.org", "--json")), &outcome); err != nil || outcome.Answer.Code != 250 || !outcome.Judged || outcome.Ref == "" {
		t.Errorf("%+v, %v", outcome, err)
	}
}
