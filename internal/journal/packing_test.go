package journal_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/journal/journaltest"
)

// pack is one pass in which nothing is too young.
func pack(t testing.TB, dir string) journal.Packing {
	t.Helper()
	done, err := journal.Pack(t.Context(), dir, journal.PackOptions{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// rotatedFile writes a rotated file of n generated lines and returns its text.
func rotatedFile(t testing.TB, path string, seed uint64, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := journaltest.Write(&b, journaltest.Load{Seed: seed, Lines: n, Start: noon.Add(time.Duration(seed) * 24 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o640); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unzipped(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func indexes(t testing.TB, dir string) (names []string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "index", "*.idx"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A rotated file becomes gzip that any reader unpacks to the same octets, with the
// same mode and time, and an index of at most a tenth of the text.
func TestPack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "messages.jsonl-20261122")
	text := rotatedFile(t, path, 0, 6000)
	text = append(text, "\n{cut by a crash"...) // and no line end
	if err := os.WriteFile(path, text, 0o640); err != nil {
		t.Fatal(err)
	}
	old := noon.Add(-24 * time.Hour)
	if err := errors.Join(os.Chmod(path, 0o604), os.Chtimes(path, old, old)); err != nil {
		t.Fatal(err)
	}
	rotatedFile(t, filepath.Join(dir, "messages.jsonl"), 1, 10)
	rotatedFile(t, filepath.Join(dir, "antivirus.jsonl-proxy.1"), 1, 10)
	rotatedFile(t, filepath.Join(dir, "blocks.jsonl.1"), 1, 10) // too little for an index
	done := pack(t, dir)
	if done.Packed != 2 || len(done.Problems) > 0 || done.More {
		t.Errorf("%+v", done)
	}
	if got := unzipped(t, path+".gz"); !bytes.Equal(got, text) {
		t.Errorf("%d octets came of %d", len(got), len(text))
	}
	info, err := os.Stat(path + ".gz")
	if err != nil || info.Mode().Perm() != 0o604 || !info.ModTime().Equal(old) {
		t.Errorf("%v, %v", info, err)
	}
	for name, want := range map[string]bool{
		"messages.jsonl-20261122": false, "messages.jsonl": true, "antivirus.jsonl-proxy.1": true, "blocks.jsonl.1": false, "blocks.jsonl.1.gz": true,
	} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	all := indexes(t, dir)
	if len(all) != 1 {
		t.Fatalf("indexes %q", all)
	}
	idx, err := os.Stat(all[0])
	if err != nil || idx.Size() > int64(len(text))/10 {
		t.Errorf("an index of %d octets of %d: %v", idx.Size(), len(text), err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "index", "*"))
	if err != nil || len(left) != 2 { // and the lock
		t.Errorf("%q", left)
	}
	if again := pack(t, dir); again.Packed+again.Rebuilt+again.Removed > 0 {
		t.Errorf("a second pass: %+v", again)
	}
}

// The index follows its file through renaming, goes with it, and is made anew when it
// is missing or damaged; results are those of a scan all the time.
func TestIndexIsNotTrusted(t *testing.T) {
	dir := t.TempDir()
	rotatedFile(t, filepath.Join(dir, "messages.jsonl.1"), 0, 8000)
	ref := journaltest.Ref(0, 5000)
	find := func(indexed int) journal.Report {
		t.Helper()
		got, report := search(t, dir, journal.Query{Ref: ref})
		if !slices.Equal(got, []string{ref}) || report.Indexed != indexed {
			t.Errorf("found %q, %+v", got, report)
		}
		return report
	}
	find(0)
	pack(t, dir)
	if r := find(1); r.Left == 0 || r.Lines > 3000 {
		t.Errorf("read %+v", r)
	}
	if err := os.Rename(filepath.Join(dir, "messages.jsonl.1.gz"), filepath.Join(dir, "messages.jsonl.2.gz")); err != nil {
		t.Fatal(err)
	}
	find(1)
	path := indexes(t, dir)[0]
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 12 {
		bad := bytes.Clone(good)
		switch rnd.IntN(3) {
		case 0:
			bad = bad[:rnd.IntN(len(bad))]
		case 1:
			bad[rnd.IntN(len(bad))] ^= 1
		case 2:
			for n := range 4096 {
				bad[len(bad)-1-n] ^= 3 // its tables, surely read
			}
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, _ := search(t, dir, journal.Query{Ref: ref}); !slices.Equal(got, []string{ref}) {
			t.Fatalf("found %q", got)
		}
	}
	if r := find(0); len(r.Damaged) != 1 {
		t.Errorf("%+v", r)
	}
	if done := pack(t, dir); done.Rebuilt != 1 {
		t.Errorf("%+v", done)
	}
	rebuilt, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(rebuilt, good) {
		t.Error("rebuilt it is another", err)
	}
	find(1)
	// A bit anywhere, seen when all of it is read.
	good[len(good)/3] ^= 8
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if done := pack(t, dir); done.Rebuilt != 1 {
		t.Errorf("%+v", done)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	find(0)
	if done := pack(t, dir); done.Rebuilt != 1 {
		t.Errorf("%+v", done)
	}
	find(1)
	// An index of another file under this one's name.
	rotatedFile(t, filepath.Join(dir, "messages.jsonl.1"), 1, 4000)
	pack(t, dir)
	for _, other := range indexes(t, dir) {
		if other != path {
			b, err := os.ReadFile(other)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	find(1)
	if err := os.Remove(filepath.Join(dir, "messages.jsonl.2.gz")); err != nil {
		t.Fatal(err)
	}
	if done := pack(t, dir); done.Removed != 1 || len(indexes(t, dir)) != 1 {
		t.Errorf("%+v", done)
	}
}

// Files that somebody still writes to, or that are too young, are left alone.
func TestPackLeavesAlone(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	for n := range 3000 {
		if err := write(j, entry(journal.Messages, fmt.Sprint(n), noon)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	rotated := filepath.Join(dir, "messages.jsonl.1")
	if err := os.Rename(filepath.Join(dir, "messages.jsonl"), rotated); err != nil {
		t.Fatal(err)
	}
	packs := func(rest time.Duration, want int) {
		t.Helper()
		done, err := j.Pack(t.Context(), rest, time.Time{}, false)
		if err != nil || done.Packed != want || len(done.Problems) > 0 {
			t.Errorf("%+v, %v", done, err)
		}
	}
	packs(0, 0) // lines still go there
	if err := j.Reopen(); err != nil {
		t.Fatal(err)
	}
	packs(time.Hour, 0)
	packs(0, 1)
	if _, err := os.Stat(rotated + ".gz"); err != nil {
		t.Error(err)
	}
}

// At whatever step the machine goes down, every line is found once, and the next
// pass ends what was begun.
func TestPackCrash(t *testing.T) {
	scratch := t.TempDir()
	text := rotatedFile(t, filepath.Join(scratch, "messages.jsonl.1"), 0, 3000)
	pack(t, scratch)
	zip, err := os.ReadFile(filepath.Join(scratch, "messages.jsonl.1.gz"))
	if err != nil {
		t.Fatal(err)
	}
	idxName := filepath.Base(indexes(t, scratch)[0])
	idx, err := os.ReadFile(indexes(t, scratch)[0])
	if err != nil {
		t.Fatal(err)
	}
	id := strings.TrimSuffix(idxName, ".idx")
	halfZip, halfIdx := zip[:len(zip)/2], idx[:len(idx)/2]
	const plain = "messages.jsonl.1"
	steps := []map[string][]byte{
		{plain: text, "index/" + id + ".gz.tmp": nil},
		{plain: text, "index/" + id + ".gz.tmp": halfZip, "index/" + id + ".idx.tmp": halfIdx},
		{plain: text, "index/" + id + ".gz.tmp": zip, "index/" + id + ".idx.tmp": idx},
		{plain: text, "index/" + id + ".gz.tmp": zip, "index/" + idxName: idx},
		{plain: text, "index/" + id + ".gz.tmp": zip, "index/" + idxName: idx, plain + ".gz": zip},
		{"index/old-" + id + "-" + plain: text, "index/" + id + ".gz.tmp": zip, "index/" + idxName: idx, plain + ".gz": zip},
		{"index/" + id + ".gz.tmp": zip, "index/" + idxName: idx, plain + ".gz": zip},
		// Rotated on before the next start.
		{"index/old-" + id + "-" + plain: text, "index/" + idxName: idx, "messages.jsonl.2.gz": zip},
		{plain: text, plain + ".gz": zip},
		// What was put aside was another file, and the machine went down before it was put back.
		{"index/old-" + id + "-" + plain: text},
	}
	for n, step := range steps {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "index"), 0o750); err != nil {
			t.Fatal(err)
		}
		for name, b := range step {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o640); err != nil {
				t.Fatal(err)
			}
		}
		count := func() {
			t.Helper()
			found := 0
			if _, err := journal.Search(t.Context(), dir, journal.Query{}, func(journal.Entry) error { found++; return nil }); err != nil || found != 3000 {
				t.Errorf("step %d: %d lines, %v", n, found, err)
			}
		}
		if n < len(steps)-1 {
			count()
		}
		if done := pack(t, dir); len(done.Problems) > 0 {
			t.Errorf("step %d: %+v", n, done)
		}
		count()
		left, err := filepath.Glob(filepath.Join(dir, "*", "*"))
		if err != nil || len(left) != 2 {
			t.Errorf("step %d: left %q", n, left)
		}
		names, err := filepath.Glob(filepath.Join(dir, "messages*"))
		if err != nil || len(names) != 1 || !strings.HasSuffix(names[0], ".gz") {
			t.Errorf("step %d: %q", n, names)
		}
	}
}

// Files that others packed stay as they are, and are read; with one of theirs beside
// the original nothing is touched.
func TestPackedByOthers(t *testing.T) {
	dir := t.TempDir()
	file(t, filepath.Join(dir, "messages.jsonl.2.gz"), entry(journal.Messages, "theirs", noon))
	file(t, filepath.Join(dir, "messages.jsonl.1"), entry(journal.Messages, "half", noon))
	if err := os.WriteFile(filepath.Join(dir, "messages.jsonl.1.gz"), []byte("\x1f\x8b"), 0o640); err != nil {
		t.Fatal(err)
	}
	if done := pack(t, dir); done.Packed+done.Rebuilt > 0 || len(done.Problems) > 0 {
		t.Errorf("%+v", done)
	}
	if got, _ := search(t, dir, journal.Query{}); !slices.Equal(got, []string{"theirs", "half"}) && !slices.Equal(got, []string{"half", "theirs"}) {
		t.Errorf("%q", got)
	}
}

// A pass that is called off, or has no time, leaves everything readable.
func TestPackEnds(t *testing.T) {
	dir := t.TempDir()
	for n := range 3 {
		rotatedFile(t, filepath.Join(dir, fmt.Sprint("messages.jsonl.", n+1)), uint64(n), 4000)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	_, err := journal.Pack(ctx, dir, journal.PackOptions{InUse: func(fs.FileInfo) bool {
		if calls++; calls == 2 {
			cancel()
		}
		return false
	}})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	now := noon
	done, err := journal.Pack(t.Context(), dir, journal.PackOptions{Until: noon.Add(1), Now: func() time.Time { now = now.Add(1); return now }})
	if err != nil || !done.More {
		t.Errorf("%+v, %v", done, err)
	}
	found := 0
	if _, err := journal.Search(t.Context(), dir, journal.Query{}, func(journal.Entry) error { found++; return nil }); err != nil || found != 12000 {
		t.Errorf("%d lines, %v", found, err)
	}
}
