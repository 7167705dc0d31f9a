package gate

import (
	"context"
	"slices"

	"github.com/tollgate-mail/tollgate/rules"
)

// Complete judges the whole message, makes its records durable, journals it,
// and only then answers. Asked again it gives the same answer.
func (m *Message) Complete(ctx context.Context) Result {
	if m.done {
		return m.result
	}
	m.s.stopwatch.end = m.s.g.Now()
	if !m.headersIn {
		m.endOfHeader(ctx)
	}
	if m.inspection.stash != nil {
		m.inspection.stash.End()
	}
	v := m.verdict(ctx)
	return m.finish(ctx, v)
}

// final is a verdict on a message and why.
type final struct {
	verdict Verdict
	refusal // with any verdict but Accepted
}

// stricter keeps the strictest of several; of equals the first.
func (f *final) stricter(v Verdict, why refusal) {
	if v.severity() > f.verdict.severity() {
		f.verdict, f.refusal = v, why
	}
}

// verdict judges the message at its end: what stands from earlier stages, the
// rules that need no inspector, the inspectors, the rules that need them, the
// thresholds.
func (m *Message) verdict(ctx context.Context) final {
	f := final{verdict: Accepted}
	if len(m.accepted) == 0 {
		f.stricter(Rejected, *m.at(rules.Complete, "no recipients", m.s.g.texts.noRecipients))
		return f
	}
	if m.s.skip {
		return f
	}
	if r := m.bar(); r != nil {
		f.stricter(Rejected, *r)
		return f
	}
	last := m.judgeComplete(ctx, rules.Complete)
	if r := m.pending(m.unfiltered()); r != nil {
		// No inspector has work with what is refused anyway.
		f.stricter(r.verdict(), *r)
		return f
	}
	m.inspection.begin(ctx)
	m.inspection.await(ctx)
	m.inspection.judgeScan(&f)
	if r := m.inspection.countModules(); r != nil && !m.unfiltered() {
		f.stricter(r.verdict(), *r)
	}
	if !last {
		m.judgeComplete(ctx, rules.Inspected)
	}
	if r := m.pending(m.unfiltered()); r != nil {
		f.stricter(r.verdict(), *r)
	}
	if m.unfiltered() {
		// Never refused, discarded or held by rules; marks stay.
		if !m.white() {
			m.thresholds()
		}
		return f
	}
	for _, s := range [...]*scope{&m.s.atConnect, &m.s.atHelo, &m.scope} {
		if s.discard != nil {
			f.stricter(Discarded, byRule(s.discard))
		}
		if s.hold != nil {
			f.stricter(Held, byRule(s.hold))
		}
	}
	if !m.ended() {
		for _, t := range m.thresholds() {
			why := refusal{
				stage: rules.Complete.String(), reply: t.Reply,
				reason: "weight " + m.weight.String() + " above " + t.Above.String(),
			}
			switch t.Action {
			case rules.Reject:
				why.reply = orElse(t.Reply, m.s.g.texts.reject)
				f.stricter(Rejected, why)
			case rules.Tempfail:
				why.reply = orElse(t.Reply, m.s.g.texts.tempfail)
				f.stricter(Deferred, why)
			case rules.Discard:
				f.stricter(Discarded, why)
			case rules.Hold:
				f.stricter(Held, why)
			}
		}
	}
	return f
}

// judgeComplete tries the rules of complete before or after the inspectors and
// tells whether no further rule of the stage is to be tried.
func (m *Message) judgeComplete(ctx context.Context, stage rules.Stage) (last bool) {
	if m.ended() {
		return true
	}
	out := m.s.evaluate(ctx, stage, &m.facts)
	m.add(rules.Complete, out, &m.s.g.texts)
	m.count(out.Hits)
	return out.Ended()
}

// Passed is a threshold that the weight of a message is above, one in shadow, too.
type Passed struct{ Threshold *rules.Threshold }

func (Passed) event() {}

// thresholds are those the weight passes; their marks count. Those in shadow are
// journalled, as what matched without effect.
func (m *Message) thresholds() []*rules.Threshold {
	var passed []*rules.Threshold
	m.passed = nil
	for _, t := range m.j.Rules.Thresholds(m.weight) {
		if m.s.hasObservers() {
			m.s.tell(Passed{t})
		}
		if t.Shadow {
			m.found.addThreshold(t)
			continue
		}
		m.tagged = append(m.tagged, tagging{tags: t.Tags})
		passed = append(passed, t)
		m.passed = append(m.passed, ThresholdName(t))
	}
	return passed
}

func orElse(r, other *rules.Reply) *rules.Reply {
	if r != nil {
		return r
	}
	return other
}

func byRule(r *rules.Rule) refusal {
	return refusal{stage: r.Stage.String(), rule: r.Name, reason: "rule " + r.Name}
}

// finish carries out a verdict: records, journals, then the answer.
func (m *Message) finish(ctx context.Context, f final) Result {
	m.done = true
	m.s.findObservers()
	defer m.inspection.release()
	r := Result{Ref: m.ref}
	if (f.verdict == Accepted || f.verdict == Held) && !m.s.skip {
		// Before the message is charged: what it would cost the MTA may refuse it.
		if r.Edits = m.edits(ctx); int64(len(r.Edits)) > m.j.Limits.of(HeaderEdits) {
			m.overrun(HeaderEdits, rules.Complete)
		}
		if field, ok := oversized(r.Edits); ok {
			m.s.g.Log.Error("a tag cannot be added: the field is too long", "ref", m.ref, "field", field)
			if !m.j.AcceptOnError {
				f = final{verdict: Deferred, refusal: *m.at(rules.Complete, "a tag cannot be added: "+field+" is too long", m.s.g.texts.fault)}
			}
			r.Edits = slices.DeleteFunc(r.Edits, func(e Edit) bool { return len(e.Name)+len(e.Value) > maxEdit })
		}
	}
	if m.overran != nil && !m.s.skip {
		f = final{verdict: m.overran.verdict(), refusal: *m.overran}
	}
	if f.verdict == Accepted || f.verdict == Held {
		if err := m.charge(ctx, f.verdict); err != nil {
			f.refusal = refusal{
				stage: rules.Complete.String(), reason: "accounting: " + err.Error(),
				reply: m.j.Replies.Accounting,
			}
			f.verdict = Deferred
			// The journal has each of them, and the spool says that it cannot write: a
			// line of the log for each message would fill the disk it is on.
			m.s.g.Log.Debug("usage records cannot be kept; mail is deferred", "ref", m.ref, "error", err)
		}
	}
	r.Verdict = f.verdict
	switch f.verdict {
	case Rejected, Deferred:
		r.Reply = m.answer(&f.refusal)
		r.Verdict = r.Reply.verdict()
	case Held:
		r.Reason = clean(f.reason) + " (ref " + m.ref + ")"
	}
	if r.Verdict != Accepted {
		err := m.journalRefusal(&f.refusal, r)
		if err != nil && (r.Verdict == Discarded || r.Verdict == Held) {
			// Mail is never discarded without a line that says so, nor held without the
			// one by which it is found again.
			if len(m.records) > 0 {
				m.void(m.records, "it could not be journalled that it is held")
				m.records = nil
			}
			f.refusal = refusal{stage: rules.Complete.String(), reason: "blocks journal: " + err.Error()}
			r = Result{Verdict: Deferred, Ref: m.ref, Reply: m.answer(&refusal{reply: m.s.g.texts.fault})}
		}
	}
	if r.Verdict != Accepted && r.Verdict != Held {
		r.Edits = nil
	}
	if r.Verdict == Accepted && !m.s.skip {
		m.remember()
	}
	r.Weight, r.Hits, r.Records = m.weight, m.counted, m.records
	m.result = r
	m.decided(rules.Complete, "", r.Verdict, r.Reply, &f.refusal)
	m.record(r.Verdict, &f.refusal, r.Reply)
	m.tellFate(r.Verdict, f.refusal.stage)
	if m.s.hasObservers() {
		m.s.tell(Ended{r})
	}
	return r
}
