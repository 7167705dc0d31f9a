package gate_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/rules"
)

// BenchmarkMessage is one message of 25 fields to 2 recipients, judged by
// 100 rules, without the milter and without a disk.
func BenchmarkMessage(b *testing.B) {
	var src rules.Source
	for i := range 100 {
		attr := []string{"subject", "header.From", "header.*", "header.X-Mailer"}[i%4]
		src.Rules = append(src.Rules, weighing(fmt.Sprintf("r%d", i), "headers", 1000, attr, fmt.Sprintf(`\bcheap-(\w+)-pills%d\b`, 1000+i)))
	}
	w := newWorld(b, src)
	header := [][2]string{{"Subject", " =?UTF-8?B?0J/RgNC40LLQtdGC?="}, {"From", " Ivan <ivan@example.com>"}, {"X-Mailer", " Mutt"}}
	for i := range 22 {
		header = append(header, [2]string{fmt.Sprintf("X-Field-%d", i), " some value of ordinary length, folded\n\tonce"})
	}
	body := make([]byte, 8192)
	ctx := context.Background()
	s := w.Session(ctx, stranger)
	s.Helo(ctx, "mail.example.com")
	b.ReportAllocs()
	for b.Loop() {
		m, _ := s.Mail(ctx, gate.Envelope{Sender: "a@example.com", Size: -1})
		m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"})
		m.Rcpt(ctx, gate.Recipient{Address: "sales@example.org"})
		for _, h := range header {
			m.Header(h[0], h[1])
		}
		m.EndOfHeader(ctx)
		m.Body(ctx, body)
		m.Complete(ctx)
		s.Abort()
		w.entries, w.records, w.order = map[string][]*journal.Entry{}, nil, nil
	}
}
