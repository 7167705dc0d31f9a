package gate_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/rules"
)

func weighing(name, stage string, w rules.Weight, conditions ...string) rules.SourceRule {
	r := rule(name, stage, "", conditions...)
	r.Weight = w
	return r
}

func TestVerdicts(t *testing.T) {
	reject := rules.SourceThreshold{Above: 5000, Action: "reject", Reply: "550 5.7.1 Weight {weight}"}
	tests := []struct {
		name    string
		src     rules.Source
		want    gate.Verdict
		reply   string
		reason  string
		charged bool
	}{
		{name: "nothing said", want: gate.Accepted, charged: true},
		{name: "headers reject", src: source(rule("r", "headers", "reject", "subject", "hello")), want: gate.Rejected, reply: "550 5.7.1", reason: "rule r"},
		{name: "complete tempfail", src: source(rule("r", "complete", "tempfail", "size", "> 1")), want: gate.Deferred, reply: "451 4.7.1", reason: "rule r"},
		{name: "discard at connect", src: source(rule("r", "connect", "discard", "client_ip", "192.0.2.7")), want: gate.Discarded, reason: "rule r"},
		{name: "hold at helo", src: source(rule("r", "helo", "hold", "helo", ".")), want: gate.Held, reason: "rule r", charged: true},
		{
			name: "discard is stricter than hold", want: gate.Discarded, reason: "rule d",
			src: source(rule("h", "connect", "hold", "client_ip", "192.0.2.7"), rule("d", "headers", "discard", "subject", "hello")),
		},
		{
			name: "reject is stricter than discard", want: gate.Rejected, reply: "550", reason: "rule r",
			src: source(rule("d", "mailfrom", "discard", "sender", "."), rule("r", "complete", "reject", "subject", "hello")),
		},
		{
			name: "accept ends the rules", want: gate.Accepted, charged: true,
			src: source(rule("a", "connect", "accept", "client_ip", "192.0.2.7"), rule("r", "headers", "reject", "subject", "hello")),
		},
		{
			name: "accept at helo, for the session", want: gate.Accepted, charged: true,
			src: source(rule("a", "helo", "accept", "helo", "."), rule("r", "mailfrom", "reject", "sender", ".")),
		},
		{
			name: "accept at rcptto ends only those of the recipient", want: gate.Rejected, reply: "550", reason: "rule r",
			src: source(rule("a", "rcptto", "accept", "recipient", "."), rule("n", "rcptto", "reject", "recipient", "."), rule("r", "headers", "reject", "subject", "hello")),
		},
		{
			name: "a remembered discard outlives an accept", want: gate.Discarded, reason: "rule d",
			src: source(rule("d", "connect", "discard", "client_ip", "192.0.2.7"), rule("a", "mailfrom", "accept", "sender", ".")),
		},
		{
			name: "threshold", want: gate.Rejected, reply: "550 5.7.1 Weight 5.5 (ref ", reason: "weight 5.5 above 5",
			src: rules.Source{
				Rules:      []rules.SourceRule{weighing("a", "connect", 3000, "client_ip", "192.0.2.7"), weighing("b", "headers", 2500, "subject", "hello")},
				Thresholds: []rules.SourceThreshold{reject},
			},
		},
		{
			name: "exactly the threshold is not above it", want: gate.Accepted, charged: true,
			src: rules.Source{
				Rules: []rules.SourceRule{weighing("a", "connect", 5000, "client_ip", "192.0.2.7")}, Thresholds: []rules.SourceThreshold{reject},
			},
		},
		{
			name: "accept skips thresholds", want: gate.Accepted, charged: true,
			src: rules.Source{
				Rules:      []rules.SourceRule{weighing("a", "connect", 9000, "client_ip", "192.0.2.7"), rule("b", "complete", "accept", "size", "> 1")},
				Thresholds: []rules.SourceThreshold{reject},
			},
		},
		{
			name: "shadow has no effect", want: gate.Accepted, charged: true,
			src: rules.Source{
				Rules: []rules.SourceRule{func() rules.SourceRule {
					r := weighing("a", "connect", 9000, "client_ip", "192.0.2.7")
					r.Shadow, r.Action = true, "reject"
					return r
				}()},
				Thresholds: []rules.SourceThreshold{reject},
			},
		},
		{
			name: "the strictest of rules and thresholds", want: gate.Rejected, reply: "550 5.7.1 Weight 9", reason: "weight 9 above 5",
			src: rules.Source{
				Rules: []rules.SourceRule{func() rules.SourceRule {
					r := weighing("a", "connect", 9000, "client_ip", "192.0.2.7")
					r.Action = "hold"
					return r
				}()},
				Thresholds: []rules.SourceThreshold{{Above: 1000, Action: "discard"}, reject},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.src)
			o := w.send(sending{to: []string{"ivan@example.org"}, body: "x\r\n"})
			if o.result == nil {
				t.Fatalf("refused at RCPT: %v", o.rcpt)
			}
			r := *o.result
			if r.Verdict != tt.want {
				t.Fatalf("verdict %q, want %q", r.Verdict, tt.want)
			}
			wantReply(t, gate.Decision{Verdict: r.Verdict, Reply: r.Reply}, tt.reply)
			if (len(w.records) > 0) != tt.charged {
				t.Errorf("%d records", len(w.records))
			}
			e := w.last()
			if e.Verdict != string(tt.want) || e.Reason != tt.reason || e.Reply != r.Reply.String() {
				t.Errorf("messages journal: %+v", e)
			}
			if tt.want == gate.Accepted {
				if len(w.blocks()) > 0 {
					t.Errorf("blocked: %+v", w.blocks()[0])
				}
				return
			}
			if len(w.blocks()) != 1 || w.blocks()[0].Reason != tt.reason || w.blocks()[0].Recipient != "ivan@example.org" {
				t.Errorf("blocks: %v", w.blocks())
			}
			if len(r.Edits) > 0 && tt.want != gate.Held {
				t.Errorf("edits of refused mail: %v", r.Edits)
			}
		})
	}
}

// A threshold in shadow is journalled, and neither marks nor refuses.
func TestShadowThreshold(t *testing.T) {
	w := newWorld(t, rules.Source{
		Rules: []rules.SourceRule{weighing("a", "connect", 7000, "client_ip", "192.0.2.7")},
		Thresholds: []rules.SourceThreshold{
			{Above: 5000, TagSubject: "[5]"},
			{Above: 6000, Action: "reject", TagHeader: []string{"X-Six: yes"}, Shadow: true},
			{Above: 9000, Action: "reject", Shadow: true},
		},
	})
	o := w.send(sending{to: []string{"ivan@example.org"}})
	if o.result == nil || o.result.Verdict != gate.Accepted {
		t.Fatalf("%+v", o)
	}
	subject := false
	for _, e := range o.result.Edits {
		subject = subject || e.Name == "Subject"
		if e.Name == "X-Six" {
			t.Errorf("marked: %+v", e)
		}
	}
	hits := w.last().Rules
	want := journal.RuleHit{Name: "threshold above 6", Stage: "complete", Weight: "0", Shadow: true, Action: "reject"}
	if passed := w.last().Thresholds; !slices.Equal(passed, []string{"threshold above 5"}) {
		t.Errorf("passed %q", passed)
	}
	if !subject || len(hits) != 2 || hits[1] != want {
		t.Errorf("subject tagged %v; %+v", subject, hits)
	}
}

func TestOrderAtTheEnd(t *testing.T) {
	w := newWorld(t, source(rule("h", "headers", "hold", "subject", "hello")))
	w.send(sending{to: []string{"ivan@example.org"}})
	if want := []string{"records", journal.Blocks, journal.Messages}; !slices.Equal(w.order, want) {
		t.Errorf("written in the order %v, want %v", w.order, want)
	}
}

func TestRuleCountsOnce(t *testing.T) {
	w := newWorld(t, source(weighing("each", "rcptto", 1500, "recipient", ".")))
	w.send(sending{to: []string{"ivan@example.org", "sales@example.org", "orders@example.org"}})
	if w.last().Weight != "1.5" {
		t.Errorf("weight %s, want 1.5", w.last().Weight)
	}
}

func TestTrapCountsWhenItsRecipientIsRefused(t *testing.T) {
	trap := weighing("trap", "rcptto", 4000, "recipient", "^orders@")
	trap.Action = "reject"
	w := newWorld(t, source(trap))
	o := w.send(sending{to: []string{"orders@example.org", "ivan@example.org"}})
	wantReply(t, o.rcpt[0], "550")
	if w.last().Weight != "4" || w.last().Verdict != "accept" {
		t.Errorf("message %+v", w.last())
	}
}

func TestSessionCountsForEveryMessage(t *testing.T) {
	w := newWorld(t, source(weighing("c", "connect", 1000, "client_ip", "192.0.2.7"), weighing("h", "helo", 500, "helo", "bad")))
	ctx := context.Background()
	s := w.Session(ctx, stranger)
	s.Helo(ctx, "bad.example")
	w.send(sending{session: s, to: []string{"ivan@example.org"}})
	w.send(sending{session: s, to: []string{"ivan@example.org"}})
	s.Helo(ctx, "good.example") // what the first HELO gave is replaced
	w.send(sending{session: s, to: []string{"ivan@example.org"}})
	for i, want := range []string{"1.5", "1.5", "1"} {
		if got := w.messages()[i].Weight; got != want {
			t.Errorf("message %d weighs %s, want %s", i, got, want)
		}
	}
	if w.messages()[0].Ref == w.messages()[1].Ref {
		t.Error("two messages have one reference")
	}
}

func TestPolicyChangesWithinASession(t *testing.T) {
	w := newWorld(t, rules.Source{})
	ctx := context.Background()
	s := w.Session(ctx, stranger)
	s.Helo(ctx, "bad.example")
	m, _ := s.Mail(ctx, gate.Envelope{Sender: "a@example.com"})
	w.Swap(newPolicy(t, source(rule("r", "helo", "reject", "helo", "bad"))))
	if d := m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"}); d.Verdict != gate.Pass {
		t.Errorf("a message under way is judged by the new policy: %v", d)
	}
	s.Abort()
	m, _ = s.Mail(ctx, gate.Envelope{Sender: "a@example.com"})
	wantReply(t, m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"}), "550")
}

func TestAbort(t *testing.T) {
	w := newWorld(t, rules.Source{})
	ctx := context.Background()
	s := w.Session(ctx, stranger)
	m, _ := s.Mail(ctx, gate.Envelope{Sender: "a@example.com"})
	m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"})
	s.Abort()
	s.Abort()
	s.Close()
	if len(w.messages()) != 1 || w.last().Verdict != "aborted" || !strings.Contains(w.last().Detail, "by the client or by Postfix") {
		t.Fatalf("%d entries, %+v", len(w.messages()), w.last())
	}
	if len(w.records) != 0 {
		t.Error("an aborted message was charged")
	}
}

func TestSpoolFails(t *testing.T) {
	w := newWorld(t, rules.Source{}, func(p *gate.Policy) { p.AcceptOnError = true })
	w.spoolErr = errDisk
	o := w.send(sending{to: []string{"ivan@example.org"}})
	if o.result.Verdict != gate.Deferred || o.result.Reply.Code != 451 || len(o.result.Edits) > 0 {
		t.Errorf("result %+v: no room in the spool is always 451", o.result)
	}
	if len(w.blocks()) != 1 || w.last().Verdict != "tempfail" {
		t.Errorf("journals: %v, %+v", w.blocks(), w.last())
	}
}

func TestSpoolUncertain(t *testing.T) {
	w := newWorld(t, rules.Source{})
	w.spoolErr = fmt.Errorf("deadline: %w", spool.ErrUncertain)
	o := w.send(sending{to: []string{"ivan@example.org"}})
	w.Wait()
	if o.result.Verdict != gate.Deferred {
		t.Errorf("result %+v", o.result)
	}
	if len(w.records) != 1 || w.records[0].Kind != accounting.Void {
		t.Errorf("records %+v, want one void", w.records)
	}
}

func TestUnanswered(t *testing.T) {
	w := newWorld(t, rules.Source{})
	ctx := context.Background()
	s := w.Session(ctx, stranger)
	m, _ := s.Mail(ctx, gate.Envelope{Sender: "a@example.com"})
	m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"})
	m.Complete(ctx)
	m.Unanswered("the MTA went away")
	m.Unanswered("the MTA went away")
	w.Wait()
	if len(w.records) != 2 || w.records[1].Kind != accounting.Void || w.records[1].Voids != w.records[0].ID {
		t.Errorf("records %+v", w.records)
	}
}

// Without its line in the journal nobody finds what was discarded, or is on hold: it is
// deferred, and not charged.
func TestDiscardAndHoldAreNeverSilent(t *testing.T) {
	for _, action := range []string{"discard", "hold"} {
		w := newWorld(t, source(rule("r", "headers", action, "subject", "hello")))
		w.blockErr = errDisk
		o := w.send(sending{to: []string{"ivan@example.org"}})
		w.Wait()
		if o.result.Verdict != gate.Deferred || o.result.Reply.Code != 451 || o.result.Reason != "" || len(o.result.Edits)+len(o.result.Records) > 0 {
			t.Errorf("%s without a line in the journal: %+v", action, o.result)
		}
		charged := 0
		for _, r := range w.records {
			if charged++; r.Kind == accounting.Void {
				charged -= 2
			}
		}
		if charged != 0 {
			t.Errorf("%s: records %+v", action, w.records)
		}
	}
}

func TestSizeAndShares(t *testing.T) {
	header := [][2]string{{"Subject", " folded\n text"}, {"X", "y"}}
	// "Subject: folded\r\n text\r\n" 24, "X:y\r\n" 5, blank 2, body 10
	const size = 24 + 5 + 2 + 10
	w := newWorld(t, rules.Source{}, func(p *gate.Policy) { p.Sharing.Split = true })
	w.send(sending{to: []string{"sales@example.org", "ivan@example.org", "postmaster"}, header: header, body: "12345678\r\n"})
	if w.last().Size != size {
		t.Errorf("size %d, want %d", w.last().Size, size)
	}
	var sum int64
	for _, r := range w.records {
		if r.Size != size || r.QueueID != "4ABC" || r.Verdict != "accept" {
			t.Errorf("record %+v", r)
		}
		sum += r.Charged
	}
	if len(w.records) != 2 || sum != size {
		t.Errorf("%d records that charge %d", len(w.records), sum)
	}
}

func TestSameAddressTwice(t *testing.T) {
	w := newWorld(t, rules.Source{})
	w.send(sending{to: []string{"ivan@example.org", "Ivan@Example.org", "ivan+x@example.org"}})
	if len(w.records) != 1 || w.records[0].Recipient != "ivan@example.org" {
		t.Errorf("records %+v", w.records)
	}
}
