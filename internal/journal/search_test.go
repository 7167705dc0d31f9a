package journal_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// file writes entries as lines of one file, packed if its name says so.
func file(t testing.TB, path string, entries ...*journal.Entry) {
	t.Helper()
	var b bytes.Buffer
	for _, e := range entries {
		line, err := e.MarshalJSON() // without json.Marshal's \u003c for "<"
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	out := b.Bytes()
	if strings.HasSuffix(path, ".gz") {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		if _, err := w.Write(out); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		out = z.Bytes()
	}
	if err := os.WriteFile(path, out, 0o640); err != nil {
		t.Fatal(err)
	}
}

func search(t testing.TB, dir string, q journal.Query) ([]string, journal.Report) {
	t.Helper()
	var refs []string
	report, err := journal.Search(t.Context(), dir, q, func(e journal.Entry) error {
		refs = append(refs, e.Ref)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return refs, report
}

func TestQueries(t *testing.T) {
	dir := t.TempDir()
	m := entry(journal.Messages, "m", noon)
	m.QueueID, m.MessageID, m.ClientIP, m.Helo = "4LxQ", "<id.1@mail.example.com>", "192.0.2.7", "Mail.Example.com"
	m.Sender, m.Recipients = "Anna@Example.com", []string{"ivan@example.org", "Почта@пример.рф"}
	m.Subject, m.Direction, m.AuthUser, m.Stage = "Квартальный ОТЧЁТ", "inbound", "anna", "complete"
	m.Rules = []journal.RuleHit{{Name: "lottery"}}
	b := entry(journal.Blocks, "b", noon.Add(time.Minute))
	b.Recipient, b.Sender, b.ClientIP, b.Rule, b.Stage = "\"odd name\"@example.org", "", "2001:db8::7", "no-such", "rcptto"
	tr := entry(journal.Trace, "t", noon.Add(2*time.Minute))
	tr.ClientIP, tr.Sender = "198.51.100.1", "x@sub.example.com"
	file(t, filepath.Join(dir, "messages.jsonl"), m)
	file(t, filepath.Join(dir, "blocks.jsonl"), b)
	file(t, filepath.Join(dir, "trace.jsonl"), tr)

	tests := []struct {
		name string
		q    journal.Query
		want string
	}{
		{"all", journal.Query{}, "m b t"},
		{"kinds", journal.Query{Kinds: []string{"trace", "messages"}}, "m t"},
		{"recipient of a message", journal.Query{Recipient: "ivan@example.org"}, "m"},
		{"in any case", journal.Query{Recipient: "<IVAN@EXAMPLE.ORG>"}, "m"},
		{"an internationalised one", journal.Query{Recipient: "почта@ПРИМЕР.рф"}, "m"},
		{"recipient of a block", journal.Query{Recipient: "\"odd name\"@example.org"}, "b"},
		{"domain of a recipient", journal.Query{Recipient: "@example.org"}, "m b"},
		{"a part is not enough", journal.Query{Recipient: "van@example.org"}, ""},
		{"another domain", journal.Query{Recipient: "ivan@example.com"}, ""},
		{"sender", journal.Query{Sender: "anna@example.com"}, "m"},
		{"domain of a sender, not below it", journal.Query{Sender: "@EXAMPLE.com"}, "m"},
		{"null sender", journal.Query{Sender: "<>"}, "b"},
		{"ref", journal.Query{Ref: "M"}, "m"},
		{"queue id", journal.Query{QueueID: "4lxq"}, "m"},
		{"message id", journal.Query{MessageID: "id.1@mail.example.com"}, "m"},
		{"message id in brackets", journal.Query{MessageID: "<id.1@mail.example.com>"}, "m"},
		{"subject", journal.Query{Subject: "отчёт"}, "m"},
		{"client", journal.Query{ClientIP: netip.MustParsePrefix("192.0.2.7/32")}, "m"},
		{"network", journal.Query{ClientIP: netip.MustParsePrefix("2001:db8::/32")}, "b"},
		{"rule that decided", journal.Query{Rule: "no-such"}, "b"},
		{"rule that matched", journal.Query{Rule: "lottery"}, "m"},
		{"verdict", journal.Query{Verdict: "reject"}, "b"},
		{"stage", journal.Query{Stage: "rcptto"}, "b"},
		{"helo", journal.Query{Helo: "mail.example.com"}, "m"},
		{"direction", journal.Query{Direction: "inbound"}, "m"},
		{"user", journal.Query{AuthUser: "anna"}, "m"},
		{"since", journal.Query{Since: noon.Add(time.Minute)}, "b t"},
		{"until", journal.Query{Until: noon.Add(time.Minute)}, "m"},
		{"until is exclusive to the nanosecond", journal.Query{Until: noon.Add(time.Minute + 1)}, "m b"},
		{"since is inclusive to the nanosecond", journal.Query{Since: noon.Add(time.Minute + 1)}, "t"},
		{"both", journal.Query{Since: noon.Add(time.Minute), Until: noon.Add(2 * time.Minute)}, "b"},
		{"several", journal.Query{Recipient: "@example.org", Sender: "@example.com", Rule: "lottery"}, "m"},
		{"anything: a quoted name that needs none", journal.Query{Any: []string{`"ivan"@example.org`}}, "m"},
		{"anything: quoted pairs", journal.Query{Any: []string{`"iv\an"@EXAMPLE.org`}}, "m"},
		{"anything: a quoted name", journal.Query{Any: []string{`"odd name"@example.org`}}, "b"},
		{"anything: in another spelling", journal.Query{Any: []string{`"odd\ name"@example.org`}}, "b"},
		{"anything: another one", journal.Query{Any: []string{`"iva"@example.org`}}, ""},
		{"several that contradict", journal.Query{Recipient: "ivan@example.org", Verdict: "reject"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := search(t, dir, tt.q)
			if strings.Join(got, " ") != tt.want {
				t.Errorf("found %v, want %s", got, tt.want)
			}
		})
	}
}

// What is about no message has no sender, and not the null one.
func TestNullSenderIsOfMail(t *testing.T) {
	dir := t.TempDir()
	bounce, closed, connected := entry(journal.Blocks, "b", noon), entry(journal.Blocks, "c", noon), entry(journal.Trace, "t", noon)
	bounce.Sender, bounce.Recipient = "", "ivan@example.org"
	closed.Sender, closed.Stage, closed.Verdict = "", "close", "closed"
	connected.Sender = ""
	file(t, filepath.Join(dir, "blocks.jsonl"), bounce, closed)
	file(t, filepath.Join(dir, "trace.jsonl"), connected)
	if got, _ := search(t, dir, journal.Query{Sender: "<>"}); strings.Join(got, " ") != "b" {
		t.Errorf("found %v", got)
	}
}

func TestRotatedFiles(t *testing.T) {
	dir := t.TempDir()
	names := []string{ // the newest first; the names do not sort so
		"messages.jsonl", "messages.jsonl.1", "messages.jsonl.2.gz", "messages.jsonl.10.gz",
		"messages.jsonl-20261120", "messages.jsonl-20261119.gz", "messages-20261118.jsonl", "messages-2026-11-17T000000.jsonl.gz",
	}
	var want []string
	for i, name := range names {
		var entries []*journal.Entry
		for n := range 3 {
			at := noon.Add(time.Duration(-i)*time.Hour + time.Duration(n)*time.Minute)
			entries = append(entries, entry(journal.Messages, fmt.Sprintf("%s/%d", name, n), at))
		}
		file(t, filepath.Join(dir, name), entries...)
		written := entries[2].Time
		if err := os.Chtimes(filepath.Join(dir, name), written, written); err != nil {
			t.Fatal(err)
		}
		want = append([]string{entries[0].Ref, entries[1].Ref, entries[2].Ref}, want...)
	}
	for _, other := range []string{"messages.jsonl.swp", "messages.txt", "other.jsonl", "messages.jsonl.tmp", "notmessages.jsonl"} {
		file(t, filepath.Join(dir, other), entry(journal.Messages, "other", noon))
	}
	// Half made by a compressor that runs just now.
	if err := os.WriteFile(filepath.Join(dir, "messages.jsonl.1.gz"), []byte("\x1f\x8b"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "messages.jsonl.11.zst"), nil, 0o640); err != nil {
		t.Fatal(err)
	}
	got, report := search(t, dir, journal.Query{})
	if !slices.Equal(got, want) {
		t.Errorf("found\n%q\nwant\n%q", got, want)
	}
	if report.Files != len(names) || len(report.Unsearched) != 1 {
		t.Errorf("report %+v", report)
	}
	got, report = search(t, dir, journal.Query{Since: noon.Add(-90 * time.Minute)})
	if !slices.Equal(got, want[len(want)-6:]) || report.Files > 3 {
		t.Errorf("found %q in %d files", got, report.Files)
	}
}

// A machine without a clock boots in 1970 until it has asked others: lines of
// that time, first in a file or within one, hide none of today's.
func TestUnsetClock(t *testing.T) {
	boot := time.Unix(41, 0).UTC()
	long := noon.Add(-5 * 24 * time.Hour)
	for name, times := range map[string][]time.Time{
		"rotated before it was set":    {boot, noon, noon.Add(time.Hour)},
		"booted within a file":         {noon, noon.Add(time.Hour), boot, boot.Add(time.Second)},
		"booted twice within a file":   {noon, boot, boot, noon.Add(time.Hour)},
		"booted last, and not set yet": {boot, noon, noon.Add(time.Hour), boot.Add(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file(t, filepath.Join(dir, "messages.jsonl.1"), entry(journal.Messages, "old1", long), entry(journal.Messages, "old2", long.Add(time.Hour)))
			var entries []*journal.Entry
			for i, at := range times {
				entries = append(entries, entry(journal.Messages, fmt.Sprint("new", i), at))
			}
			file(t, filepath.Join(dir, "messages.jsonl"), entries...)
			q := journal.Query{Since: noon.Add(-time.Hour)}
			if got, _ := search(t, dir, q); len(got) != 2 {
				t.Errorf("Search found %q", got)
			}
			var last []string
			if _, err := journal.Last(t.Context(), dir, q, 10, func(e journal.Entry) error {
				last = append(last, e.Ref)
				return nil
			}); err != nil || len(last) != 2 {
				t.Errorf("Last found %q, %v", last, err)
			}
		})
	}
}

func TestOrderOfTime(t *testing.T) {
	dir := t.TempDir()
	var all [2][]*journal.Entry
	for i := range 2000 {
		k := []string{journal.Messages, journal.Blocks}[i%2]
		at := noon.Add(time.Duration(i^3) * time.Second) // neighbours change places
		all[i%2] = append(all[i%2], entry(k, at.Format(time.RFC3339), at))
	}
	file(t, filepath.Join(dir, "messages.jsonl"), all[0]...)
	file(t, filepath.Join(dir, "blocks.jsonl"), all[1]...)
	got, _ := search(t, dir, journal.Query{})
	if len(got) != 2000 || !slices.IsSorted(got) {
		t.Errorf("%d entries, in order %v", len(got), slices.IsSorted(got))
	}
}

func TestDamage(t *testing.T) {
	dir := t.TempDir()
	line, err := json.Marshal(entry(journal.Messages, "a", noon))
	if err != nil {
		t.Fatal(err)
	}
	text := "\n" + string(line) + "\n{}\nnull\n\x00\x00\x00\n{\"time\":\"yesterday\"}\n" + string(line[:50]) + "\n" + string(line) + "\r\n[1]\n"
	if err := os.WriteFile(filepath.Join(dir, "messages.jsonl"), []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	got, report := search(t, dir, journal.Query{})
	if len(got) != 2 || report.Broken != 6 || report.Lines != 8 {
		t.Errorf("found %v, %+v", got, report)
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	never := func(journal.Entry) error { t.Error("found something"); return nil }
	if _, err := journal.Search(t.Context(), filepath.Join(dir, "none"), journal.Query{}, never); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := journal.Search(t.Context(), dir, journal.Query{Kinds: []string{"letters"}}, never); err == nil {
		t.Error("unknown kind")
	}
	file(t, filepath.Join(dir, "messages.jsonl"), entry(journal.Messages, "a", noon))
	if err := os.WriteFile(filepath.Join(dir, "messages.jsonl.1.gz"), []byte("not packed"), 0o640); err != nil {
		t.Fatal(err)
	}
	n := 0
	_, err := journal.Search(t.Context(), dir, journal.Query{}, func(journal.Entry) error { n++; return nil })
	if n != 1 || err == nil || !strings.Contains(err.Error(), "messages.jsonl.1.gz") {
		t.Errorf("found %d, %v", n, err)
	}
	// Who goes on with the rest is told which it was, each by itself.
	for _, name := range []string{"messages.jsonl.2.gz", "blocks.jsonl.1.gz"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("not packed"), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	n = 0
	report, err := journal.SearchReadable(t.Context(), dir, journal.Query{}, func(journal.Entry) error { n++; return nil })
	if n != 1 || err != nil || len(report.Unread) != 3 {
		t.Errorf("found %d, %v, unread %q", n, err, report.Unread)
	}
	if _, err := journal.SearchReadable(t.Context(), filepath.Join(dir, "none"), journal.Query{}, never); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestStop(t *testing.T) {
	dir := t.TempDir()
	file(t, filepath.Join(dir, "messages.jsonl"), entry(journal.Messages, "a", noon), entry(journal.Messages, "b", noon))
	enough := errors.New("enough")
	n := 0
	if _, err := journal.Search(t.Context(), dir, journal.Query{}, func(journal.Entry) error { n++; return enough }); !errors.Is(err, enough) || n != 1 {
		t.Errorf("%d entries, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := journal.Search(ctx, dir, journal.Query{}, func(journal.Entry) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func BenchmarkSearch(b *testing.B) {
	dir := b.TempDir()
	const n = 100000
	entries := make([]*journal.Entry, n)
	for i := range entries {
		e := entry(journal.Messages, fmt.Sprintf("ref%07d", i), noon.Add(time.Duration(i)*time.Second))
		e.Recipients = []string{fmt.Sprintf("user%d@example.org", i%5000)}
		e.MessageID, e.Subject, e.Helo, e.ClientHost = fmt.Sprintf("<%d@mail.example.com>", i), "Отчёт за квартал", "mail.example.com", "mail.example.com"
		e.Rules = []journal.RuleHit{{Name: "sender-has-mx", Stage: "mailfrom", Weight: "-0.5"}, {Name: "newsletter", Stage: "headers", Weight: "1"}}
		entries[i] = e
	}
	path := filepath.Join(dir, "messages.jsonl")
	file(b, path, entries...)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	for _, q := range []struct {
		name string
		journal.Query
	}{
		{"recipient", journal.Query{Recipient: "user77@example.org"}},
		{"ref", journal.Query{Ref: "ref0099999"}},
		{"hour", journal.Query{Since: noon.Add(20 * time.Hour), Until: noon.Add(21 * time.Hour)}},
		{"all", journal.Query{}},
	} {
		b.Run(q.name, func(b *testing.B) {
			b.SetBytes(info.Size())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := journal.Search(b.Context(), dir, q.Query, func(journal.Entry) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	j, err := journal.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	for _, kind := range []string{journal.Messages, journal.Blocks} {
		b.Run(kind, func(b *testing.B) {
			e := entry(kind, "0a1b2c3d4e5f", noon)
			b.ReportAllocs()
			for b.Loop() {
				err := write(j, e)
				if errors.Is(err, journal.ErrLost) {
					err = j.Flush() // no gateway is as fast as this loop
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("not traced", func(b *testing.B) {
		addr := netip.MustParseAddr("192.0.2.7")
		for b.Loop() {
			if p, _ := j.Traced(addr); p {
				b.Fatal("traced")
			}
		}
	})
}

func FuzzSearch(f *testing.F) {
	line, err := json.Marshal(entry(journal.Blocks, "a", noon))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line, "ghost@example.org", "a")
	f.Add([]byte("{\"time\":\"2026-11-23T12:00:00.000Z\",\"sender\":\"\\u0000\"}\n"), "@example.org", "\"")
	f.Add([]byte("\n\n\xff"), "<>", "\xff")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte, address, ref string) {
		if err := os.WriteFile(filepath.Join(dir, "blocks.jsonl"), b, 0o640); err != nil {
			t.Fatal(err)
		}
		everything := make(map[string]bool)
		note := func(seen map[string]bool) func(journal.Entry) error {
			return func(e journal.Entry) error { seen[e.Line] = true; return nil }
		}
		if _, err := journal.Search(t.Context(), dir, journal.Query{}, note(everything)); err != nil {
			t.Fatal(err)
		}
		for _, q := range []journal.Query{{Recipient: address}, {Sender: address}, {Ref: ref}, {Rule: ref}} {
			some := make(map[string]bool)
			if _, err := journal.Search(t.Context(), dir, q, note(some)); err != nil {
				t.Fatal(err)
			}
			for line := range some {
				if !everything[line] {
					t.Errorf("%q is found only when asked for", line)
				}
			}
		}
	})
}
