package tape

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/results"
)

// ErrUnknown is the answer to what the live judgement did not ask and nobody is
// to be asked for.
var ErrUnknown = errors.New("not known: the live judgement did not ask")

type (
	recordKey struct{}
	recallKey struct{}
)

// recording has what is answered in ctx kept.
func recording(ctx context.Context, a *Answers) context.Context {
	ctx = context.WithValue(ctx, recordKey{}, a)
	return module.WithRecord(ctx, func(g *module.Guard, m *module.Message, r module.Result) {
		if !errors.Is(r.Err, context.Canceled) && !errors.Is(r.Err, module.ErrAborted) {
			a.keep(inspected{g, m.Envelope.Ref}, r)
		}
	})
}

// inspected is the question put to an inspector about a message.
type inspected struct {
	guard *module.Guard
	ref   string
}

// Recall answers a second judgement from what the first was answered. What the
// first did not ask is asked now, so many questions at once, or is not known.
type Recall struct {
	answers *Answers
	ref     string // of the message, in the first judgement
	asking  *Asking
	unknown atomic.Int64
}

// Asking is who asks what only second judgements want to know.
type Asking struct {
	places chan struct{} // nil: nobody asks
	most   int64         // questions about one message
}

// NewAsking asks so many questions at once, 0 for none, and at most so many about
// one message.
func NewAsking(atOnce int, most int64) *Asking {
	if atOnce == 0 {
		return &Asking{}
	}
	return &Asking{make(chan struct{}, atOnce), most}
}

// Unknown is how many questions have had no answer.
func (r *Recall) Unknown() int64 { return r.unknown.Load() }

// Context is that of a second judgement.
func (r *Recall) Context(ctx context.Context) context.Context {
	ctx = context.WithValue(ctx, recallKey{}, r)
	return module.WithRecall(ctx, func(g *module.Guard, m *module.Message) (module.Result, bool) {
		if known, ok := r.answers.recall(inspected{g, r.ref}); ok {
			return known.(module.Result), true
		}
		if r.asking.places == nil {
			r.unknown.Add(1)
			return module.Result{Err: ErrUnknown}, true
		}
		return module.Result{}, false
	})
}

type answer[T any] struct {
	value T
	err   error
}

// asked is a question of any judgement: a live one keeps the answer where it is
// recorded, a second one takes it from there.
func asked[T any](ctx context.Context, question any, ask func(context.Context) (T, error)) (T, error) {
	if r, ok := ctx.Value(recallKey{}).(*Recall); ok {
		if known, ok := r.answers.recall(question); ok {
			if a, ok := known.(answer[T]); ok {
				return a.value, a.err
			}
		}
		return only(ctx, r, ask)
	}
	value, err := ask(ctx)
	if a, ok := ctx.Value(recordKey{}).(*Answers); ok && ctx.Err() == nil {
		a.keep(question, answer[T]{value, err})
	}
	return value, err
}

// only asks what only a second judgement wants to know. It waits for no place.
func only[T any](ctx context.Context, r *Recall, ask func(context.Context) (T, error)) (T, error) {
	var zero T
	if r.asking.places != nil && r.asking.most > 0 {
		select {
		case r.asking.places <- struct{}{}:
			defer func() { <-r.asking.places }()
			value, err := ask(ctx)
			if err != nil {
				r.unknown.Add(1)
			}
			return value, err
		default:
		}
	}
	r.unknown.Add(1)
	return zero, ErrUnknown
}

// Live has the answers that a policy gets kept where a session is taped.
func Live(p *gate.Policy) {
	if p.DNS != nil {
		p.DNS = dns{p.DNS}
	}
	if p.Memory != nil {
		p.Memory = memory{p.Memory}
	}
}

// Second has a policy recall answers, and write nothing.
func Second(p *gate.Policy) {
	Live(p)
	if p.Memory != nil {
		p.Memory = readOnly{p.Memory}
	}
}

// readOnly never writes, whoever asks it to.
type readOnly struct{ gate.Memory }

func (readOnly) Remember(context.Context, string, []string, time.Time) error { return nil }

type dns struct{ to gate.DNS }

type (
	mxQuestion     struct{ sender string }
	listQuestion   struct{ zone, client string }
	domainQuestion struct{ zone, domain string }
	spfQuestion    struct{ client, helo, sender string }
	txtQuestion    struct{ name string }
)

func (d dns) SenderMX(ctx context.Context, sender string) (results.MX, error) {
	return asked(ctx, mxQuestion{sender}, func(ctx context.Context) (results.MX, error) { return d.to.SenderMX(ctx, sender) })
}

func (d dns) Listed(ctx context.Context, zone string, client netip.Addr) ([]netip.Addr, error) {
	return asked(ctx, listQuestion{zone, client.String()}, func(ctx context.Context) ([]netip.Addr, error) { return d.to.Listed(ctx, zone, client) })
}

func (d dns) ListedDomain(ctx context.Context, zone, domain string) ([]netip.Addr, error) {
	return asked(ctx, domainQuestion{zone, domain}, func(ctx context.Context) ([]netip.Addr, error) { return d.to.ListedDomain(ctx, zone, domain) })
}

func (d dns) SPF(ctx context.Context, client netip.Addr, helo, sender string) (dnscheck.SPFResult, error) {
	return asked(ctx, spfQuestion{client.String(), helo, sender}, func(ctx context.Context) (dnscheck.SPFResult, error) {
		return d.to.SPF(ctx, client, helo, sender)
	})
}

func (d dns) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return asked(ctx, txtQuestion{name}, func(ctx context.Context) ([]string, error) { return d.to.LookupTXT(ctx, name) })
}

// memory is never written to by a second judgement.
type memory struct{ to gate.Memory }

type (
	greyQuestion  struct{ client, sender, recipient string }
	wroteQuestion struct{ local, remote string }
	greyAnswer    struct {
		wait time.Duration
		why  string
	}
)

func (m memory) Greylist(ctx context.Context, t gate.Try) (time.Duration, string, error) {
	question := greyQuestion{t.Client.String(), t.Sender, t.Recipient}
	if r, ok := ctx.Value(recallKey{}).(*Recall); ok {
		// To ask is to write.
		known, _ := r.answers.recall(question)
		a, ok := known.(answer[greyAnswer])
		if !ok {
			r.unknown.Add(1)
		}
		return a.value.wait, a.value.why, a.err
	}
	a, err := asked(ctx, question, func(ctx context.Context) (greyAnswer, error) {
		wait, why, err := m.to.Greylist(ctx, t)
		return greyAnswer{wait, why}, err
	})
	return a.wait, a.why, err
}

func (m memory) Wrote(ctx context.Context, local, remote string, now time.Time) (bool, error) {
	return asked(ctx, wroteQuestion{local, remote}, func(ctx context.Context) (bool, error) { return m.to.Wrote(ctx, local, remote, now) })
}

func (m memory) Remember(ctx context.Context, local string, remote []string, now time.Time) error {
	return m.to.Remember(ctx, local, remote, now)
}

// NewRecall answers from a tape.
func NewRecall(t *Tape, a *Asking) *Recall { return &Recall{answers: t.Answers, ref: t.Ref, asking: a} }
