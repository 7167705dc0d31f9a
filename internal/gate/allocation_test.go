package gate_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/rules"
)

// sunk is where records and journals are lost.
type sunk struct{}

func (sunk) Append(context.Context, []accounting.Record) error { return nil }
func (sunk) Write(...*journal.Entry) error                     { return nil }
func (sunk) Traced(netip.Addr) (bool, bool)                    { return false, false }

// ordinary makes a function that has one ordinary message judged: 25 fields, two
// recipients of one client, 100 rules on its Subject.
func ordinary(t testing.TB) func() {
	var src rules.Source
	for i := range 100 {
		src.Rules = append(src.Rules, weighing(fmt.Sprintf("r%d", i), "headers", 1000, "subject", fmt.Sprintf(`\bcheap-(\w+)-pills%d\b`, 1000+i)))
	}
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	g := gate.New(newPolicy(t, src), gate.Parts{Records: sunk{}, Journal: sunk{}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	header := [][2]string{{"Subject", " Minutes of the meeting on Thursday"}, {"From", " Ivan <ivan@example.com>"}, {"Message-ID", " <1@example.com>"}}
	for i := range 22 {
		header = append(header, [2]string{fmt.Sprintf("X-Field-%d", i), " some value of ordinary length, folded\n\tonce"})
	}
	body := make([]byte, 8192)
	ctx := context.Background()
	s := g.Session(ctx, stranger)
	s.Helo(ctx, "mail.example.com")
	return func() {
		m, _ := s.Mail(ctx, gate.Envelope{Sender: "a@example.com", Resolved: "a@example.com", Size: -1})
		m.Rcpt(ctx, gate.Recipient{Address: "sales@example.org", Resolved: "sales@example.org"})
		m.Rcpt(ctx, gate.Recipient{Address: "orders@example.org", Resolved: "orders@example.org"})
		m.QueueID("4ABCDEF0123")
		for _, h := range header {
			m.Header(h[0], h[1])
		}
		m.EndOfHeader(ctx)
		m.Body(ctx, body)
		if r := m.Complete(ctx); r.Verdict != gate.Accepted || len(r.Records) != 2 {
			t.Fatalf("%+v", r)
		}
		s.Abort()
	}
}

// TestAllocations: an ordinary message costs 20 allocations, here at most 23, from MAIL to the
// verdict, records and journal entry included. What it costs besides is counted where
// it arises: BenchmarkMessage in milter has 5, the spool next to none.
func TestAllocations(t *testing.T) {
	const most = 23 // the race detector empties pools now and then
	if n := testing.AllocsPerRun(200, ordinary(t)); n > most {
		t.Errorf("%v allocations, more than %d", n, most)
	}
}

func BenchmarkOrdinary(b *testing.B) {
	judge := ordinary(b)
	b.ReportAllocs()
	for b.Loop() {
		judge()
	}
}
