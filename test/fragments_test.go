package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

const forFragments = `
[outbound]
networks = ["10.0.0.0/8"]

[recipients]
mode    = "domains"
domains = ["example.org", "example.net"]

[[client]]
id        = "sales"
addresses = ["ivan@example.org"]
`

// seen are the lines of a journal as "client sender recipients verdict".
func (g *gateway) seen(t *testing.T, kind string) (lines []string) {
	t.Helper()
	for _, o := range g.journal(t, kind) {
		to := o["recipient"]
		if kind == "messages" {
			to = o["recipients"]
		}
		lines = append(lines, fmt.Sprint(o["client_ip"], " ", o["sender"], " ", to, " ", o["verdict"]))
	}
	return lines
}

// With verify-main.cf Postfix asks the next hop for each recipient of strangers;
// nothing of that is mail to tollgate.
func TestVerifiedRecipients(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.sink.Refuse("nobody@example.org", "550 5.1.1 no such user here")
	g.sink.Refuse("full@example.org", "452 4.2.2 over quota")
	g.write(t, "policy/policy.toml", forFragments)
	g.startBehind(t, harness.PostfixConfig{
		Fragments: []string{"verify"},
		Settings: []string{
			"transport_maps = inline:{ example.net=smtp:[127.0.0.1]:9 }", // where nobody listens
			"address_verify_poll_delay = 1s",
		},
	})
	for _, test := range []struct{ ip, from, to, want string }{
		{"192.0.2.10", "a@far.test", "ivan@example.org", "250 2.0.0 Ok: queued"},
		{"192.0.2.10", "a@far.test", "ivan@example.org", "250 2.0.0 Ok: queued"},
		{"192.0.2.10", "a@far.test", "nobody@example.org", "550 5.1.1 "},
		{"192.0.2.10", "a@far.test", "full@example.org", "450 4."},
		{"192.0.2.10", "a@far.test", "olga@example.net", "450 4."},
		{"10.0.0.5", "ivan@example.org", "bob@far.test", "250 2.0.0 Ok: queued"},
	} {
		r, err := g.transaction(test.ip, test.from, test.to)
		if err != nil || !strings.HasPrefix(r.String(), test.want) {
			t.Errorf("%+v: %q, %v", test, r, err)
		}
	}
	g.delivered(t, 3)
	// Each known address was asked for once, and delivered to as often as it
	// should; strangers' servers were not asked.
	asked := g.sink.Asked()
	slices.Sort(asked)
	if got := strings.Join(asked, " "); got != "bob@far.test full@example.org ivan@example.org ivan@example.org ivan@example.org nobody@example.org" {
		t.Errorf("the next hop was asked for %s", got)
	}
	if got := g.seen(t, "blocks"); !slices.Equal(got, []string{
		"192.0.2.10 a@far.test nobody@example.org reject",
		"192.0.2.10 a@far.test full@example.org tempfail", "192.0.2.10 a@far.test olga@example.net tempfail",
	}) {
		t.Errorf("blocks: %q", got)
	}
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Fatal(err)
	}
	if got := g.seen(t, "messages"); !slices.Equal(slices.Sorted(slices.Values(got)), []string{
		"10.0.0.5 ivan@example.org [bob@far.test] accept",
		"192.0.2.10 a@far.test [] reject", "192.0.2.10 a@far.test [] tempfail", "192.0.2.10 a@far.test [] tempfail",
		"192.0.2.10 a@far.test [ivan@example.org] accept", "192.0.2.10 a@far.test [ivan@example.org] accept",
	}) {
		t.Errorf("messages: %q", got)
	}
	if n := len(g.records(t)); n != 2 {
		t.Errorf("%d records of 2 messages to a client", n)
	}
}

// With the fragments of postscreen it meets clients first: of who speaks before
// its turn tollgate hears nothing, who passes comes with its own address.
func TestPostscreen(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", forFragments)
	g.startBehind(t, harness.PostfixConfig{
		Fragments: []string{"postscreen"},
		Settings:  []string{"postscreen_access_list =", "postscreen_greet_wait = 2s"},
	})
	commands := []string{"EHLO mail.far.test", "MAIL FROM:<a@far.test>", "RCPT TO:<ivan@example.org>"}

	rude, err := harness.DialFrom("127.0.0.66", g.postfix.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer rude.Close()
	if err := rude.Send(commands[0]); err != nil { // before the greeting
		t.Fatal(err)
	}
	if _, err := rude.Reply(); err != nil { // of its greeting it gets half, and then the answer
		t.Fatal(err)
	}
	if err := expect(250)(rude.Cmd(commands[1])); err != nil {
		t.Fatal(err)
	}
	if err := expect(550)(rude.Cmd(commands[2])); err != nil {
		t.Error(err)
	}

	polite, err := harness.DialFrom("127.0.0.7", g.postfix.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer polite.Close()
	if err := expect(220)(polite.Reply()); err != nil {
		t.Fatal(err)
	}
	for _, line := range commands {
		if err := expect(250)(polite.Cmd(line)); err != nil {
			t.Fatal(err)
		}
	}
	if err := expect(250)(polite.Data([]byte("Subject: hello\r\n\r\ntext\r\n"))); err != nil {
		t.Error(err)
	}
	polite.Close()
	g.delivered(t, 1)
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Fatal(err)
	}
	got := append(g.seen(t, "blocks"), g.seen(t, "messages")...)
	if !slices.Equal(got, []string{"127.0.0.7 a@far.test [ivan@example.org] accept"}) {
		t.Errorf("the journals: %q", got)
	}
	if n := len(g.records(t)); n != 1 {
		t.Errorf("%d records of one message", n)
	}
}
