package journal_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func entry(kind, ref string, t time.Time) *journal.Entry {
	e := &journal.Entry{Time: t, Kind: kind, Gateway: "mx1", Ref: ref, ClientIP: "192.0.2.7", Sender: "a@example.com", Verdict: "accept"}
	switch kind {
	case journal.Messages:
		e.Recipients = []string{"ivan@example.org"}
	case journal.Blocks:
		e.Recipient = "ghost@example.org"
		e.Verdict = "reject"
	}
	return e
}

func open(t *testing.T, dir string, o ...journal.Option) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir, o...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func contents(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func refs(t *testing.T, path string) []string {
	t.Helper()
	var refs []string
	for line := range strings.Lines(contents(t, path)) {
		var e journal.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		refs = append(refs, e.Ref)
	}
	return refs
}

// write sends an entry to the journal of its kind.
func write(j *journal.Journal, e *journal.Entry) error { return j.Write(e) }

// An entry of no kind is not lost in silence.
func TestNoKind(t *testing.T) {
	j := open(t, t.TempDir())
	if err := j.Write(&journal.Entry{Kind: "mistakes"}); !errors.Is(err, journal.ErrKind) {
		t.Error(err)
	}
	if err := j.Write(); err != nil {
		t.Error(err)
	}
}

// Every kind keeps these promises.
func TestConformance(t *testing.T) {
	for _, kind := range journal.Kinds() {
		t.Run(kind, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "new", "folder")
			j := open(t, dir)
			e := entry(kind, "one", noon)
			e.Helo = "evil\r\n{\"time\":\"x\"}\x00\xff\u2028"
			if err := write(j, e); err != nil {
				t.Fatal(err)
			}
			if err := write(j, entry(kind, "two", noon.Add(time.Second))); err != nil {
				t.Fatal(err)
			}
			if err := j.Flush(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, kind+".jsonl")
			if got := refs(t, path); !slices.Equal(got, []string{"one", "two"}) {
				t.Errorf("lines %v", got)
			}
			var found []journal.Entry
			_, err := journal.Search(t.Context(), dir, journal.Query{Kinds: []string{kind}}, func(e journal.Entry) error {
				found = append(found, e)
				return nil
			})
			if err != nil || len(found) != 2 || found[0].Ref != "one" || found[0].Kind != kind {
				t.Errorf("found %v, %v", found, err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestBlockIsInTheFileAtOnce(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	if err := j.Write(entry(journal.Blocks, "a", noon), entry(journal.Blocks, "b", noon)); err != nil {
		t.Fatal(err)
	}
	if got := refs(t, filepath.Join(dir, "blocks.jsonl")); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("lines %v", got)
	}
}

func TestMessagesAreWrittenWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j := open(t, dir)
		path := filepath.Join(dir, "messages.jsonl")
		for range 3 {
			if err := j.Write(entry(journal.Messages, "a", noon)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := contents(t, path); got != "" {
			t.Errorf("not gathered: %q", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := refs(t, path); len(got) != 3 {
			t.Errorf("after a second %v", got)
		}
	})
}

func TestManyMessagesAreWrittenBeforeASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j := open(t, dir)
		e := entry(journal.Messages, "a", noon)
		e.Subject = strings.Repeat("x", 1000)
		for range 70 {
			if err := j.Write(e); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := len(contents(t, filepath.Join(dir, "messages.jsonl"))); n < 64<<10 {
			t.Errorf("%d bytes without waiting", n)
		}
	})
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	for _, kind := range journal.Kinds() {
		if err := write(j, entry(kind, "before", noon)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range journal.Kinds() {
		path := filepath.Join(dir, kind+".jsonl")
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		if err := write(j, entry(kind, "between", noon)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := j.Reopen(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range journal.Kinds() {
		if err := write(j, entry(kind, "after", noon)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range journal.Kinds() {
		path := filepath.Join(dir, kind+".jsonl")
		if got := refs(t, path+".1"); !slices.Equal(got, []string{"before", "between"}) {
			t.Errorf("%s rotated away: %v", kind, got)
		}
		if got := refs(t, path); !slices.Equal(got, []string{"after"}) {
			t.Errorf("%s: %v", kind, got)
		}
	}
}

func TestMove(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	j := open(t, from)
	if _, err := j.PrepareMove(filepath.Join(from, "messages.jsonl", "no-folder")); err == nil {
		t.Error("moved below a file")
	}
	if err := j.Write(entry(journal.Blocks, "a", noon)); err != nil {
		t.Fatal(err)
	}
	m, err := j.PrepareMove(to)
	if err != nil {
		t.Fatal(err)
	}
	m.Commit()
	if err := j.Write(entry(journal.Blocks, "b", noon)); err != nil {
		t.Fatal(err)
	}
	if got := refs(t, filepath.Join(from, "blocks.jsonl")); !slices.Equal(got, []string{"a"}) {
		t.Errorf("before: %v", got)
	}
	if got := refs(t, filepath.Join(to, "blocks.jsonl")); !slices.Equal(got, []string{"b"}) {
		t.Errorf("after: %v", got)
	}
	if got := j.Status().Dir; got != to {
		t.Errorf("folder %q", got)
	}
}

// A line that a crash cut does not take the next one with it.
func TestTornLine(t *testing.T) {
	dir := t.TempDir()
	for _, kind := range journal.Kinds() {
		if err := os.WriteFile(filepath.Join(dir, kind+".jsonl"), []byte(`{"time":"2026-11-23T11:59:59.000Z","ki`), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	j := open(t, dir)
	for _, kind := range journal.Kinds() {
		for _, ref := range []string{"a", "b"} {
			if err := write(j, entry(kind, ref, noon)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range journal.Kinds() {
		n := 0
		report, err := journal.Search(t.Context(), dir, journal.Query{Kinds: []string{kind}}, func(journal.Entry) error { n++; return nil })
		if err != nil || n != 2 || report.Broken != 1 || report.Lines != 3 {
			t.Errorf("%s: found %d, report %+v, %v", kind, n, report, err)
		}
	}
}

func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 200 {
				for _, kind := range journal.Kinds() {
					if err := write(j, entry(kind, "a", noon)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	writers.Go(func() {
		for range 20 {
			if err := j.Reopen(); err != nil {
				t.Error(err)
			}
		}
	})
	writers.Wait()
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range journal.Kinds() {
		if got := refs(t, filepath.Join(dir, kind+".jsonl")); len(got) != 1600 {
			t.Errorf("%s: %d lines", kind, len(got))
		}
	}
	for _, k := range j.Status().Kinds {
		if k.Lines != 1600 || k.Lost != 0 || k.LastError != "" {
			t.Errorf("status %+v", k)
		}
	}
}

func TestClosed(t *testing.T) {
	j, err := journal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range journal.Kinds() {
		if err := write(j, entry(kind, "a", noon)); err == nil {
			t.Errorf("%s: written after close", kind)
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "trace.jsonl"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(dir); err == nil || !strings.Contains(err.Error(), "trace.jsonl") {
		t.Errorf("error %v", err)
	}
}

func TestTraced(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::1")
	mapped := netip.MustParseAddr("::ffff:192.0.2.7")
	tests := []struct {
		name            string
		set             journal.TraceSwitch
		client          netip.Addr
		protocol, rules bool
	}{
		{"off", journal.TraceSwitch{}, v4, false, false},
		{"protocol", journal.TraceSwitch{Protocol: true}, v4, true, false},
		{"rules", journal.TraceSwitch{Rules: true}, v6, false, true},
		{"this client", journal.TraceSwitch{Rules: true, ClientIP: netip.MustParsePrefix("192.0.2.0/24")}, v4, false, true},
		{"this client, mapped", journal.TraceSwitch{Rules: true, ClientIP: netip.MustParsePrefix("192.0.2.7/32")}, mapped, false, true},
		{"another", journal.TraceSwitch{Rules: true, Protocol: true, ClientIP: netip.MustParsePrefix("192.0.2.0/24")}, v6, false, false},
		{"no address", journal.TraceSwitch{Rules: true, ClientIP: netip.MustParsePrefix("192.0.2.0/24")}, netip.Addr{}, false, false},
		{"no address, all", journal.TraceSwitch{Rules: true}, netip.Addr{}, false, true},
	}
	j := open(t, t.TempDir())
	for _, tt := range tests {
		j.SetTrace(tt.set)
		if j.Tracing() != tt.set {
			t.Errorf("%s: set %+v", tt.name, j.Tracing())
		}
		protocol, rules := j.Traced(tt.client)
		if protocol != tt.protocol || rules != tt.rules {
			t.Errorf("%s: %v %v", tt.name, protocol, rules)
		}
	}
}

func TestSearchWhileItGrows(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	if err := j.Write(entry(journal.Blocks, "a", noon)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "blocks.jsonl")
	whole := contents(t, path)
	half := strings.TrimSuffix(whole, "\n") // a write under way: its line end is missing
	for i := range len(half) {
		if err := os.WriteFile(path, []byte(whole+half[:i]), 0o640); err != nil {
			t.Fatal(err)
		}
		n := 0
		report, err := journal.Search(t.Context(), dir, journal.Query{}, func(journal.Entry) error { n++; return nil })
		if err != nil || n != 1 || report.Broken != 0 {
			t.Fatalf("cut at %d: found %d, %+v, %v", i, n, report, err)
		}
	}
}

func TestFoundLineIsTheOneWritten(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	if err := j.Write(entry(journal.Blocks, "a", noon)); err != nil {
		t.Fatal(err)
	}
	_, err := journal.Search(t.Context(), dir, journal.Query{}, func(e journal.Entry) error {
		want := strings.TrimSuffix(contents(t, filepath.Join(dir, "blocks.jsonl")), "\n")
		if e.Line != want {
			t.Errorf("%s, want %s", e.Line, want)
		}
		again, err := json.Marshal(e)
		if err != nil || string(again) != e.Line {
			t.Errorf("marshalled %s, %v", again, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
