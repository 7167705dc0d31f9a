package gate_test

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

// slow is a world in which only what it does itself takes time: that of a bubble of
// synctest, which passes when all wait.
type slow struct {
	gate.Memory
	gate.DNS
	fates []gate.Fate
	lines []*journal.Entry
}

func (*slow) take(d time.Duration) { time.Sleep(d) }

func (s *slow) Append(context.Context, []accounting.Record) error {
	s.take(70 * time.Millisecond)
	return nil
}

func (s *slow) Greylist(context.Context, gate.Try) (time.Duration, string, error) {
	s.take(30 * time.Millisecond)
	return 0, "", nil
}

func (s *slow) Inspect(context.Context, *module.Message) (module.Finding, error) {
	s.take(2 * time.Second)
	return module.Finding{}, nil
}
func (*slow) Ping(context.Context) error { return nil }
func (*slow) Close() error               { return nil }

func (s *slow) LookupTXT(context.Context, string) ([]string, error) {
	s.take(500 * time.Millisecond)
	return nil, nil
}

func (s *slow) SPF(context.Context, netip.Addr, string, string) (dnscheck.SPFResult, error) {
	return dnscheck.SPFResult{}, nil
}

func (s *slow) Count(f gate.Fate) { s.fates = append(s.fates, f) }

// journalOf keeps the lines of messages.
type journalOfSlow struct{ s *slow }

func journalOf(s *slow) journalOfSlow { return journalOfSlow{s} }

func (j journalOfSlow) Write(entries ...*journal.Entry) error {
	if entries[0].Kind == journal.Messages {
		j.s.lines = append(j.s.lines, entries...)
	}
	return nil
}
func (journalOfSlow) Traced(netip.Addr) (bool, bool) { return false, false }

// Where the time of a message went is told to those who count and stands in its
// journal entry; what came before MAIL is of the session's first.
func TestTook(t *testing.T) { synctest.Test(t, testTook) }

func testTook(t *testing.T) {
	s := &slow{}
	p := newPolicy(t, source(rule("grey", "rcptto", "greylist"), rule("mark", "complete", "", "dmarc", "none")))
	p.Memory, p.DNS = s, s
	p.Modules = []gate.Module{{Inspector: module.NewGuard("m", s, module.Limits{Timeout: time.Minute, Parallel: 1, MaxSize: 1 << 20}, time.Now), Factor: 1000}}
	g := gate.New(p, gate.Parts{
		Records: s, Journal: journalOf(s), Log: slog.New(slog.DiscardHandler), Counters: []gate.Counter{s},
		Now: time.Now, Stasher: &module.Stasher{Dir: t.TempDir()},
	})
	ctx := context.Background()
	session := g.Session(ctx, stranger)
	session.Helo(ctx, "mail.example.com")
	for range 2 {
		m, _ := session.Mail(ctx, gate.Envelope{Sender: "a@example.com", Size: -1})
		s.take(4 * time.Second) // of the client
		m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"})
		m.Rcpt(ctx, gate.Recipient{Address: "sales@example.org"})
		m.Header("From", " a@example.com")
		m.EndOfHeader(ctx)
		if r := m.Complete(ctx); r.Verdict != gate.Accepted {
			t.Fatalf("%+v", r)
		}
		session.Abort()
	}
	if len(s.fates) != 2 || len(s.lines) != 2 {
		t.Fatalf("%d fates, %d entries", len(s.fates), len(s.lines))
	}
	for n, f := range s.fates {
		for p, want := range map[took.Part]time.Duration{
			took.Connect: 0, took.RcptTo: 60 * time.Millisecond, took.Memory: 60 * time.Millisecond, took.Inspectors: 2 * time.Second,
			took.Account: 70 * time.Millisecond, took.DNS: time.Second, took.Complete: 3070 * time.Millisecond,
		} {
			if got := f.Took.Of(p); got != want {
				t.Errorf("message %d: %s took %v, want %v", n, p, got, want)
			}
		}
		if want := 7130 * time.Millisecond; f.Took.Total != want {
			t.Errorf("message %d took %v, want %v", n, f.Took.Total, want)
		}
		if first := n == 0; f.Took.Reached(took.Connect) != first || f.Took.Reached(took.Helo) != first || !f.Took.Reached(took.Headers) {
			t.Errorf("message %d: %+v", n, f.Took)
		}
		e := s.lines[n]
		if e.Took == nil || *e.Took != *f.Took || len(e.Modules) != 1 || e.Modules[0].DurationMS != 2000 {
			t.Errorf("journalled: %+v %+v", e.Took, e.Modules)
		}
	}
}

// A message that is given up or refused at RCPT has its times, too.
func TestTookOfNobody(t *testing.T) { synctest.Test(t, testTookOfNobody) }

func testTookOfNobody(t *testing.T) {
	s := &slow{}
	g := gate.New(newPolicy(t, rules.Source{}), gate.Parts{
		Records: s, Journal: journalOf(s), Log: slog.New(slog.DiscardHandler), Counters: []gate.Counter{s},
		Now: time.Now,
	})
	ctx := context.Background()
	session := g.Session(ctx, stranger)
	m, _ := session.Mail(ctx, gate.Envelope{Sender: "a@example.com", Size: -1})
	m.Rcpt(ctx, gate.Recipient{Address: "ghost@example.org"})
	s.take(time.Second)
	session.Close()
	if len(s.fates) != 1 || s.fates[0].Took.Total != time.Second || s.fates[0].Took.Reached(took.Complete) || !s.fates[0].Took.Reached(took.RcptTo) {
		t.Fatalf("%+v", s.fates)
	}
}
