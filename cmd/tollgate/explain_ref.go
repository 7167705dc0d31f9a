package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

// notKnown is what no journal has of a message.
func notKnown() []string {
	return []string{
		"the body, and the header but for Subject and Message-ID",
		"values of attributes that no rule's match shows, and what DNS answered",
		"rules that were tried and did not match, unless rules were traced",
		"header fields that modules added, and what it was charged (tollgate report)",
	}
}

// found is what the journals have of one message.
type found struct {
	Ref      string          `json:"ref"`
	Policy   string          `json:"policy"` // the version that judged; "" where the journal does not say
	Entries  []journal.Entry `json:"entries"`
	NotKnown []string        `json:"not_known"`
	// Now is what would happen now; nil where nothing asks for that.
	Now *trial.Explanation `json:"now"`

	story story
}

// findMessage is the message of a reference or queue id; the last where a queue
// id came again.
func (a *app) findMessage(ctx context.Context, name string) (*found, string, error) {
	dir, err := a.folder(ctx, "")
	if err != nil {
		return nil, "", err
	}
	r := a.reading(dir)
	refs, err := r.refs(ctx, name)
	if err != nil {
		return nil, "", err
	}
	f := &found{Ref: refs[len(refs)-1], Entries: []journal.Entry{}, NotKnown: notKnown()}
	if len(refs) > 1 {
		fmt.Fprintf(a.err, "tollgate: the queue id came %d times; this is the last, %s\n", len(refs), f.Ref)
	}
	err = r.search(ctx, journal.Query{Ref: f.Ref}, func(e journal.Entry) error {
		f.story.add(&e)
		e.Line = ""
		f.Entries = append(f.Entries, e)
		f.Policy = or2(e.Policy, f.Policy)
		return nil
	})
	if !r.whole {
		f.NotKnown = append(f.NotKnown, "what stands in files of the journal that cannot be read")
	}
	return f, dir, err
}

func or2(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

// redact takes away local parts and subjects; what would happen now was found out with
// them.
func (f *found) redact(k redactKey) {
	all := f.Entries
	f.Entries, f.story = nil, story{}
	for _, e := range all {
		e = k.entry(e)
		e.Line = ""
		f.story.add(&e)
		f.Entries = append(f.Entries, e)
	}
	if f.Now != nil {
		k.explanation(f.Now)
	}
}

// envelope fills in what the command line does not say from the journal.
func (f *found) envelope(x *explanation, nullSender bool) (sender bool) {
	e := f.story.about()
	x.clientIP, x.helo = or2(x.clientIP, e.ClientIP), or2(x.helo, e.Helo)
	if e.ClientHost != "unknown" {
		x.clientHost = or2(x.clientHost, e.ClientHost)
	}
	x.tls, x.user = or2(x.tls, e.TLS), or2(x.user, e.AuthUser)
	if x.sender == "" && !nullSender {
		x.sender, nullSender = e.Sender, true
	}
	if len(x.recipients) == 0 {
		x.recipients = slices.Clone(e.Recipients)
		for _, b := range f.story.blocks {
			if b.Recipient != "" && !slices.Contains(x.recipients, b.Recipient) {
				x.recipients = append(x.recipients, b.Recipient)
			}
		}
	}
	if x.at == "" && !e.Time.IsZero() {
		x.at = e.Time.UTC().Format("2006-01-02T15:04:05Z")
	}
	return nullSender
}

// explainRef tells what the journals know of a message, and with now what would
// happen to it by the policy as it is.
func (a *app) explainRef(ctx context.Context, x *explanation, nullSender, now bool, text []byte) error {
	a.lookedHere(ctx, daemon.LookRequest{Command: "explain", What: x.ref})
	f, _, err := a.findMessage(ctx, x.ref)
	if err != nil {
		return err
	}
	if now {
		nullSender = f.envelope(x, nullSender)
		if f.Now, err = a.explained(ctx, x, nullSender, text); err != nil {
			return err
		}
	}
	if x.redact {
		f.redact(a.redactions())
	}
	if a.json {
		return printJSON(a.out, f)
	}
	l := looking{}
	if err := f.story.page(a, l.zone()); err != nil {
		return away(err)
	}
	p := a.printer()
	if f.Policy != "" {
		p.line("")
		p.line("judged by policy version %s", f.Policy)
	}
	p.line("")
	p.line("what the journal does not know:")
	for _, s := range f.NotKnown {
		p.line("  %s", s)
	}
	if f.Now == nil {
		return away(p.err)
	}
	p.line("")
	if text == nil {
		p.line("what would happen to its envelope now:")
	} else {
		p.line("what would happen to the message now:")
	}
	p.line("")
	if p.err != nil {
		return away(p.err)
	}
	if err := printExplanation(p, f.Now); err != nil || text != nil {
		return away(err)
	}
	p.line("")
	p.line("this is of the envelope alone: what the message itself would meet is not known without it")
	return away(p.err)
}
