package test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/address/addresstest"
	"github.com/tollgate-mail/tollgate/test/harness"
)

var (
	spellings    = flag.Int("spellings", 150, "how many addresses TestSpellings makes up")
	spellingSeed = flag.Uint64("spelling.seed", 1, "what TestSpellings makes them of")
)

// However a client spells addresses, a real Postfix delivers to the mailbox that
// tollgate knew them as: the account has its name, and rules and lists that name
// it, and no others, matched. Half of the addresses are spelt in ways that mean
// the same, half have odd octets put anywhere.
func TestSpellings(t *testing.T) {
	g := prepare(t, false)
	g.write(t, "policy/policy.toml", `
[[client]]
id = "all"
addresses = ["@example.org", "@тест.рф"]

[lists]
ivan = ["ivan@example.org"]
pest = ["pest@evil.example"]

[[rule]]
name   = "to-ivan"
stage  = "rcptto"
match  = { recipient = "list:ivan" }
weight = 1

[[rule]]
name   = "to-ivan-regex"
stage  = "rcptto"
match  = { recipient = '^ivan@example\.org$' }
weight = 1

[[rule]]
name   = "from-pest"
stage  = "mailfrom"
match  = { sender = "list:pest" }
weight = 1

[[rule]]
name   = "from-pest-regex"
stage  = "mailfrom"
match  = { sender = '^pest@evil\.example$' }
weight = 1

[[rule]]
name   = "from-evil"
stage  = "mailfrom"
match  = { sender_domain = '^evil\.example$' }
weight = 1
`)
	g.start(t, "smtpd_hard_error_limit = 10000", "smtpd_soft_error_limit = 10000", "smtpd_junk_command_limit = 10000")
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, one := range []func() (harness.Reply, error){c.Reply, func() (harness.Reply, error) { return c.XClient("ADDR=192.0.2.7", "NAME=mail.example.com") },
		func() (harness.Reply, error) { return c.Cmd("EHLO mail.example.com") }} {
		if r, err := one(); err != nil || !r.OK() {
			t.Fatal(r, err)
		}
	}
	rnd := rand.New(rand.NewPCG(*spellingSeed, 0))
	pick := func(all ...string) string { return all[rnd.IntN(len(all))] }
	made := map[string][2]string{} // sender and recipient as they were sent, by queue id
	refused := 0
	for range *spellings {
		from := addresstest.Spell(rnd.IntN, pick("pest", "a.b", "o'x"), pick("evil.example", "sub.evil.example", "good.example"))
		to := addresstest.Spell(rnd.IntN, pick("ivan", "ivan", "olga", "x.y", "иван"), pick("example.org", "example.org", "тест.рф"))
		if rnd.IntN(2) == 0 {
			from, to = addresstest.Disturb(rnd.IntN, from), addresstest.Disturb(rnd.IntN, to)
		}
		r, err := c.Cmd(fmt.Sprintf("MAIL FROM:<%s> SMTPUTF8", from))
		if err == nil && r.OK() {
			if r, err = c.Cmd(fmt.Sprintf("RCPT TO:<%s>", to)); err == nil && r.OK() {
				r, err = c.Data([]byte("From: a@b.example\r\n\r\ntext\r\n"))
			}
		}
		switch {
		case err != nil:
			t.Fatal(err)
		case r.OK():
			made[r.QueueID()] = [2]string{from, to}
		default:
			refused++
			if r, err := c.Cmd("RSET"); err != nil || !r.OK() {
				t.Fatal(r, err)
			}
		}
	}
	t.Logf("seed %d: %d accepted, %d refused", *spellingSeed, len(made), refused)
	if len(made) < *spellings/4 {
		t.Errorf("only %d of %d are accepted", len(made), *spellings)
	}
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	if err := g.sink.Wait(ctx, len(made)); err != nil {
		t.Fatal(err)
	}
	delivered := map[string]*harness.Delivered{}
	for _, d := range g.sink.Messages() {
		delivered[d.QueueID()] = d
	}
	c.Close() // the daemon would wait for it
	g.stopDrained(t)
	for _, r := range g.records(t) {
		d, ok := delivered[r.QueueID]
		if !ok || len(d.To) != 1 {
			t.Errorf("%s is charged and was not delivered once: %v", r.QueueID, d)
			continue
		}
		delete(delivered, r.QueueID)
		to, from := address.Parse(d.To[0]), address.Parse(d.From)
		what := fmt.Sprintf("%q to %q, delivered from %q to %q", made[r.QueueID][0], made[r.QueueID][1], d.From, d.To[0])
		if sender := address.Fold(r.Sender); address.Fold(r.Recipient) != to.String() || sender != from.String() && sender+"@mx.test" != from.String() { // Postfix completes a bare local part
			t.Errorf("%s: the record has %q to %q", what, r.Sender, r.Recipient)
		}
		for rule, want := range map[string]bool{
			"to-ivan": to.String() == "ivan@example.org", "from-pest": from.String() == "pest@evil.example", "from-evil": from.Domain == "evil.example",
		} {
			for _, rule := range []string{rule, rule + "-regex"} {
				if rule != "from-evil-regex" && slices.ContainsFunc(r.Rules, func(s string) bool {
					return strings.HasPrefix(s, rule) && strings.Trim(s[len(rule):], "=+0123456789.") == ""
				}) != want {
					t.Errorf("%s: rule %s matched: %v; of %q", what, rule, !want, r.Rules)
				}
			}
		}
	}
	for id, d := range delivered {
		t.Errorf("%s: %q was delivered to %q and nobody was charged", id, made[id], d.To)
	}
}
