package gate

import (
	"context"
	"fmt"

	"github.com/tollgate-mail/tollgate/rules"
)

// Fail is what an internal fault (a panic) in one of a message's events leads
// to: gateway.on_error, with a journal entry and the detail in the log. With
// "accept" the message goes on unjudged, but the relay limits, the clients'
// states and the accounting stay in force. stage names the event; the answer
// to it is returned (a Verdict of Pass lets it go on).
func (m *Message) Fail(ctx context.Context, stage rules.Stage, detail string) (r Result) {
	first := m.fault == ""
	m.fault = stage.String()
	m.s.g.Log.Error("internal fault", "stage", stage, "ref", m.ref, "queue_id", m.queueID, "detail", detail)
	why := &refusal{stage: stage.String(), reason: "internal fault", reply: m.s.g.texts.fault}
	deferred := Result{Verdict: Deferred, Reply: m.answer(why), Ref: m.ref}
	defer func() {
		// What is broken may be broken here too.
		if p := recover(); p != nil {
			m.s.g.Log.Error("internal fault while handling one", "ref", m.ref, "detail", fmt.Sprint(p))
			r = deferred
		}
	}()
	if !m.j.AcceptOnError || !first {
		switch stage {
		case rules.RcptTo:
			m.block(why, deferred.Reply, m.judging.Address)
			m.noteRefusal(why, Deferred)
		case rules.Complete:
			m.done = true
			defer m.inspection.release()
			m.result = deferred
			if err := m.blockAll(why, deferred); err == nil {
				m.record(Deferred, why, deferred.Reply)
			}
			m.tellFate(Deferred, why.stage)
		}
		return deferred
	}
	switch stage {
	case rules.RcptTo:
		m.asked--
		d := m.Rcpt(ctx, m.judging)
		return Result{Verdict: d.Verdict, Reply: d.Reply, Ref: m.ref}
	case rules.Complete:
		m.done = false
		return m.finish(ctx, final{verdict: Accepted})
	}
	return Result{Ref: m.ref}
}
