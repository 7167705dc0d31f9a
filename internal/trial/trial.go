// Package trial judges messages that are not live: those that are explained,
// tested or replayed. It drives the same gate as live mail, assembled of the
// same policy with other parts: look-ups are answered from a table or not at
// all, what is remembered is made up, records and journals are kept nowhere.
package trial

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/types"
)

// Options of a bench.
type Options struct {
	Config *config.Config
	// Lookups answers what DNS is asked: a part such as assemble.Resolvers or
	// Answers. nil: nothing is looked up, and what hangs on it is not known.
	Lookups assemble.Part
	// Inspectors are asked about whole messages: "live" ones, or, with nil, those
	// alone that ask nobody.
	Inspectors *assemble.Inspectors
	Memory     Memory
	// Clients are those of the policy and of the source that it follows, as assemble.KeptClients
	// has them.
	// nil: of a source nobody is known, and who is not the policy's is deferred.
	Clients *directory.Directory
	// Standings are how clients' accounts stand: they block as in live mail. nil:
	// it is not known, and neither a quota nor a balance refuses anybody.
	Standings []accounting.Standing
	// Recall: of messages it is known what was found before (Message.Known).
	// Inspectors that ask a service are not asked then.
	Recall bool
	Now    func() time.Time
	// Dir is where long messages wait for their inspectors; "" for the folder
	// for temporary files.
	Dir string
}

// Bench judges one message at a time.
type Bench struct {
	running *assemble.Running
	judge   *assemble.Judge
	kept    *kept
	// recalled is nil where nothing is known of what was found before.
	recalled *recalled
}

// New assembles a policy for trial.
func New(ctx context.Context, o Options) (*Bench, error) {
	log := slog.New(slog.DiscardHandler)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Inspectors == nil {
		o.Inspectors = &assemble.Inspectors{Only: AsksNobody, Folder: os.TempDir()}
	}
	o.Inspectors.Log = log
	b := &Bench{kept: &kept{}}
	b.judge = &assemble.Judge{Parts: gate.Parts{
		Records: b.kept, Journal: b.kept, Observers: []gate.Observer{b.kept}, Log: log, Now: o.Now,
		Stasher: &module.Stasher{Dir: o.Dir},
	}}
	parts := []assemble.Part{&o.Memory, o.Inspectors, clientele{o.Clients, o.Standings}}
	if o.Recall {
		b.recalled = &recalled{}
		b.judge.Recall = b.recalled
		parts = append(parts, b.recalled)
	}
	parts = append(parts, b.judge)
	if o.Lookups != nil {
		parts = append([]assemble.Part{o.Lookups}, parts...)
	}
	b.running = assemble.New(parts...)
	change, err := assemble.Prepare(ctx, o.Config, b.running)
	if err != nil {
		return nil, err
	}
	change.Commit()
	return b, nil
}

// Close ends its parts.
func (b *Bench) Close() error { return b.running.Close() }

// AsksNobody tells of an inspector that it needs no service.
func AsksNobody(i config.Inspector) bool {
	t, ok := types.Find(i.Type)
	return ok && t.Local
}

// Message is a message to be judged, as the MTA would tell of it.
type Message struct {
	Client     gate.Peer
	Helo       string // "": it says none
	Envelope   gate.Envelope
	Recipients []string
	// Text is the whole message; nil: only the envelope is judged.
	Text []byte
	// Known is what was found of it before, for a bench that recalls; nil: nothing.
	Known Known
}

// Outcome is what became of a message.
type Outcome struct {
	Events []gate.Event // every step, in its order
	// Result is the end of it. Of an envelope alone the verdict is what its
	// recipients got: accept when one of them was accepted.
	Result     gate.Result
	Recipients []Recipient
	Header     mail.Header // as it came
	Left       mail.Header // as it would go on, with accept and hold
	Records    []accounting.Record
}

// Recipient is what became of one RCPT TO.
type Recipient struct {
	Address string
	gate.Decision
}

// Judge has a message judged as if it came now.
func (b *Bench) Judge(ctx context.Context, m Message) (*Outcome, error) {
	b.kept.reset()
	if b.recalled != nil {
		ctx = b.recalled.begin(ctx, m.Known)
	}
	o := &Outcome{}
	s := b.judge.Gate().Session(ctx, m.Client)
	if m.Helo != "" {
		s.Helo(ctx, m.Helo)
	}
	g, mailed := s.Mail(ctx, m.Envelope)
	accepted := false
	for _, address := range m.Recipients {
		d := mailed
		if d.Verdict == gate.Pass {
			d = g.Rcpt(ctx, gate.Recipient{Address: address, QueueID: m.Envelope.QueueID})
		}
		accepted = accepted || d.Verdict == gate.Pass
		o.Recipients = append(o.Recipients, Recipient{address, d})
	}
	var body []byte
	o.Header, body = mail.SplitMessage(m.Text)
	if accepted && m.Text != nil {
		g.QueueID(m.Envelope.QueueID)
		for _, f := range o.Header {
			g.Header(f.Name, f.Value)
		}
		g.EndOfHeader(ctx)
		eachBlock(body, func(p []byte) { g.Body(ctx, p) })
		o.Result = g.Complete(ctx)
	}
	s.Close()
	b.judge.Gate().Wait()
	o.Events, o.Records = b.kept.events, b.kept.records
	if !accepted || m.Text == nil {
		o.Result = b.kept.ended()
		if accepted {
			o.Result.Verdict = gate.Accepted
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("not judged to its end: %w", err)
	}
	o.Left = edited(o.Header, o.Result.Edits)
	return o, nil
}

// kept is what a judgement writes.
type kept struct {
	events  []gate.Event
	records []accounting.Record
}

func (k *kept) reset() { k.events, k.records = nil, nil }

// ended is the result that the end of a message was told with.
func (k *kept) ended() (r gate.Result) {
	for _, e := range k.events {
		if end, ok := e.(gate.Ended); ok {
			r = end.Result
		}
	}
	return r
}

func (k *kept) Append(_ context.Context, records []accounting.Record) error {
	k.records = append(k.records, records...)
	return nil
}

func (k *kept) Observes(*gate.Session) bool              { return true }
func (k *kept) Observe(_ *gate.Session, e gate.Event)    { k.events = append(k.events, e) }
func (k *kept) Write(...*journal.Entry) error            { return nil }
func (k *kept) Traced(netip.Addr) (protocol, rules bool) { return false, false }
