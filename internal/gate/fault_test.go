package gate_test

import (
	"context"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

func TestFaults(t *testing.T) {
	accept := func(p *gate.Policy) { p.AcceptOnError = true }
	defer1 := func(*gate.Policy) {}
	ctx := context.Background()
	spam := source(rule("spam", "complete", "reject", "subject", "hello"))

	t.Run("tempfail at rcptto", func(t *testing.T) {
		w := newWorld(t, spam, defer1)
		m, _ := w.Session(ctx, stranger).Mail(ctx, gate.Envelope{Sender: "a@example.com"})
		m.Rcpt(ctx, gate.Recipient{Address: "sales@example.org"})
		if r := m.Fail(ctx, rules.RcptTo, "stack"); r.Verdict != gate.Deferred || r.Reply.Code != 451 {
			t.Errorf("answer %+v", r)
		}
		if d := m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"}); d.Reply.Code != 451 {
			t.Errorf("the next recipient: %+v", d)
		}
		if r := m.Complete(ctx); r.Verdict != gate.Deferred || len(w.records) > 0 {
			t.Errorf("the end: %+v", r)
		}
	})
	t.Run("tempfail at the end", func(t *testing.T) {
		w := newWorld(t, spam, defer1)
		m, _ := w.Session(ctx, stranger).Mail(ctx, gate.Envelope{Sender: "a@example.com"})
		m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"})
		if r := m.Fail(ctx, rules.Complete, "stack"); r.Verdict != gate.Deferred {
			t.Errorf("answer %+v", r)
		}
		if len(w.blocks()) != 1 || w.last().Reason != "internal fault" {
			t.Errorf("journals %v %+v", w.blocks(), w.last())
		}
	})
	t.Run("accept", func(t *testing.T) {
		w := newWorld(t, spam, accept)
		s := w.Session(ctx, stranger)
		m, _ := s.Mail(ctx, gate.Envelope{Sender: "a@example.com"})
		m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"})
		if r := m.Fail(ctx, rules.Headers, "stack"); r.Verdict != gate.Pass {
			t.Errorf("answer %+v", r)
		}
		m.Header("Subject", " hello")
		if r := m.Complete(ctx); r.Verdict != gate.Accepted {
			t.Errorf("the end: %+v", r)
		}
		if len(w.records) != 1 {
			t.Errorf("records %v", w.records)
		}
	})
	t.Run("accept keeps the relay limits", func(t *testing.T) {
		w := newWorld(t, spam, accept)
		s := w.Session(ctx, stranger)
		s.Fail("connect", "stack")
		m, _ := s.Mail(ctx, gate.Envelope{Sender: "a@example.com"})
		wantReply(t, m.Rcpt(ctx, gate.Recipient{Address: "x@example.net"}), "550 5.7.1")
		wantReply(t, m.Rcpt(ctx, gate.Recipient{Address: "off@example.org"}), "550 5.2.1")
	})
	t.Run("accept at rcptto judges that recipient's limits", func(t *testing.T) {
		w := newWorld(t, spam, accept)
		m, _ := w.Session(ctx, stranger).Mail(ctx, gate.Envelope{Sender: "a@example.com"})
		m.Rcpt(ctx, gate.Recipient{Address: "ghost@example.org"})
		if r := m.Fail(ctx, rules.RcptTo, "stack"); r.Verdict != gate.Rejected || r.Reply.Code != 550 {
			t.Errorf("answer %+v", r)
		}
	})
	t.Run("accept at the end", func(t *testing.T) {
		w := newWorld(t, spam, accept)
		m, _ := w.Session(ctx, stranger).Mail(ctx, gate.Envelope{Sender: "a@example.com"})
		m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"})
		if r := m.Fail(ctx, rules.Complete, "stack"); r.Verdict != gate.Accepted || len(w.records) != 1 {
			t.Errorf("answer %+v, records %v", r, w.records)
		}
	})
}
