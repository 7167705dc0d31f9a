package test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	answers "github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// takesOver lets another process take the place of the one that runs.
func (g *gateway) takesOver(t *testing.T) (before *harness.Process) {
	t.Helper()
	before, err := g.gate.TakeOver("")
	if err != nil {
		t.Fatal(err)
	}
	return before
}

// smtp is an SMTP session that lasts.
type smtp struct {
	t *testing.T
	c *harness.Client
}

func (g *gateway) smtp(t *testing.T, ip string) smtp {
	t.Helper()
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	err = errors.Join(
		expect(220)(c.Reply()), expect(220)(c.XClient("ADDR="+ip, "NAME=mail.far.test")), expect(250)(c.Cmd("EHLO mail.far.test")))
	if err != nil {
		t.Fatal(err)
	}
	return smtp{t, c}
}

// rcpt is what a recipient is answered, in a message that is given up.
func (s smtp) rcpt(to string) (harness.Reply, error) {
	if err := expect(250)(s.c.Cmd("MAIL FROM:<a@far.test>")); err != nil {
		return harness.Reply{}, err
	}
	r, err := s.c.Cmd("RCPT TO:<" + to + ">")
	return r, errors.Join(err, expect(250)(s.c.Cmd("RSET")))
}

// rcptUntil repeats that until it is answered so.
func (s smtp) rcptUntil(to string, code int) {
	s.t.Helper()
	err := eventually(inForce, func() error {
		r, err := s.rcpt(to)
		if err == nil && r.Code != code {
			err = fmt.Errorf("%s: %+v, want %d", to, r, code)
		}
		return err
	})
	if err != nil {
		s.t.Error(err)
	}
}

func (s smtp) send(to, subject string) harness.Reply {
	s.t.Helper()
	err := errors.Join(expect(250)(s.c.Cmd("MAIL FROM:<a@far.test>")), expect(250)(s.c.Cmd("RCPT TO:<"+to+">")))
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := s.c.Data([]byte("Subject: " + subject + "\r\n\r\nsome text, so that it weighs something, more than a hundred octets in all: the quota of one client is used up by it\r\n"))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// What a candidate is in force for, and what it has seen so far, is the same after a
// takeover; so is a candidate in shadow.
func TestTakeoverKeepsCandidates(t *testing.T) {
	t.Parallel()
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", twoClients)
	g.start(t)
	file := g.candidate(t, refusing)

	var s answers.ShadowState
	g.command(t, nil, "shadow", file)
	for _, ip := range []string{"192.0.2.7", "198.51.100.7"} {
		if err := expect(250)(g.transaction(ip, "b@example.com", "a@example.org")); err != nil {
			t.Fatal(err)
		}
	}
	reports := func(judged, different int64) {
		t.Helper()
		err := eventually(harness.Patience, func() error {
			g.command(t, &s, "shadow", "report")
			if !s.On || s.Judged != judged || s.Different != different {
				return fmt.Errorf("%+v", s)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	reports(2, 1)
	g.takesOver(t)
	reports(2, 1)
	if err := expect(250)(g.transaction("192.0.2.8", "b@example.com", "a@example.org")); err != nil {
		t.Error(err)
	}
	reports(3, 2)
	g.command(t, nil, "shadow", "off")

	// 198.18.0.0/16 has sites of both parts; none of them is another's afterwards.
	strict := strings.ReplaceAll(refusing, "192.0.2.0/24", "198.18.0.0/16")
	g.candidate(t, strict)
	g.command(t, nil, "canary", "start", file, "--share", "50%", "--for", "1h", "--band", "100%")
	parts := func() (list string) {
		for n := range 12 {
			c, err := harness.Dial(g.postfix.Addr)
			if err != nil {
				t.Fatal(err)
			}
			err = errors.Join(
				expect(220)(c.Reply()), expect(220)(c.XClient(fmt.Sprintf("ADDR=198.18.%d.7", n), "NAME=[UNAVAILABLE]")),
				expect(250)(c.Cmd("EHLO x.test")), expect(250)(c.Cmd("MAIL FROM:<b@far.test>")))
			if err != nil {
				t.Fatal(err)
			}
			r, err := c.Cmd("RCPT TO:<a@example.org>")
			c.Close()
			if err != nil {
				t.Fatal(err)
			}
			list += fmt.Sprint(r.Code, " ")
		}
		return list
	}
	before := parts()
	var was, is struct {
		Judged  int64     `json:"judged"`
		Key     []byte    `json:"key"`
		Started time.Time `json:"started"`
		Until   time.Time `json:"until"`
		Ended   time.Time `json:"ended"`
	}
	g.command(t, &was, "canary", "status")
	g.takesOver(t)
	if after := parts(); after != before {
		t.Errorf("the parts were %s, and are %s", before, after)
	}
	g.command(t, &is, "canary", "status")
	if !is.Ended.IsZero() || !is.Started.Equal(was.Started) || !is.Until.Equal(was.Until) || is.Judged < was.Judged {
		t.Errorf("%+v, it was %+v", is, was)
	}
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Error(err)
	}
}

// What is known of clients, strangers, messages on hold and Postfix's log goes on over a
// takeover, for sessions of both processes, and the sums are exact.
func TestTakeoverKeepsTheAccount(t *testing.T) {
	t.Parallel()
	g := prepare(t, true)
	log := g.box.Path("postfix.log")
	g.write(t, "postfix.log", "")
	g.write(t, "policy/policy.toml", fmt.Sprintf(`
[accounting]
follow_maillog = %q

[clients]
redis = true

[recipients]
mode = "known"

[greylist]
delay = "1s"

[[tariff]]
name         = "office"
currency     = "RUB"
per_delivery = "0.30"
fee          = "0.25"

[[rule]]
name   = "look-at"
stage  = "headers"
match  = { subject = "hold" }
action = "hold"

[[rule]]
name   = "strangers"
stage  = "rcptto"
match  = { client_ip = "198.51.100.0/24" }
action = "greylist"
`, log))
	db := goredis.NewClient(&goredis.Options{Addr: g.redis.Addr})
	defer db.Close()
	define := func(id, keys string) {
		t.Helper()
		p := db.Pipeline()
		p.Set(t.Context(), "tg:{c:"+id+"}:def", `{"addresses":["`+id+`@example.org"]`+keys+`}`, 0)
		p.SAdd(t.Context(), "tg:clients", id)
		p.Incr(t.Context(), "tg:clients:version")
		if _, err := p.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	define("sales", `,"tariff":"office"`)
	define("prepaid", `,"tariff":"office","mode":"prepaid"`)
	define("quota", `,"quota":"100 B"`)
	g.start(t, "smtpd_milters = $tollgate_milter "+startLast(t), "smtpd_hard_error_limit = 10000", "smtpd_soft_error_limit = 10000")
	deliveries := 0
	sent := func(s smtp, subject string) harness.Reply {
		t.Helper()
		r := s.send("sales@example.org", subject)
		if r.Code != 250 {
			t.Errorf("%s: %+v", subject, r)
		}
		deliveries++
		return r
	}

	old := g.smtp(t, "192.0.2.7")
	old.rcptUntil("prepaid@example.org", 452)
	sent(old, "before")
	held := sent(old, "hold")
	if r, err := g.transaction("198.51.100.7", "b@far.test", "sales@example.org"); err != nil || r.Code/100 != 4 {
		t.Fatalf("a stranger: %+v %v", r, err)
	}
	g.until(t, `"held": 1`, "status", "--json")
	g.must(t, "trace", "on", "--rules")

	before := g.takesOver(t)
	fresh := g.smtp(t, "192.0.2.8")
	for _, s := range []smtp{old, fresh} {
		sent(s, "afterwards")
	}
	if s := g.must(t, "status"); strings.Contains(s, "trace is off") {
		t.Errorf("the trace was on:\n%s", s)
	}
	// What one process takes the other one knows.
	if r := fresh.send("quota@example.org", "the last one"); r.Code != 250 {
		t.Errorf("%+v", r)
	}
	old.rcptUntil("quota@example.org", 452)
	fresh.rcptUntil("quota@example.org", 452)
	g.must(t, "clients", "pay", "prepaid", "10.00", "--id", "p-1")
	old.rcptUntil("prepaid@example.org", 250)
	fresh.rcptUntil("prepaid@example.org", 250)
	// A stranger who was asked to come again has, in a session of either.
	stranger := func() error { return expect(250)(g.transaction("198.51.100.7", "b@far.test", "sales@example.org")) }
	if err := eventually(harness.Patience, stranger); err != nil {
		t.Errorf("a stranger who came again: %v", err)
	}
	deliveries++
	// Charged by the process before, refused by another milter, voided by the new one.
	if r := old.send("sales@example.org", "refuse-after"); r.Code != 554 {
		t.Fatalf("%+v: the last milter does not refuse", r)
	}
	g.until(t, `"voided": 1`, "status", "--json")
	g.must(t, "hold", "delete", held.QueueID(), "--yes")
	deliveries--
	g.until(t, held.QueueID(), "journal", "--verdict", "voided", "--json")

	// A client that the billing system makes ends the sessions of who does not know it.
	define("new", "")
	fresh.rcptUntil("new@example.org", 250)
	if err := before.Wait(harness.Patience); err != nil || before.ExitCode() != 0 {
		t.Error(err, before.ExitCode())
	}
	sent(fresh, "the last")

	if err := g.postfix.Idle(time.Minute); err != nil {
		t.Error(err)
	}
	if err := g.drained(t.Context(), time.Minute); err != nil {
		t.Error(err)
	}
	owed := deliveries*30 + 25
	g.says(t, fmt.Sprintf(`-%d\.%02d RUB`, owed/100, owed%100), "clients", "show", "sales")
	g.says(t, "0 parked, 0 given up, 0 missing, 0 doubled", "audit")
	if out := g.must(t, "report", "--verify"); strings.Contains(out, "differ") {
		t.Error(out)
	}
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Error(err)
	}
}
