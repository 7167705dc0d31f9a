package gate_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

func TestRcpt(t *testing.T) {
	acceptAll := rule("welcome", "connect", "accept", "client_ip", "192.0.2.0/24")
	tests := []struct {
		name   string
		src    rules.Source
		change func(*gate.Policy)
		peer   gate.Peer
		env    gate.Envelope
		to     string
		want   string // beginning of the reply; "" for accepted
		reason string
	}{
		{name: "known", to: "ivan@example.org"},
		{name: "known in another case", to: "IVAN@EXAMPLE.ORG"},
		{name: "tagged", to: "ivan+lists@example.org"},
		{name: "unknown", to: "ghost@example.org", want: "550 5.1.1", reason: "unknown"},
		{name: "foreign", to: "x@example.net", want: "550 5.7.1", reason: "foreign"},
		{name: "foreign under an accept", src: source(acceptAll), to: "x@example.net", want: "550 5.7.1", reason: "foreign"},
		{name: "unknown under an accept", src: source(acceptAll), to: "ghost@example.org", want: "550 5.1.1", reason: "unknown"},
		{name: "bare postmaster", to: "postmaster"},
		{name: "postmaster", to: "Postmaster@example.org"},
		{name: "foreign postmaster", to: "postmaster@example.net", want: "550 5.7.1", reason: "foreign"},
		{name: "bare name", to: "ivan", want: "550 5.1.1", reason: "unknown"},
		{name: "disabled", to: "off@example.org", want: "550 5.2.1", reason: "disabled"},
		{name: "disabled under an accept", src: source(acceptAll), to: "off@example.org", want: "550 5.2.1", reason: "disabled"},
		{name: "disabled, not refused", to: "off@example.org", change: func(p *gate.Policy) { p.Refuse = 0 }},
		{name: "expired", to: "late@example.org", want: "550 5.2.1", reason: "expired"},
		{
			name: "outbound network", to: "x@example.net",
			change: func(p *gate.Policy) { p.OutboundNetworks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} },
		},
		{
			name: "outbound to a blocked client of ours", to: "off@example.org", want: "550 5.2.1", reason: "disabled",
			change: func(p *gate.Policy) { p.OutboundNetworks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} },
		},
		{
			name: "authenticated", to: "x@example.net", env: gate.Envelope{Sender: "a@b.example", AuthType: "PLAIN", AuthUser: "ivan"},
			change: func(p *gate.Policy) { p.OutboundAuthenticated = true },
		},
		{
			name: "authenticated, but that is not enough here", to: "x@example.net", want: "550 5.7.1", reason: "foreign",
			env: gate.Envelope{Sender: "a@b.example", AuthType: "PLAIN", AuthUser: "ivan"},
		},
		{
			name: "a certificate is no authentication", to: "x@example.net", want: "550 5.7.1", reason: "foreign",
			env:    gate.Envelope{Sender: "a@b.example", AuthUser: "cert"},
			change: func(p *gate.Policy) { p.OutboundAuthenticated = true },
		},
		{name: "local submission goes anywhere", peer: gate.Peer{Local: true}, to: "x@example.net"},
		{
			name: "skipped network", to: "x@example.net",
			change: func(p *gate.Policy) { p.SkipClients = []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")} },
		},
		{
			name: "mapped address", to: "x@example.net", peer: gate.Peer{Addr: netip.MustParseAddr("::ffff:10.1.2.3")},
			change: func(p *gate.Policy) { p.OutboundNetworks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} },
		},
		{
			name: "refused at connect", src: source(rule("bad-net", "connect", "reject", "client_ip", "192.0.2.7")),
			to: "ivan@example.org", want: "550 5.7.1 Refused by local policy (ref ", reason: "rule bad-net",
		},
		{
			name: "refused at connect, exempt", src: source(rule("bad-net", "connect", "reject", "client_ip", "192.0.2.7")),
			to: "raw@example.org",
		},
		{
			name: "refused at helo", src: source(rule("bad-helo", "helo", "tempfail", "helo", "^mail")),
			to: "ivan@example.org", want: "451 4.7.1", reason: "rule bad-helo",
		},
		{
			name: "refused at mailfrom", src: source(rule("bad-sender", "mailfrom", "reject", "sender", "^a@")),
			to: "ivan@example.org", want: "550 5.7.1", reason: "rule bad-sender",
		},
		{
			name: "refused at rcptto", src: source(rule("no-ivan", "rcptto", "reject", "recipient", "^ivan@")),
			to: "ivan@example.org", want: "550 5.7.1", reason: "rule no-ivan",
		},
		{
			name: "an earlier refusal comes before the relay limits",
			src:  source(rule("bad-net", "connect", "tempfail", "client_ip", "192.0.2.7")),
			to:   "x@example.net", want: "451 4.7.1", reason: "rule bad-net",
		},
		{
			name: "the state comes before the rules",
			src:  source(rule("trap", "rcptto", "tempfail", "recipient", "^off@")),
			to:   "off@example.org", want: "550 5.2.1", reason: "disabled",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			change := tt.change
			if change == nil {
				change = func(*gate.Policy) {}
			}
			w := newWorld(t, tt.src, change)
			o := w.send(sending{peer: tt.peer, env: tt.env, to: []string{tt.to}})
			wantReply(t, o.rcpt[0], tt.want)
			if tt.want == "" {
				if len(w.blocks()) != 0 {
					t.Errorf("blocks journal has %d entries, want none", len(w.blocks()))
				}
				if v := w.last().Verdict; v != "accept" {
					t.Errorf("messages journal says %q, want accept", v)
				}
				return
			}
			if len(w.blocks()) != 1 {
				t.Fatalf("blocks journal has %d entries, want 1", len(w.blocks()))
			}
			b := w.blocks()[0]
			if b.Recipient != tt.to || b.Reason != tt.reason || b.Reply != o.rcpt[0].Reply.String() || b.Ref == "" {
				t.Errorf("block: %+v", b)
			}
			if b.Verdict != string(o.rcpt[0].Verdict) || w.last().Verdict != b.Verdict {
				t.Errorf("verdicts: block %q, message %q, answer %q", b.Verdict, w.last().Verdict, o.rcpt[0].Verdict)
			}
			if !strings.Contains(b.Reply, b.Ref) {
				t.Errorf("reply %q does not name the reference %q", b.Reply, b.Ref)
			}
			if len(w.records) != 0 {
				t.Errorf("refused mail was charged: %v", w.records)
			}
		})
	}
}

func TestMixedRecipients(t *testing.T) {
	w := newWorld(t, rules.Source{})
	o := w.send(sending{to: []string{"ivan@example.org", "off@example.org", "ghost@example.org", "sales@example.org"}, body: "x\r\n"})
	for i, want := range []string{"", "550 5.2.1", "550 5.1.1", ""} {
		wantReply(t, o.rcpt[i], want)
	}
	if o.result == nil || o.result.Verdict != gate.Accepted {
		t.Fatalf("result %+v", o.result)
	}
	if got := w.last().Recipients; len(got) != 2 || got[0] != "ivan@example.org" || got[1] != "sales@example.org" {
		t.Errorf("accepted recipients %v", got)
	}
	if len(w.records) != 2 {
		t.Fatalf("%d records, want 2", len(w.records))
	}
}

func TestClasses(t *testing.T) {
	w := newWorld(t, source(rule("spam", "headers", "reject", "subject", "hello")))
	o := w.send(sending{to: []string{"raw@example.org", "ivan@example.org"}})
	wantReply(t, o.rcpt[0], "")
	wantReply(t, o.rcpt[1], "452 4.5.3")
	if o.result.Verdict != gate.Accepted {
		t.Errorf("mail for an unfiltered client: %+v", o.result)
	}
	o = w.send(sending{to: []string{"ivan@example.org", "raw@example.org"}})
	wantReply(t, o.rcpt[0], "")
	wantReply(t, o.rcpt[1], "452 4.5.3")
	if o.result.Verdict != gate.Rejected {
		t.Errorf("mail for a filtered client: %+v", o.result)
	}
	for _, action := range []string{"discard", "hold"} {
		w := newWorld(t, source(rule("r", "connect", action, "client_ip", "192.0.2.7")))
		if o := w.send(sending{to: []string{"raw@example.org"}}); o.result.Verdict != gate.Accepted {
			t.Errorf("%s for an unfiltered client: %+v", action, o.result)
		}
	}
}

func TestRefusedByTheMTA(t *testing.T) {
	w := newWorld(t, rules.Source{})
	ctx := context.Background()
	s := w.Session(ctx, stranger)
	m, _ := s.Mail(ctx, gate.Envelope{Sender: "a@example.com", Size: -1})
	m.Rcpt(ctx, gate.Recipient{
		Address: "ivan@example.org",
		Refused: &gate.Reply{Code: 554, Enhanced: "5.7.1", Text: "Recipient address rejected"},
	})
	s.Close()
	if len(w.blocks()) != 1 {
		t.Fatalf("%d blocks, want 1", len(w.blocks()))
	}
	b := w.blocks()[0]
	if b.Verdict != "reject" || b.Reply != "554 5.7.1 Recipient address rejected" || b.Recipient != "ivan@example.org" {
		t.Errorf("block %+v", b)
	}
	if w.last().Verdict != "reject" {
		t.Errorf("message: %q, want reject", w.last().Verdict)
	}
}

func TestAtOnce(t *testing.T) {
	src := source(rule("bad-net", "connect", "reject", "client_ip", "192.0.2.7"))
	w := newWorld(t, src, func(p *gate.Policy) { p.RefuseAtOnce = true })
	if !w.Wants().MailFrom {
		t.Error("MAIL must be waited for")
	}
	o := w.send(sending{to: []string{"ivan@example.org"}})
	wantReply(t, o.mail, "550 5.7.1")
	if len(w.blocks()) != 1 || w.blocks()[0].Recipient != "" {
		t.Errorf("blocks %v", w.blocks())
	}
	if w.last().Verdict != "reject" {
		t.Errorf("message %q", w.last().Verdict)
	}
	if newWorld(t, src).Wants().MailFrom {
		t.Error(`with refuse_at = "rcpt" MAIL needs no answer`)
	}
}

func TestLocalSubmissionIsNeverRefusedAtRcpt(t *testing.T) {
	w := newWorld(t, source(rule("no", "rcptto", "reject", "recipient", "."), rule("late", "complete", "reject", "subject", "hello")))
	o := w.send(sending{peer: gate.Peer{Local: true}, to: []string{"off@example.org", "root", "x@example.net"}})
	for _, d := range o.rcpt {
		wantReply(t, d, "")
	}
	if o.result.Verdict != gate.Rejected {
		t.Errorf("the end of the message: %+v", o.result)
	}
}
