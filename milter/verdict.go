package milter

import (
	"context"
	"strings"

	gomilter "github.com/d--j/go-milter"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// endOfMessage has the message judged and answers with edits and verdict; conn
// writes them together.
func (s *session) endOfMessage(mod editor) (resp response, err error) {
	m := s.msg
	if m == nil {
		// Without a message there is nothing that could be accepted.
		return response{code: respTempFail}, nil
	}
	defer func() {
		if p := recover(); p != nil {
			// The verdict stands with the gate, but cannot be told.
			s.fault(rules.Complete, p)
			s.unanswered(m, "internal fault")
			resp, err = response{code: respTempFail}, nil
		}
	}()
	s.conn.server.counts.messages.Add(1)
	r, gone := s.verdict(mod)
	s.msg = nil
	s.macros.queueID = ""
	if gone != "" {
		// The MTA has deferred the message, and would take what we answer
		// now for the answer to its next command.
		s.unanswered(m, gone)
		s.conn.server.log.Warn("milter connection closed: the MTA did not wait for the verdict", "mta", s.conn.name(), "ref", r.Ref, "reason", gone)
		return response{}, errEnd
	}
	s.answering = m
	s.trace(note{event: "end of message", fields: len(r.Edits), octets: s.octets, decided: true, verdict: r.Verdict, reply: r.Reply})
	return s.conclude(mod, m, r), nil
}

// conclude turns a verdict into edits and the response.
func (s *session) conclude(mod editor, m Message, r gate.Result) response {
	switch r.Verdict {
	case gate.Accepted:
	case gate.Held:
		if err := mod.Quarantine(r.Reason); err != nil {
			s.conn.server.log.Error("a message cannot be held: it is deferred", "ref", r.Ref, "error", err)
			s.unanswered(m, "the message could not be held")
			return response{code: respTempFail}
		}
	case gate.Discarded:
		return response{code: respDiscard}
	case gate.Rejected, gate.Deferred:
		return s.answer(r.Verdict, r.Reply)
	default:
		s.conn.server.log.Error("a message got no verdict: it is deferred", "ref", r.Ref, "verdict", string(r.Verdict))
		s.unanswered(m, "no verdict")
		return response{code: respTempFail}
	}
	failed := 0
	for _, e := range r.Edits {
		// One line for all: after a lost connection each of them fails.
		if err := s.edit(mod, e); err != nil {
			if failed++; failed == 1 {
				s.conn.server.log.Error("a header field cannot be set", "ref", r.Ref, "field", e.Name, "error", err)
			}
		}
	}
	if failed > 1 {
		s.conn.server.log.Error("header fields cannot be set", "ref", r.Ref, "fields", failed)
	}
	return response{code: respAccept}
}

// edit carries out one change. Without SMFIP_HDR_LEADSPC the MTA writes the
// space after the colon itself.
func (s *session) edit(mod editor, e gate.Edit) error {
	value := e.Value
	if s.agreed.protocol&gomilter.OptHeaderLeadingSpace == 0 && len(value) > 1 {
		value = strings.TrimPrefix(value, " ")
	}
	switch e.Kind {
	case gate.ChangeField:
		return mod.ChangeHeader(e.Index, e.Name, value)
	case gate.DeleteField:
		return mod.ChangeHeader(e.Index, e.Name, "")
	case gate.InsertField:
		return mod.InsertHeader(e.Index, e.Name, value)
	}
	return mod.AddHeader(e.Name, value)
}

// verdict judges the message under a deadline, keeping the MTA waiting
// meanwhile. gone says why the MTA no longer waits, if so.
func (s *session) verdict(mod editor) (r gate.Result, gone string) {
	if s.judging == nil || s.judging.Err() != nil {
		s.judging, s.endJudging = context.WithCancelCause(s.ctx)
	}
	w := newWaiting(s.conn, mod, s.endJudging)
	s.conn.turn.judge(w)
	r = s.completed(s.judging)
	s.conn.turn.judge(nil)
	return r, w.stop()
}

func (s *session) completed(ctx context.Context) (r gate.Result) {
	defer func() {
		if p := recover(); p != nil {
			r = s.fault(rules.Complete, p)
		}
	}()
	return s.msg.Complete(ctx)
}

// answered is told when what was due has been written, or could not be.
func (s *session) answered(err error) {
	m := s.answering
	if m == nil {
		return
	}
	s.answering = nil
	s.conn.turn.enter(between)
	if err != nil {
		s.unanswered(m, err.Error())
	}
}

func (s *session) unanswered(m Message, reason string) {
	defer func() {
		if p := recover(); p != nil {
			s.fault(rules.Complete, p)
		}
	}()
	m.Unanswered(reason)
}
