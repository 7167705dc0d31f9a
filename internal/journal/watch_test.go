package journal_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// traceLine is a line of the trace of a message.
func traceLine(event, ref, sender, direction string, recipients ...string) *journal.Entry {
	return &journal.Entry{
		Time: noon, Kind: journal.Trace, Event: event, Ref: ref, ClientIP: "192.0.2.7", Sender: sender, Direction: direction, Recipients: recipients, Detail: ref,
	}
}

var traceLines = []*journal.Entry{
	traceLine("protocol", "connect", "", ""),
	traceLine("protocol", "null", "", "inbound", "ivan@example.org"),
	traceLine("rules", "anna", "anna@example.com", "inbound", "ivan@example.org", "olga@example.org"),
	traceLine("protocol", "boris", "boris@example.net", "outbound"),
}

// What is narrowed to a client, a sender or a recipient is theirs alone.
func TestTraceNarrowed(t *testing.T) {
	for want, s := range map[string]journal.TraceSwitch{
		"connect null anna boris": {Protocol: true, Rules: true},
		"connect null boris":      {Protocol: true},
		"anna":                    {Protocol: true, Rules: true, Sender: "@example.com"},
		"null":                    {Protocol: true, Rules: true, Sender: "<>"},
		"null anna":               {Protocol: true, Rules: true, Recipient: "IVAN"},
		"boris":                   {Protocol: true, Rules: true, Sender: "boris@example.net", ClientIP: netip.MustParsePrefix("192.0.2.0/24")},
		"":                        {Protocol: true, Rules: true, Sender: "boris", ClientIP: netip.MustParsePrefix("198.51.100.0/24")},
	} {
		dir := t.TempDir()
		j := open(t, dir)
		j.SetTrace(s)
		id, err := j.Watch(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(j.Write(traceLines...), j.Flush()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(refs(t, filepath.Join(dir, "trace.jsonl")), " "); got != want {
			t.Errorf("%+v: the file has %q, want %q", s, got, want)
		}
		if want == "" {
			continue
		}
		got, err := j.Watched(t.Context(), id)
		if err != nil || got.Dropped > 0 {
			t.Fatal(got, err)
		}
		var seen []string
		for _, line := range got.Lines {
			var e journal.Entry
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatal(err)
			}
			seen = append(seen, e.Ref)
		}
		if strings.Join(seen, " ") != want {
			t.Errorf("%+v: who follows sees %q, want %q", s, seen, want)
		}
	}
}

// Who follows gets what is asked for and the file nothing of it; what there is no room
// for is counted, and who is gone is forgotten.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j, err := journal.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		id, err := j.Watch(journal.TraceSwitch{Protocol: true})
		if err != nil {
			t.Fatal(err)
		}
		if protocol, rules := j.Traced(netip.MustParseAddr("192.0.2.7")); !protocol || rules {
			t.Error(protocol, rules)
		}
		long := traceLine("protocol", "long", "a@example.com", "inbound")
		long.Detail = strings.Repeat("x", 100_000)
		for range 15 {
			if err := j.Write(long); err != nil {
				t.Fatal(err)
			}
		}
		got, err := j.Watched(t.Context(), id)
		if err != nil || len(got.Lines) != 10 || got.Dropped != 5 {
			t.Errorf("%d lines, %d dropped, %v", len(got.Lines), got.Dropped, err)
		}
		// A question waits, and is answered with nothing in the end.
		begun := time.Now()
		if got, err := j.Watched(t.Context(), id); err != nil || len(got.Lines) > 0 || time.Since(begun) > time.Minute {
			t.Error(got, err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if _, err := j.Watched(t.Context(), id); !errors.Is(err, journal.ErrNoWatch) {
			t.Error(err)
		}
		if protocol, _ := j.Traced(netip.MustParseAddr("192.0.2.7")); protocol {
			t.Error("traced for nobody")
		}
		for n := range 9 {
			_, err = j.Watch(journal.TraceSwitch{Rules: true})
			if n < 8 && err != nil || n == 8 && !errors.Is(err, journal.ErrWatches) {
				t.Error(n, err)
			}
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		if b := contents(t, filepath.Join(dir, "trace.jsonl")); b != "" {
			t.Errorf("the file has %q", b)
		}
		time.Sleep(2 * time.Minute) // the others end
	})
}

// Who looked is searched for where it is named, and only there.
func TestLooks(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	if err := j.Write(&journal.Entry{Time: noon, Kind: journal.Looks, Ref: "r", By: "root", Event: "journal show", Detail: "r"}); err != nil {
		t.Fatal(err)
	}
	if err := journal.Look(dir, &journal.Entry{Time: noon, Ref: "r2", By: "anna", Event: "explain", Detail: "r2"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := search(t, dir, journal.Query{}); len(got) > 0 {
		t.Errorf("%q", got)
	}
	if got, _ := search(t, dir, journal.Query{Kinds: []string{journal.Looks}}); strings.Join(got, " ") != "r r2" {
		t.Errorf("%q", got)
	}
}

// The journals' folder is another user's, who may put a link to a file of root's there.
func TestLooksFollowsNoLink(t *testing.T) {
	for name, link := range map[string]func(string, string) error{"symbolic": os.Symlink, "hard": os.Link} {
		dir := t.TempDir()
		other := filepath.Join(t.TempDir(), "other")
		if err := os.WriteFile(other, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := link(other, filepath.Join(dir, "looks.jsonl")); err != nil {
			t.Fatal(err)
		}
		if err := journal.Look(dir, &journal.Entry{Time: noon, Ref: "r", By: "anna", Event: "explain", Detail: "r"}); err == nil {
			t.Errorf("a %s link was followed", name)
		}
		if b := contents(t, other); b != "x" {
			t.Errorf("%s link: %q", name, b)
		}
	}
}
