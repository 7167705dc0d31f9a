package recordfile

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var id = [16]byte{1, 2, 3}

func open(t testing.TB, dir string, o Options) *File {
	t.Helper()
	o.ID = id
	f, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func add(t testing.TB, f *File, prev int64, payload string) int64 {
	t.Helper()
	at, err := f.Append(prev, func(b []byte) []byte { return append(b, payload...) })
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func mustSync(t testing.TB, f *File) {
	t.Helper()
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, f *File, at, prev int64, payload string) {
	t.Helper()
	r := f.Reader()
	defer r.Close()
	got, err := r.Read(at)
	if err != nil || got.Prev != prev || string(got.Payload) != payload {
		t.Fatalf("at %d: %d, %q, %v; want %d, %q", at, got.Prev, got.Payload, err, prev, payload)
	}
}

// A machine that goes down at any moment leaves what was synced and, behind it,
// some of the rest or none: all that counts is there, and nothing else.
func TestCrashes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(80) {
		random := rand.New(rand.NewPCG(seed, 1))
		dir := filepath.Join(t.TempDir(), fmt.Sprint(seed))
		o := Options{Size: 2000}
		type one struct {
			at, prev int64
			payload  string
		}
		var kept, added []one // synced, and since
		f := open(t, dir, o)
		for range 60 {
			switch n := random.IntN(20); {
			case n < 14:
				prev := int64(0)
				if all := append(kept[:len(kept):len(kept)], added...); len(all) > 0 {
					prev = all[random.IntN(len(all))].at
				}
				payload := strings.Repeat(string(rune('a'+random.IntN(26))), random.IntN(600))
				added = append(added, one{add(t, f, prev, payload), prev, payload})
			case n < 16:
				if len(added) > 0 {
					last := added[len(added)-1]
					if got, err := f.Read(last.at); err != nil || string(got.Payload) != last.payload {
						t.Fatal(err)
					}
				}
			case n < 18:
				mustSync(t, f)
				kept, added = append(kept, added...), nil
				o.End = f.End()
			case n < 19:
				if err := f.Reset(o.End); err != nil {
					t.Fatal(err)
				}
				added = nil
			default: // the machine goes down
				if err := errors.Join(f.Flush(), f.Close()); err != nil {
					t.Fatal(err)
				}
				tear(t, f, o.End, random)
				f = open(t, dir, o)
				added = nil
			}
		}
		mustSync(t, f)
		for _, r := range append(kept, added...) {
			want(t, f, r.at, r.prev, r.payload)
		}
	}
}

// tear loses some of what was not synced.
func tear(t *testing.T, f *File, end int64, random *rand.Rand) {
	for _, start := range f.starts {
		info, err := os.Stat(f.path(start))
		if err != nil {
			t.Fatal(err)
		}
		if begin := max(0, end-start); begin < info.Size() {
			file, err := os.OpenFile(f.path(start), os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			size := begin + random.Int64N(info.Size()-begin+1)
			_, err = file.WriteAt(make([]byte, size-begin), begin)
			if random.IntN(2) == 0 {
				err = nil
			}
			if err := errors.Join(err, file.Truncate(size), file.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Damage costs the records that it is in, and is told from them.
func TestDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := open(t, dir, Options{Size: 3000})
	var at []int64
	for i := range 40 {
		at = append(at, add(t, f, 0, fmt.Sprintf("%03d%s", i, strings.Repeat("x", 300))))
	}
	mustSync(t, f)
	for _, place := range []int64{at[5] + 40, at[6] + 2, at[20] + 9, at[21] + 14} {
		file, err := os.OpenFile(f.path(f.Segment(place)), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1)
		if _, err := file.ReadAt(b, place-f.Segment(place)); err != nil {
			t.Fatal(err)
		}
		b[0] ^= 4
		if _, err := file.WriteAt(b, place-f.Segment(place)); err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	var got []string
	r := f.Reader()
	defer r.Close()
	if err := r.Scan(at[0], at[39], func(r Record) error {
		got = append(got, string(r.Payload[:3]))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range 40 {
		if i != 5 && i != 6 && i != 20 && i != 21 {
			all = append(all, fmt.Sprintf("%03d", i))
		}
	}
	if strings.Join(got, " ") != strings.Join(all, " ") {
		t.Errorf("got %v", got)
	}
	for _, i := range []int{5, 6, 20, 21} {
		if _, err := r.Read(at[i]); !errors.Is(err, ErrDamaged) {
			t.Errorf("record %d: %v", i, err)
		}
	}
	if _, err := r.Read(at[7] + 1); !errors.Is(err, ErrDamaged) {
		t.Errorf("between records: %v", err)
	}
	// What is cut off is missing, and what comes goes on behind it.
	end := f.End()
	if err := errors.Join(f.Close(), os.Truncate(f.path(f.Last()), 100)); err != nil {
		t.Fatal(err)
	}
	f = open(t, dir, Options{Size: 3000, End: end})
	if _, err := f.Read(at[39]); !errors.Is(err, ErrDamaged) {
		t.Errorf("what is missing: %v", err)
	}
	again := add(t, f, at[0], "again")
	mustSync(t, f)
	want(t, f, again, at[0], "again")
}

// Files of another database, and more than a crash leaves, are kept.
func TestSetAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := open(t, dir, Options{Size: 3000})
	var end int64
	for i := range 40 {
		add(t, f, 0, strings.Repeat("x", 300))
		if i == 2 {
			end = f.End()
		}
	}
	mustSync(t, f)
	f.Close()
	read := func() (text []byte) {
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if b, err := os.ReadFile(name); err == nil {
				text = append(text, b...)
			}
		}
		return text
	}
	before := bytes.Count(read(), []byte(frameMagic))
	f = open(t, dir, Options{Size: 3000, End: end, Tail: 1000})
	mustSync(t, f)
	f.Close()
	if n := bytes.Count(read(), []byte(frameMagic)); n != before {
		t.Errorf("%d records were kept of %d", n, before)
	}
	other, err := Open(dir, Options{ID: [16]byte{9}, Size: 3000})
	if err != nil {
		t.Fatal(err)
	}
	at := add(t, other, 0, "mine")
	mustSync(t, other)
	want(t, other, at, 0, "mine")
	other.Close()
	if n := bytes.Count(read(), []byte(frameMagic)); n != before+1 {
		t.Errorf("%d records were kept of %d", n, before+1)
	}
}

// Segments that are removed, and links to them.
func TestRemove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := open(t, filepath.Join(dir, "records"), Options{Size: 1000})
	var at []int64
	for range 12 {
		at = append(at, add(t, f, 0, strings.Repeat("x", 300)))
	}
	mustSync(t, f)
	if err := f.Link(filepath.Join(dir, "links")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Remove(f.Segment(at[0])), f.Remove(f.Last())); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(at[0]); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	want(t, f, at[11], 0, strings.Repeat("x", 300))
	want(t, open(t, filepath.Join(dir, "links"), Options{Size: 1000, End: f.End()}), at[0], 0, strings.Repeat("x", 300))
}

// Whatever stands in a file, nothing is taken for a record that was not written
// there, and nothing panics.
func FuzzScan(f *testing.F) {
	whole := appendSegmentHeader(nil, id, 0)
	for _, text := range []string{"", "one", strings.Repeat("two", 50)} {
		var err error
		if whole, err = appendFrame(whole, int64(len(whole)), 0, func(b []byte) []byte { return append(b, text...) }); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "0000000000000000.rec"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		file := &File{dir: dir, starts: []int64{0}}
		r := file.Reader()
		defer r.Close()
		if err := r.Scan(segmentHeader, int64(len(content)), func(r Record) error {
			b := content[r.Position:]
			if size, ok := frameSize(b, r.Position); !ok || !holds(b[:size]) {
				t.Errorf("a record at %d of what was never written", r.Position)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}
