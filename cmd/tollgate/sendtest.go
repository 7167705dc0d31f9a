package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/postfix"
	"github.com/tollgate-mail/tollgate/internal/probe"
)

// testMessage is what send-test is asked for.
type testMessage struct {
	server, from, to string
	eicar, gtube     bool
	wait             timeFlag
}

// testOutcome is what became of it, in JSON.
type testOutcome struct {
	From   string       `json:"from"`
	To     string       `json:"to"`
	Answer probe.Answer `json:"answer"`
	Ref    string       `json:"ref"`    // of the journals; "" when no entry was found
	Judged bool         `json:"judged"` // tollgate has seen it
	Fate   *probe.Fate  `json:"fate"`   // in Postfix's queue; null when it was not taken
}

func (a *app) sendTest() *cobra.Command {
	m := testMessage{server: "127.0.0.1:25", wait: timeFlag(30 * time.Second)}
	c := &cobra.Command{
		Use:   "send-test",
		Short: "send a message through Postfix, and follow it",
		Long: `Send-test hands one message to Postfix by SMTP, as from outside, and tells what
became of it: how it was answered, what tollgate's journals say of it (rules,
modules, antivirus), and whether it has left Postfix's queue. --eicar attaches
the test file that virus scanners find, --gtube has the line that spam filters
find. The recipient gets the message, where nothing stops it.

Exit code 0: a plain message was taken and judged, wherever it went then; with
--eicar the antivirus, or a module, found a virus; with --gtube a module found it
to be spam. 1: it was not so, also where the message was refused for another
reason: nobody looked at it then.`,
		Example: `  tollgate send-test --to ivan@example.org
  tollgate send-test --to ivan@example.org --eicar`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error { return a.sendAndFollow(c.Context(), m) },
	}
	f := c.Flags()
	f.StringVar(&m.to, "to", "", "the recipient, an `ADDRESS`; by default postmaster of one of the domains, or a client's address")
	f.StringVar(&m.from, "from", "", "the sender, an `ADDRESS`; by default tollgate-test of the gateway's name")
	f.StringVar(&m.server, "server", m.server, "Postfix's `HOST:PORT`")
	f.BoolVar(&m.eicar, "eicar", false, "with the test virus")
	f.BoolVar(&m.gtube, "gtube", false, "with the test spam")
	f.Var(&m.wait, "wait", "how long to follow it, a `TIME` such as 1m")
	c.MarkFlagsMutuallyExclusive("eicar", "gtube")
	return c
}

func (m testMessage) kind() probe.Kind {
	switch {
	case m.eicar:
		return probe.EICAR
	case m.gtube:
		return probe.GTUBE
	}
	return probe.Plain
}

func (a *app) sendAndFollow(ctx context.Context, m testMessage) error {
	places, err := a.places()
	if err != nil {
		return err
	}
	helo, err := a.addressed(&m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(m.wait))
	defer cancel()
	id, began := strings.ToLower(rand.Text()[:10]), time.Now()
	is := testOutcome{From: m.from, To: m.to}
	if is.Answer, err = probe.Send(ctx, m.server, helo, m.from, m.to, probe.Message(m.kind(), m.from, m.to, id, time.Now())); err != nil {
		return away(err)
	}
	step := is.Answer.Step
	if step == "." {
		step = "the end of the message"
	}
	a.say("<%s> to <%s>: %s was answered %d %s", is.From, is.To, step, is.Answer.Code, is.Answer.Text)
	found, err := a.judgement(ctx, m.asked(is.Answer, began))
	if err != nil {
		return err
	}
	if len(found) > 0 {
		is.Ref, is.Judged = found[0].Ref, true
	}
	if is.Answer.Taken() && is.Answer.QueueID != "" {
		fate, err := probe.Follow(ctx, postfix.Instance{Config: places.PostfixConfig}, is.Answer.QueueID)
		if err != nil {
			return away(err)
		}
		is.Fate = &fate
		a.say("%s", fate)
	}
	switch {
	case a.json:
		if err := printJSON(a.out, is); err != nil {
			return err
		}
	case is.Judged:
		a.say("")
		if err := a.page(context.WithoutCancel(ctx), looking{}, is.Ref); err != nil {
			return err
		}
	default:
		fmt.Fprintln(a.err, "tollgate: the journals know nothing of it: does Postfix ask tollgate? \"tollgate doctor\" tells")
	}
	if is.Judged && is.Fate != nil && is.Fate.State != "left" && !a.json {
		fmt.Fprintf(a.err, "tollgate: judged, but not delivered: %s\n", is.Fate)
	}
	if !m.asWished(&is, found) {
		if is.Judged && (m.eicar || m.gtube) && !a.json {
			fmt.Fprintln(a.err, "tollgate: nothing was found in it: "+m.why(&is))
		}
		return silent(exitNegative)
	}
	return nil
}

// asWished: a plain message passes and was judged; in a bad one something was
// found.
func (m testMessage) asWished(is *testOutcome, found []journal.Entry) bool {
	if !is.Judged {
		return false
	}
	if m.kind() == probe.Plain {
		return is.Answer.Taken()
	}
	return slices.ContainsFunc(found, m.finds)
}

// finds tells whether an entry says that what is in the message was found: by who
// looks for such. A refusal for another reason says nothing of them.
func (m testMessage) finds(e journal.Entry) bool {
	if m.eicar && e.Kind == journal.Antivirus && e.Result == journal.Infected {
		return true
	}
	return slices.ContainsFunc(e.Modules, func(hit journal.ModuleHit) bool {
		if hit.Result != journal.ModuleOK {
			return false
		}
		if m.gtube && slices.Contains(spamActions(), hit.Action) {
			return true
		}
		return slices.ContainsFunc(hit.Symbols, func(symbol string) bool {
			return slices.ContainsFunc(m.symbols(), func(part string) bool { return strings.Contains(strings.ToLower(symbol), part) })
		})
	})
}

// spamActions are what engines say that they would do with spam.
func spamActions() []string {
	return []string{"reject", "spam", "add header", "rewrite subject", "quarantine"}
}

// symbols are parts of the names that engines give to what is found.
func (m testMessage) symbols() []string {
	if m.eicar {
		return []string{"eicar", "virus", "clam"}
	}
	return []string{"gtube"}
}

// why is why nothing may have been found.
func (m testMessage) why(is *testOutcome) string {
	if !is.Answer.Taken() && is.Answer.Step != "." {
		return fmt.Sprintf("it was refused after %s, before anybody looked for that", is.Answer.Step)
	}
	return "the policy has no [antivirus] (--eicar) or no [[module]] for spam (--gtube), or it did not answer"
}

// addressed fills in sender and recipient, and gives what to say in EHLO.
func (a *app) addressed(m *testMessage) (helo string, err error) {
	cfg, _ := config.Load(a.policy)
	helo = "tollgate.test.invalid"
	if cfg != nil && strings.Contains(cfg.Gate.Gateway, ".") {
		helo = cfg.Gate.Gateway
	}
	if m.from == "" {
		m.from = "tollgate-test@" + helo
	}
	if m.to == "" && cfg != nil {
		m.to = someRecipient(cfg)
	}
	if m.to == "" {
		return "", usagef("to whom? Name the recipient with --to")
	}
	for _, addr := range []string{m.from, m.to} {
		if !strings.Contains(addr, "@") || strings.ContainsAny(addr, "<>\r\n \t") {
			return "", usagef("%q is no address such as ivan@example.org", addr)
		}
	}
	return helo, nil
}

// someRecipient is an address that the policy takes mail for; "" when it names
// none.
func someRecipient(cfg *config.Config) string {
	domains, any := cfg.Gate.Directory.Domains()
	for _, d := range domains {
		if any && !strings.HasPrefix(d, ".") {
			return "postmaster@" + d
		}
	}
	for _, c := range cfg.Gate.Directory.Clients() {
		for _, addr := range c.Addresses {
			if local, domain, ok := strings.Cut(addr, "@"); ok && local != "" && !strings.ContainsAny(addr, "/*^$\\ ") && domain != "" {
				return addr
			}
		}
	}
	return ""
}

// asked is by what the journals are asked for the message. What Postfix itself refuses
// names no reference: there it is who wrote to whom just now.
func (m testMessage) asked(answer probe.Answer, began time.Time) journal.Query {
	switch {
	case answer.QueueID != "":
		return journal.Query{QueueID: answer.QueueID}
	case answer.Ref != "":
		return journal.Query{Ref: answer.Ref}
	}
	q := journal.Query{Kinds: []string{journal.Messages, journal.Blocks}, Sender: m.from, Since: began.Add(-time.Second)} // in whole milliseconds there
	if answer.Step != "MAIL" {
		q.Recipient = m.to
	}
	return q
}

// judgement is what the journals say of the message; nothing when they know
// nothing of it, in time.
func (a *app) judgement(ctx context.Context, q journal.Query) ([]journal.Entry, error) {
	// The line is written when the message has ended; Postfix's answer may be first.
	for ends := time.Now().Add(5 * time.Second); ; {
		dir, err := a.folder(ctx, "")
		if err != nil {
			return nil, err
		}
		var found []journal.Entry
		ended := false
		_, err = journal.Search(ctx, dir, q, func(e journal.Entry) error {
			found = append(found, e)
			ended = ended || e.Kind == journal.Messages || e.Kind == journal.Blocks
			return nil
		})
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return found, nil
		case err != nil:
			return nil, away(err)
		case ended, time.Now().After(ends):
			return found, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}
