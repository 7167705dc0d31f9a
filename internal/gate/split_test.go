package gate_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// A message that its first recipient puts under the other policy is judged by that
// at every stage, with its own header.
func TestSplitByRecipient(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	policy := func(weight rules.Weight) *gate.Policy {
		return newPolicy(t, rules.Source{Rules: []rules.SourceRule{
			weighing("connect", "connect", weight, "client_ip", "0.0.0.0/0"),
			weighing("mailfrom", "mailfrom", weight, "sender", "a@example"),
			weighing("rcptto", "rcptto", weight, "recipient", "example"),
			weighing("headers", "headers", weight, "subject", "hello"),
			weighing("complete", "complete", weight, "size", "> 1"),
		}})
	}
	g := gate.New(policy(1000), gate.Parts{Records: sunk{}, Journal: sunk{}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	other := policy(100_000)
	g.Split(&gate.Split{Policy: other, Recipient: func(a string) bool { return a == "sales@example.org" }})
	s := g.Session(t.Context(), stranger)
	s.Helo(t.Context(), "mail.example.com")
	for recipient, want := range map[string]rules.Weight{"sales@example.org": 500_000, "orders@example.org": 5000} {
		m, _ := s.Mail(t.Context(), gate.Envelope{Sender: "a@example.com", Resolved: "a@example.com", Size: -1})
		if d := m.Rcpt(t.Context(), gate.Recipient{Address: recipient, Resolved: recipient}); d.Verdict != gate.Pass {
			t.Fatalf("%s: %+v", recipient, d)
		}
		m.Header("Subject", " hello")
		m.EndOfHeader(t.Context())
		m.Body(t.Context(), []byte("text\r\n"))
		if r := m.Complete(t.Context()); r.Verdict != gate.Accepted || r.Weight != want {
			t.Errorf("%s: %v weighs %v, want %v: %+v", recipient, r.Verdict, r.Weight, want, r.Hits)
		}
		s.Abort()
	}
}
