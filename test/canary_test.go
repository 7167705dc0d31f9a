package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/canary"
	answers "github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/test/harness"
)

const twoClients = `
[[client]]
id = "a"
addresses = ["a@example.org"]
[[client]]
id = "b"
addresses = ["b@example.org"]
`

// refusing is a candidate that refuses a partner's mail.
const refusing = twoClients + `
[[rule]]
name = "partner"
stage = "rcptto"
match = { client_ip = "192.0.2.0/24" }
action = "reject"
`

// command runs one that must end well.
func (g *gateway) command(t *testing.T, into any, args ...string) {
	t.Helper()
	if into != nil {
		args = append(args, "--json")
	}
	out, err := g.gate.Command(t.Context(), args...)
	if err != nil || out.Exit != 0 {
		t.Fatalf("%v: %v %+v", args, err, out)
	}
	if into == nil {
		return
	}
	text := strings.TrimSpace(out.Stdout)
	if args[0] == "journal" { // lines as they stand in the files
		text = "[" + strings.ReplaceAll(text, "\n", ",") + "]"
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out.Stdout)
	}
}

// candidate writes a policy like the one in force, but for what it is about.
func (g *gateway) candidate(t *testing.T, text string) string {
	t.Helper()
	main, err := os.ReadFile(g.gate.Policy)
	if err != nil {
		t.Fatal(err)
	}
	g.write(t, "policy/candidate.toml", text)
	g.write(t, "candidate.toml", strings.ReplaceAll(string(main), "policy/policy.toml", "policy/candidate.toml"))
	return g.box.Path("candidate.toml")
}

// A candidate in shadow changes nothing, and what it would have is journalled with
// the recipients.
func TestShadow(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", twoClients)
	g.start(t)
	var s answers.ShadowState
	g.command(t, &s, "shadow", g.candidate(t, refusing))
	if !s.On || s.Version == s.Against {
		t.Fatalf("%+v", s)
	}
	for _, ip := range []string{"192.0.2.7", "198.51.100.7"} {
		if err := expect(250)(g.transaction(ip, "b@example.com", "a@example.org")); err != nil {
			t.Fatal(err)
		}
	}
	err := eventually(harness.Patience, func() error {
		g.command(t, &s, "shadow", "report")
		if s.Judged != 2 || s.Different != 1 || s.Same != 1 || s.Changes["accept -> reject"] != 1 {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Event, Verdict, Policy, Beside string
		BesideVerdict                  string   `json:"beside_verdict"`
		BesideRule                     string   `json:"beside_rule"`
		Recipients                     []string `json:"recipients"`
	}
	g.command(t, &rows, "journal", "shadow")
	if len(rows) != 1 || rows[0].BesideVerdict != "reject" || rows[0].BesideRule != "partner" || rows[0].Verdict != "accept" ||
		len(rows[0].Recipients) != 1 || rows[0].Recipients[0] != "a@example.org" || rows[0].Policy != s.Against || rows[0].Beside != s.Version {
		t.Errorf("%+v", rows)
	}
	g.command(t, nil, "shadow", "off")
}

// A candidate that refuses a partner's mail is out of force again by itself within
// 20 messages and 60 s, and no message of the other part is touched.
func TestCanaryGoesBack(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", twoClients)
	g.start(t)
	began := time.Now()
	file := g.candidate(t, refusing)
	g.command(t, nil, "canary", "start", file, "--networks", "192.0.2.0/24", "--for", "1h", "--message", "try")
	if out, err := g.gate.Command(t.Context(), "canary", "start", file, "--share", "10%"); err != nil || out.Exit != 1 {
		t.Errorf("two at a time: %v %+v", err, out)
	}
	refused := 0
	for n := 1; ; n++ {
		if err := expect(250)(g.transaction("198.51.100.7", "b@example.com", "a@example.org")); err != nil {
			t.Fatalf("a message of the other part: %v", err)
		}
		r, err := g.transaction("192.0.2.7", "b@example.com", "a@example.org")
		if err != nil {
			t.Fatal(err)
		}
		if r.OK() {
			break
		}
		if refused++; refused > 20 || time.Since(began) > time.Minute {
			t.Fatalf("%d messages of the partner are refused after %s", refused, time.Since(began))
		}
	}
	if refused < 3 {
		t.Errorf("%d refused", refused)
	}
	var c canary.State
	err := eventually(harness.Patience, func() error {
		g.command(t, &c, "canary", "status")
		if c.Running() || !c.Went || c.Refused < 3 || len(c.Key) > 0 {
			return fmt.Errorf("%+v", c)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	var s answers.Status
	g.command(t, &s, "status")
	if !strings.Contains(strings.Join(s.Degraded, "\n"), "canary") {
		t.Error(s.Degraded)
	}
	err = eventually(harness.Patience, func() error {
		var log []struct{ How, Version string }
		g.command(t, &log, "policy", "log")
		if len(log) != 3 || log[0].How != "canary end" || log[1].How != "canary" || log[1].Version != c.Version || log[0].Version != s.Policy.Version {
			return fmt.Errorf("%+v", log)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// The first recipient decides; one of the other part comes again. Key and state
// survive a kill; promote makes it the policy of all mail.
func TestCanaryByRecipient(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", twoClients)
	g.start(t)
	file := g.candidate(t, twoClients+"[[rule]]\nname = \"mark\"\nstage = \"headers\"\nmatch.subject = 'hello'\nweight = 1\n")
	g.command(t, nil, "canary", "start", file, "--recipients", "a@example.org", "--for", "1h")
	both := func(first, second string) error {
		c, err := harness.Dial(g.postfix.Addr)
		if err != nil {
			return err
		}
		defer c.Close()
		return errors.Join(
			expect(220)(c.Reply()), expect(250)(c.Cmd("EHLO mail.far.test")), expect(250)(c.Cmd("MAIL FROM:<b@example.com>")),
			expect(250)(c.Cmd("RCPT TO:<"+first+">")), expect(452)(c.Cmd("RCPT TO:<"+second+">")),
			expect(250)(c.Data([]byte("Subject: hello\r\n\r\ntext\r\n"))))
	}
	weights := func(want string) {
		t.Helper()
		err := eventually(harness.Patience, func() error {
			var rows []struct {
				Weight, Policy string
				Recipients     []string
			}
			g.command(t, &rows, "journal", "messages", "--verdict", "accept")
			var got []string
			for _, r := range rows {
				got = append(got, strings.Join(r.Recipients, " ")+"="+r.Weight)
			}
			if strings.Join(got, " ") != want {
				return errors.New(strings.Join(got, " "))
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(both("a@example.org", "b@example.org"), both("b@example.org", "a@example.org")); err != nil {
		t.Fatal(err)
	}
	weights("a@example.org=1 b@example.org=0")

	if err := g.gate.Process().Kill(); err != nil {
		t.Fatal(err)
	}
	if err := g.gate.Start(); err != nil {
		t.Fatal(err)
	}
	var c canary.State
	g.command(t, &c, "canary", "status")
	if !c.Running() || len(c.Recipients) != 1 {
		t.Fatalf("after a kill: %+v", c)
	}
	if err := both("a@example.org", "b@example.org"); err != nil {
		t.Fatal(err)
	}
	weights("a@example.org=1 b@example.org=0 a@example.org=1")
	g.command(t, nil, "canary", "promote")
	if err := expect(250)(g.transaction("198.51.100.7", "b@example.com", "b@example.org")); err != nil {
		t.Fatal(err)
	}
	weights("a@example.org=1 b@example.org=0 a@example.org=1 b@example.org=1")
	g.command(t, &c, "canary", "status")
	if c.Running() || c.Went {
		t.Errorf("%+v", c)
	}
}
