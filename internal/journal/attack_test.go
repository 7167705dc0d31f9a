package journal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/journal/index"
	"github.com/tollgate-mail/tollgate/internal/journal/journaltest"
)

// spoilt is an index after some changes of what: each three octets, an operation and a
// place.
func spoilt(good, foreign, what []byte) []byte {
	bad := bytes.Clone(good)
	for ; len(what) >= 3 && len(bad) > 0; what = what[3:] {
		at := (int(what[1])<<8 | int(what[2])) * len(bad) >> 16
		switch what[0] % 7 {
		case 0:
			bad = bad[:at]
		case 1:
			bad[at] ^= 1 << (what[0] / 7 % 8)
		case 2: // blocks change places
			const block = 4096
			a, b := at/block*block, (len(bad)-1)/block*block
			if b+block <= len(bad) {
				one := bytes.Clone(bad[a : a+block])
				copy(bad[a:], bad[b:b+block])
				copy(bad[b:], one)
			}
		case 3:
			bad = append(bad, bad[:min(at, 1<<16)]...)
		case 4: // another version
			if i := bytes.LastIndex(bad, []byte("tgindex\x01")); i >= 0 {
				bad[i+7] = what[1]
			}
		case 5:
			bad = bytes.Clone(foreign)
		case 6:
			clear(bad[at:min(len(bad), at+4096)])
		}
	}
	return bad
}

// FuzzSpoiltIndex: whatever stands where an index should, a search finds what a scan
// does.
func FuzzSpoiltIndex(f *testing.F) {
	for _, what := range []string{"", "\x00\x00\x00", "\x00\x80\x00", "\x01\xff\xf0", "\x01\x20\x01", "\x02\x10\x00", "\x03\x40\x00", "\x04\x02\x00", "\x05\x00\x00", "\x06\xf0\x00", "\x06\x00\x00", "\x05\x00\x00\x01\xff\x00"} {
		f.Add([]byte(what))
	}
	dir := f.TempDir()
	rotatedFile(f, filepath.Join(dir, "messages.jsonl.1"), 1, 1500)
	pack(f, dir)
	foreign, err := os.ReadFile(indexes(f, dir)[0])
	if err = errors.Join(err, os.Remove(filepath.Join(dir, "messages.jsonl.1.gz")), os.RemoveAll(filepath.Join(dir, "index"))); err != nil {
		f.Fatal(err)
	}
	rotatedFile(f, filepath.Join(dir, "messages.jsonl.1"), 0, 3000)
	queries := []journal.Query{{Ref: journaltest.Ref(0, 1)}, {Ref: journaltest.Ref(0, 2999)}, {Subject: "отчёт"}, {Sender: "mail"}, {Ref: "none"}}
	var want [][]string
	for _, q := range queries {
		got, _ := search(f, dir, q)
		want = append(want, got)
	}
	pack(f, dir)
	path := indexes(f, dir)[0]
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, what []byte) {
		if len(what) > 30 {
			return
		}
		if err := os.WriteFile(path, spoilt(good, foreign, what), 0o600); err != nil {
			t.Fatal(err)
		}
		for i, q := range queries {
			if got, _ := search(t, dir, q); !slices.Equal(got, want[i]) {
				t.Errorf("%x, query %d: %d found, a scan finds %d", what, i, len(got), len(want[i]))
			}
		}
	})
}

// An index whose checksums are right and whose one member is a gigabyte: what is read of
// it is read in pieces.
func TestIndexOfOneLargeMember(t *testing.T) {
	dir := t.TempDir()
	rotatedFile(t, filepath.Join(dir, "messages.jsonl.1"), 0, 1500)
	pack(t, dir)
	path := indexes(t, dir)[0]
	var id index.ID
	if _, err := hex.Decode(id[:], []byte(strings.TrimSuffix(filepath.Base(path), ".idx"))); err != nil {
		t.Fatal(err)
	}
	const size = 1 << 30
	if err := os.Truncate(filepath.Join(dir, "messages.jsonl.1.gz"), size); err != nil { // a hole
		t.Fatal(err)
	}
	var b bytes.Buffer
	x := index.NewBuilder(&b)
	for _, term := range []string{"ref", "any"} {
		x.Add(index.Run([]rune(term)))
	}
	err := errors.Join(x.End(index.Member{Size: size, Text: size, Lines: 1500, Earliest: 0, Latest: 1 << 60}), x.Finish(index.Whole{ID: id, Size: size}))
	if err = errors.Join(err, os.WriteFile(path, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	found := 0
	report, err := journal.Search(t.Context(), dir, journal.Query{}, func(journal.Entry) error { found++; return nil })
	runtime.ReadMemStats(&after)
	if err == nil {
		t.Error("what is behind the lines is no gzip, and nothing says so")
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 128<<20 {
		t.Errorf("%d MiB for %d entries: %+v", took>>20, found, report)
	}
}

// What stands in a journal is found once, however its files are rotated and packed
// meanwhile.
func TestSearchWhileRotated(t *testing.T) {
	dir := t.TempDir()
	live := filepath.Join(dir, "messages.jsonl")
	at := func(n int) string { return fmt.Sprintf("%s.%d", live, n) }
	const files = 6
	for n := range files {
		path := live
		if n > 0 {
			path = at(n)
		}
		rotatedFile(t, path, uint64(n), 40)
	}
	done := make(chan error)
	go func() {
		var err error
		for round := range 200 {
			// As logrotate does it, the oldest first; it goes round, so that all stay.
			for n := files - 1; n >= 0 && err == nil; n-- {
				from := live
				if n > 0 {
					from = at(n)
				}
				for _, ext := range []string{"", ".gz"} {
					if renamed := os.Rename(from+ext, at(n+1)+ext); renamed != nil && !errors.Is(renamed, fs.ErrNotExist) {
						err = renamed
					}
				}
			}
			if err == nil {
				err = os.WriteFile(live, nil, 0o640)
			}
			// Back to their places, the youngest first.
			for n := 0; n < files && err == nil; n++ {
				to := live
				if n > 0 {
					to = at(n)
				}
				for _, ext := range []string{"", ".gz"} {
					if ext != "" && n == 0 {
						continue
					}
					if renamed := os.Rename(at(n+1)+ext, to+ext); renamed != nil && !errors.Is(renamed, fs.ErrNotExist) {
						err = renamed
					}
				}
			}
			if round%10 == 0 && err == nil {
				_, err = journal.Pack(t.Context(), dir, journal.PackOptions{})
			}
		}
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
		seen := map[string]int{}
		_, err := journal.Search(t.Context(), dir, journal.Query{Kinds: []string{journal.Messages}}, func(e journal.Entry) error { seen[e.Ref]++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		for ref, n := range seen {
			if n > 1 {
				t.Fatalf("%s was found %d times", ref, n)
			}
		}
		if len(seen) != files*40 {
			t.Errorf("%d of %d found", len(seen), files*40)
		}
	}
}
