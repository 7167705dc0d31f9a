package journal_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// The antivirus journals of other services are searched with ours, in one order of
// time; rotated ones, too.
func TestOtherServices(t *testing.T) {
	dir := t.TempDir()
	at := func(ref string, minutes int) *journal.Entry {
		return entry(journal.Antivirus, ref, noon.Add(time.Duration(minutes)*time.Minute))
	}
	file(t, filepath.Join(dir, "antivirus.jsonl.1"), at("ours1", 0))
	file(t, filepath.Join(dir, "antivirus.jsonl"), at("ours2", 10), at("ours3", 20))
	file(t, filepath.Join(dir, "antivirus.jsonl-proxy"), at("proxy2", 5), at("proxy3", 15))
	file(t, filepath.Join(dir, "antivirus.jsonl-proxy.1.gz"), at("proxy1", 1))
	file(t, filepath.Join(dir, "antivirus.jsonl-ftp_2-20261123"), at("ftp", 7))
	file(t, filepath.Join(dir, "messages.jsonl-proxy"), at("nobody's", 3))
	want := []string{"ours1", "proxy1", "proxy2", "ftp", "ours2", "proxy3", "ours3"}
	got, _ := search(t, dir, journal.Query{})
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	var last []string
	if _, err := journal.Last(t.Context(), dir, journal.Query{}, 3, func(e journal.Entry) error { last = append(last, e.Ref); return nil }); err != nil || !slices.Equal(last, want[4:]) {
		t.Errorf("the last: %q, %v", last, err)
	}
	marks, err := journal.Marks(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "antivirus.jsonl-proxy"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	line, err := at("proxy4", 30).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	enough := errors.New("enough")
	if err := journal.Follow(ctx, dir, journal.Query{}, marks, func(e journal.Entry) error {
		if e.Ref != "proxy4" {
			t.Errorf("followed: %s", e.Ref)
		}
		return enough
	}); !errors.Is(err, enough) {
		t.Error(err)
	}
}
