package journal_test

import (
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// Octets that are damaged cost the pieces that they stand in, and no other: what is in
// these is found, with an index and without, from the beginning and from the end.
func TestDamagedMembers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "messages.jsonl-20261122")
	text := rotatedFile(t, path, 0, 12000)
	pack(t, dir)
	packed := path + ".gz"
	whole, err := os.ReadFile(packed)
	if err != nil {
		t.Fatal(err)
	}
	begins := bytes.Count(whole, []byte("\x1f\x8b\x08\x04"))
	if begins < 4 {
		t.Fatalf("%d members", begins)
	}
	count := func() (n int64, last string, report journal.Report) {
		t.Helper()
		report, err := journal.SearchReadable(t.Context(), dir, journal.Query{}, func(e journal.Entry) error {
			n++
			last = e.Line
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, last, report
	}
	all, lastLine, _ := count()
	if all == 0 || !bytes.Contains(text, []byte(lastLine)) {
		t.Fatal(all, lastLine)
	}
	random := rand.New(rand.NewPCG(1, 2))
	at := []int{2000, 0, 5, 12, 40, len(whole) - 5}
	for range 2 {
		at = append(at, random.IntN(len(whole)))
	}
	for _, from := range at {
		damaged := bytes.Clone(whole)
		for i := range 6 {
			damaged[min(from+i, len(damaged)-1)] ^= 0x55
		}
		if err := os.WriteFile(packed, damaged, 0o640); err != nil {
			t.Fatal(err)
		}
		for _, indexed := range []bool{true, false} {
			if !indexed {
				for _, name := range indexes(t, dir) {
					if err := os.Rename(name, name+".aside"); err != nil {
						t.Fatal(err)
					}
				}
			}
			n, last, report := count()
			if n < all/2 && from > 40 || n < all && len(report.Missing())+int(report.Broken)+len(report.Damaged) == 0 {
				t.Errorf("at %d, index %v: %d of %d found, %v, %d broken", from, indexed, n, all, report.Missing(), report.Broken)
			}
			if from == 2000 && last != lastLine {
				t.Errorf("at %d, index %v: the last line is not found", from, indexed)
			}
			newest := 0
			tail, err := journal.Last(t.Context(), dir, journal.Query{}, 10, func(journal.Entry) error { newest++; return nil })
			if newest != 10 && from > 40 {
				t.Errorf("at %d, index %v: %d of the newest 10: %v, %v", from, indexed, newest, tail, err)
			}
		}
		aside, err := filepath.Glob(filepath.Join(dir, "index", "*.aside"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range aside {
			if err := os.Rename(name, strings.TrimSuffix(name, ".aside")); err != nil {
				t.Fatal(err)
			}
		}
	}
	// What somebody else has put behind ours is read, too.
	var more bytes.Buffer
	zip := gzip.NewWriter(&more)
	if _, err := zip.Write([]byte(lastLine + "\n")); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(packed, append(bytes.Clone(whole), more.Bytes()...), 0o640); err != nil {
		t.Fatal(err)
	}
	if n, _, report := count(); n != all+1 || len(report.Unread) > 0 {
		t.Errorf("%d of %d, %v", n, all+1, report.Unread)
	}
}
