// Package shadow judges mail once more, from a tape of its live judgement, by
// another policy or by the same: without effect, after the live reply, and never
// awaited by it.
package shadow

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/tape"
	"github.com/tollgate-mail/tollgate/rules"
)

// Unknown is the verdict on what the live verdict did not let come.
const Unknown gate.Verdict = "unknown"

// Outcome is what a judgement made of a message.
type Outcome struct {
	Recipients []gate.Verdict // as the tape's: accept, reject, tempfail, unknown; of an accepted one what became of the message
	Verdict    gate.Verdict   // of the whole: of several recipients that of the first accepted one
	Reply      string
	Stage      string
	Rule       string
	Reason     string
	Weight     rules.Weight
	Tags       string // fields that are set, without the report
	Hits       string // names of rules that hit
	Charged    string // recipients with what they are charged
}

// second judges tapes by one policy, one at a time.
type second struct {
	gate  *gate.Gate
	clock atomic.Int64
	ref   string // of the message that is judged
	sink  sink
}

func newSecond(p *gate.Policy, dir string) *second {
	s := &second{}
	tape.Second(p)
	s.gate = gate.New(p, gate.Parts{
		Records: &s.sink, Journal: &s.sink, Log: slog.New(slog.DiscardHandler), Stasher: &module.Stasher{Dir: dir},
		NewRef: func() string { return s.ref },
		Now:    func() time.Time { return time.Unix(0, s.clock.Load()) },
	})
	return s
}

// judge judges a tape.
func (s *second) judge(ctx context.Context, t *tape.Tape) (o Outcome) {
	s.sink, s.ref = sink{}, t.Ref
	s.clock.Store(t.Began.UnixNano())
	session := s.gate.Session(ctx, t.Peer)
	defer func() {
		session.Close()
		s.gate.Wait()
	}()
	if t.Greeted {
		session.Helo(ctx, t.Helo)
	}
	m, mailed := session.Mail(ctx, t.Envelope)
	accepted := false
	for _, r := range t.Recipients {
		d := mailed
		if d.Verdict == gate.Pass {
			d = m.Rcpt(ctx, r.Recipient)
		}
		if d.Verdict == gate.Pass {
			d.Verdict = gate.Accepted
			accepted = accepted || r.Refused == nil
		} else if o.Reply == "" {
			o.Reply = d.Reply.String()
		}
		o.Recipients = append(o.Recipients, d.Verdict)
	}
	var result gate.Result
	switch {
	case !accepted && !t.Cut:
		session.Abort()
		result = gate.Result{Verdict: gate.Aborted, Weight: m.Weight()}
		if len(o.Recipients) > 0 {
			result.Verdict = o.Recipients[0]
		} else if mailed.Verdict != gate.Pass {
			result.Verdict = mailed.Verdict
		}
	case !t.Complete || t.Cut:
		// What would have become of it beyond here nobody knows.
		session.Abort()
		result = gate.Result{Verdict: Unknown, Weight: m.Weight()}
	default:
		for _, f := range t.Header {
			m.Header(f.Name, f.Value)
		}
		s.clock.Store(t.Ended.UnixNano())
		m.EndOfHeader(ctx)
		m.Body(ctx, t.Body)
		result = m.Complete(ctx)
		o.Reply = result.Reply.String()
	}
	policy := s.gate.Policy()
	o.finish(result, policy.ReportHeader)
	if e := s.sink.last; e != nil {
		o.Stage, o.Rule, o.Reason = e.Stage, e.Rule, e.Reason
	}
	if o.Rule == "" && o.Reason == "" && s.sink.block != nil {
		o.Stage, o.Rule, o.Reason = s.sink.block.Stage, s.sink.block.Rule, s.sink.block.Reason
	}
	return o
}

// live is what the live judgement made of a message.
func live(t *tape.Tape, report string) (o Outcome) {
	accepted := false
	for _, r := range t.Recipients {
		v := r.Verdict
		if v == gate.Pass {
			v = gate.Accepted
			accepted = accepted || r.Refused == nil
		} else if o.Reply == "" {
			o.Reply = r.Reply.String()
		}
		o.Recipients = append(o.Recipients, v)
	}
	result := t.Result
	switch {
	case t.Complete:
		o.Reply = result.Reply.String()
	case accepted:
		result.Verdict = gate.Aborted
	case len(o.Recipients) > 0:
		result.Verdict = o.Recipients[0]
	default:
		result.Verdict = gate.Aborted
	}
	o.finish(result, report)
	return o
}

// finish takes what became of the whole message.
func (o *Outcome) finish(r gate.Result, report string) {
	o.Verdict, o.Weight = r.Verdict, r.Weight
	for i, v := range o.Recipients {
		if v == gate.Accepted {
			o.Recipients[i] = r.Verdict
		}
	}
	var tags, hits, charged []string
	for _, e := range r.Edits {
		if e.Kind == gate.DeleteField || strings.EqualFold(e.Name, report) {
			continue
		}
		tags = append(tags, e.Name+":"+e.Value)
	}
	for _, h := range r.Hits {
		hits = append(hits, h.Rule.Name)
	}
	for _, rec := range r.Records {
		charged = append(charged, rec.Recipient+"="+rec.Client+"="+rules.Weight(rec.Charged).String())
	}
	o.Tags, o.Hits, o.Charged = strings.Join(tags, "\n"), strings.Join(hits, " "), strings.Join(charged, " ")
}

// sink takes what a judgement writes, and keeps of it what tells why.
type sink struct{ last, block *journal.Entry }

func (*sink) Append(context.Context, []accounting.Record) error { return nil }

func (s *sink) Write(entries ...*journal.Entry) error {
	for _, e := range entries {
		switch e.Kind {
		case journal.Messages:
			s.last = e
		case journal.Blocks:
			if s.block == nil {
				s.block = e
			}
		}
	}
	return nil
}

func (*sink) Traced(netip.Addr) (protocol, rules bool) { return false, false }
