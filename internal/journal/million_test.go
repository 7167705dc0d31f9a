package journal_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/journal/journaltest"
)

var (
	measuredLines = flag.Int("journal.lines", 20_000, "how many lines BenchmarkIndexed searches, in files of up to a million")
	measuredDir   = flag.String("journal.dir", "", "keep them there, and use those that are there")
)

// BenchmarkIndexed searches packed files; with -journal.lines=10000000 as many as a
// large gateway has in months (about 0.8 GB). Files are read from wherever they are:
// for cold ones drop the caches before, and run each search once (-benchtime=1x).
func BenchmarkIndexed(b *testing.B) {
	const most = 1_000_000
	dir := *measuredDir
	if dir == "" {
		dir = b.TempDir()
	}
	for from := 0; from < *measuredLines; from += most {
		path := filepath.Join(dir, fmt.Sprintf("messages.jsonl-%08d", 20260101+from/most))
		if _, err := os.Stat(path + ".gz"); err == nil {
			continue
		}
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		n := min(most, *measuredLines-from)
		load := journaltest.Load{Seed: uint64(from / most), Lines: n, Start: noon.Add(time.Duration(from/most) * 24 * time.Hour), Recipients: 20_000_000}
		if err := journaltest.Write(f, load); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		done := pack(b, dir)
		b.Logf("%s: %d octets of text, %d packed, %d of index, %v", path, done.Text, done.Size, done.Index, time.Since(begun).Round(time.Millisecond))
	}
	last := min(most, *measuredLines) / 2
	for _, q := range []struct {
		name string
		journal.Query
	}{
		{"ref", journal.Query{Ref: journaltest.Ref(0, last)}},
		{"queue id", journal.Query{QueueID: journaltest.QueueID(0, last)}},
		{"sender", journal.Query{Sender: journaltest.Sender(0, last)}},
		{"recipient", journal.Query{Recipient: "user777@example.org"}},
		{"any", journal.Query{Any: []string{journaltest.Ref(0, last)}}},
		{"part of three", journal.Query{Subject: "qzx"}},
		{"part of an address", journal.Query{Sender: strings.Split(journaltest.Sender(0, last), "@")[0]}},
		{"last", journal.Query{Verdict: "accept"}},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				found := 0
				count := func(journal.Entry) error { found++; return nil }
				var report journal.Report
				var err error
				if q.name == "last" {
					report, err = journal.Last(b.Context(), dir, q.Query, 10, count)
				} else {
					report, err = journal.Search(b.Context(), dir, q.Query, count)
				}
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(found), "found")
				b.ReportMetric(float64(report.Lines), "lines")
			}
		})
	}
}
