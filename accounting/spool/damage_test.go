package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// written makes a folder with one frame a message, and tells where each begins
// and ends.
func written(t testing.TB, o Options, messages [][]accounting.Record) (dir string, frames []frame) {
	t.Helper()
	dir = t.TempDir()
	s := mustOpen(t, dir, o, osFiles{})
	for _, m := range messages {
		mustAppend(t, s, m)
	}
	for _, g := range s.segments {
		f, err := s.fs.Open(s.path(segmentName(g.seq)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		sc := scanner{r: f, end: g.size}
		for {
			fr, _, err := sc.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			frames = append(frames, fr)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, frames
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// folder copies the segments to a new one.
func folder(t testing.TB, segments ...[]byte) string {
	dir := t.TempDir()
	for i, b := range segments {
		write(t, filepath.Join(dir, segmentName(uint64(i+1))), b)
	}
	return dir
}

// unsynced spares the syncs where a test has no crash.
type unsynced struct{ osFiles }

type unsyncedFile struct{ File }

func (unsyncedFile) Sync() error { return nil }

func (unsynced) SyncDir(string) error { return nil }

func (u unsynced) Create(path string) (File, error) {
	f, err := u.osFiles.Create(path)
	return unsyncedFile{f}, err
}

func (u unsynced) Open(path string) (File, error) {
	f, err := u.osFiles.Open(path)
	return unsyncedFile{f}, err
}

func asideFiles(t testing.TB, dir, kind string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, kind+"-*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Cut at every length, the last segment keeps every whole frame; the rest is
// cut away and said.
func TestTornTail(t *testing.T) {
	messages := [][]accounting.Record{message(0, 1), message(1, 1)}
	src, frames := written(t, Options{}, messages)
	whole := read(t, filepath.Join(src, segmentName(1)))
	for n := range whole {
		dir := folder(t, whole[:n])
		var log logged
		s := mustOpen(t, dir, Options{Log: log.logger()}, unsynced{})
		var want [][]accounting.Record
		boundary := n == 0
		for i, f := range frames {
			if f.end <= int64(n) {
				want = append(want, messages[i])
			}
			boundary = boundary || f.end == int64(n)
		}
		after := message(7, 1)
		mustAppend(t, s, after)
		a := newAccount()
		drainAll(t, s, a)
		wantIDs(t, a.ids(), ids(append(want, after)...))
		if aside := asideFiles(t, dir, kindTorn); boundary != (len(aside) == 0) {
			t.Fatalf("cut at %d: set aside %v", n, aside)
		}
		if said := len(log.lines()) > 0; said == boundary {
			t.Fatalf("cut at %d: log %v", n, log.lines())
		}
		if st := s.Status(); st.SetAside != 0 {
			t.Fatalf("cut at %d: a torn tail is no damage: %+v", n, st)
		}
		s.Close()
	}
}

// A tail of zeros is what some file systems leave of an append.
func TestZeroTail(t *testing.T) {
	messages := [][]accounting.Record{message(0, 1)}
	src, _ := written(t, Options{}, messages)
	whole := read(t, filepath.Join(src, segmentName(1)))
	for _, n := range []int{1, 23, 24, 4096, windowSize + 5} {
		dir := folder(t, append(slices.Clone(whole), make([]byte, n)...))
		s := mustOpen(t, dir, Options{}, osFiles{})
		a := newAccount()
		drainAll(t, s, a)
		wantIDs(t, a.ids(), ids(messages...))
		if st := s.Status(); st.SetAside != 0 || st.Bytes != int64(len(whole)) {
			t.Fatalf("%d zeros: %+v", n, st)
		}
		s.Close()
	}
}

// With a bit turned over anywhere, every frame but the one it stands in
// survives, and the damage is said and kept.
func TestFlippedBit(t *testing.T) {
	messages := [][]accounting.Record{message(0, 1), message(1, 1), message(2, 1)}
	src, frames := written(t, Options{}, messages)
	whole := read(t, filepath.Join(src, segmentName(1)))
	second, _ := written(t, Options{}, [][]accounting.Record{message(8, 1)})
	next := read(t, filepath.Join(second, segmentName(1)))
	for _, last := range []bool{true, false} {
		for at := range whole {
			if !last && at%headerSize > 4 {
				continue // where it stands makes the difference only in a header
			}
			hurt := slices.Clone(whole)
			hurt[at] ^= 1 << (at % 8)
			segments, want := [][]byte{hurt}, [][]accounting.Record{}
			for i, f := range frames {
				if int64(at) < f.begin || int64(at) >= f.end {
					want = append(want, messages[i])
				}
			}
			if !last {
				segments, want = append(segments, next), append(want, message(8, 1))
			}
			dir := folder(t, segments...)
			var log logged
			s := mustOpen(t, dir, Options{Log: log.logger()}, unsynced{})
			a := newAccount()
			drainAll(t, s, a)
			wantIDs(t, a.ids(), ids(want...))
			aside := append(asideFiles(t, dir, kindDamaged), asideFiles(t, dir, kindTorn)...)
			if len(aside) != 1 || len(log.lines()) == 0 {
				t.Fatalf("bit in byte %d: set aside %v, log %v", at, aside, log.lines())
			}
			if kept := read(t, aside[0]); !bytes.Contains(hurt, kept) || len(kept) == 0 {
				t.Fatalf("bit in byte %d: kept %d bytes that were not there", at, len(kept))
			}
			s.Close()
		}
	}
}

// Rubbish between frames, lengths of zero and beyond all measure.
func TestDamageBetween(t *testing.T) {
	messages := [][]accounting.Record{message(0, 1), message(1, 1)}
	src, frames := written(t, Options{}, messages)
	whole := read(t, filepath.Join(src, segmentName(1)))
	one, two := whole[:frames[0].end], whole[frames[0].end:]
	with := func(at int, b ...byte) []byte {
		h := slices.Clone(two[:headerSize])
		copy(h[at:], b)
		return h
	}
	for name, middle := range map[string][]byte{
		"zeros":        make([]byte, 3*windowSize+7),
		"text":         []byte(strings.Repeat("lorem ipsum ", 50_000)),
		"magic only":   []byte(magic),
		"many magics":  []byte(strings.Repeat(magic, 1000)),
		"length zero":  with(8, 0, 0, 0, 0),
		"length huge":  with(8, 0xff, 0xff, 0xff, 0xff),
		"length wrong": with(8, 9, 0, 0, 0),
		"no records":   with(12, 0, 0, 0, 0),
		"records huge": with(12, 0xff, 0xff, 0xff, 0x7f),
		"half a frame": two[:len(two)/2],
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, slices.Concat(one, middle, two))
			s := mustOpen(t, dir, Options{}, osFiles{})
			a := newAccount()
			drainAll(t, s, a)
			wantIDs(t, a.ids(), ids(messages...))
			aside := asideFiles(t, dir, kindDamaged)
			if len(aside) != 1 || !bytes.Equal(read(t, aside[0]), middle) {
				t.Fatalf("set aside: %v", aside)
			}
			if st := s.Status(); st.SetAside != 1 {
				t.Fatalf("%+v", st)
			}
		})
	}
}

// What the checksum holds but this version cannot read is kept for the
// operator; the message's other records are applied.
func TestUnreadableRecord(t *testing.T) {
	bad := message(0, 3)
	bad[1].Kind = "tithe"
	s := mustOpen(t, t.TempDir(), Options{}, osFiles{})
	mustAppend(t, s, bad)
	mustAppend(t, s, message(1, 1))
	a := newAccount()
	drainAll(t, s, a)
	wantIDs(t, a.ids(), []string{bad[0].ID, bad[2].ID, message(1, 1)[0].ID})
	if st := s.Status(); st.SetAside != 1 || st.Waiting != 0 {
		t.Fatalf("%+v", st)
	}
}

// Without a cursor, or with a damaged one, all that is retained comes again.
func TestCursorLost(t *testing.T) {
	for name, hurt := range map[string]func(path string) error{
		"missing":   os.Remove,
		"empty":     func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"damaged":   func(path string) error { return os.WriteFile(path, []byte("x 1 10 crc32c=00000000\n"), 0o600) },
		"temporary": func(path string) error { return os.Rename(path, path+".new") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := mustOpen(t, dir, Options{}, osFiles{})
			mustAppend(t, s, message(0, 2))
			drainAll(t, s, newAccount())
			s.Close()
			if err := hurt(filepath.Join(dir, cursorName)); err != nil {
				t.Fatal(err)
			}
			s = mustOpen(t, dir, Options{}, osFiles{})
			a := newAccount()
			drainAll(t, s, a)
			wantIDs(t, a.ids(), ids(message(0, 2)))
		})
	}
}

func FuzzScan(f *testing.F) {
	one, err := appendFrame(nil, message(0, 1))
	if err != nil {
		f.Fatal(err)
	}
	two, err := appendFrame(slices.Clone(one), message(1, 3))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	f.Add(one)
	f.Add(two)
	f.Add(two[:len(two)-5])
	f.Add(append([]byte(magic+"\x00\x00\x00\x00\x10\x00\x00\x00"), one...))
	f.Fuzz(func(t *testing.T, b []byte) {
		sc := scanner{r: bytes.NewReader(b), end: int64(len(b))}
		var at int64
		for {
			fr, g, err := sc.next()
			if g.begin != at {
				t.Fatalf("gap from %d after %d", g.begin, at)
			}
			if errors.Is(err, io.EOF) {
				if g.end != int64(len(b)) {
					t.Fatalf("ends at %d of %d", g.end, len(b))
				}
				if g.size() > 0 {
					if _, err := sc.isTorn(g); err != nil {
						t.Fatal(err)
					}
				}
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if fr.begin != g.end || fr.end <= fr.begin || fr.records < 1 {
				t.Fatalf("%+v behind %+v", fr, g)
			}
			if _, err := decode(nil, fr.payload); err != nil && len(fr.payload) == 0 {
				t.Fatal(err)
			}
			at = fr.end
		}
		// Whatever stands before a frame, the frame is found.
		sc = scanner{r: bytes.NewReader(slices.Concat(b, one)), end: int64(len(b) + len(one))}
		for {
			fr, _, err := sc.next()
			if err != nil {
				t.Fatal("the frame behind is lost: ", err)
			}
			if fr.end == sc.end && fr.begin == int64(len(b)) {
				break
			}
		}
	})
}

// A bit that turns over in the length of the last frame is damage to a message
// that somebody was told is durable, and no write that was cut off.
func TestFlippedLengthOfTheLastFrame(t *testing.T) {
	src, frames := written(t, Options{}, [][]accounting.Record{message(0, 1), message(1, 3)})
	whole := read(t, filepath.Join(src, segmentName(1)))
	last := frames[len(frames)-1]
	for bit := range 32 {
		flipped := bytes.Clone(whole)
		flipped[last.begin+8+int64(bit/8)] ^= 1 << (bit % 8)
		dir := folder(t, flipped)
		s := mustOpen(t, dir, Options{}, unsynced{})
		if n := len(asideFiles(t, dir, kindTorn)); n > 0 {
			t.Errorf("bit %d: taken for a write that was cut off", bit)
		}
		drainAll(t, s, newAccount())
		if n := s.Status().SetAside; n != 1 {
			t.Errorf("bit %d: %d pieces set aside", bit, n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A segment that was drained while the clock was ahead keeps those behind it
// no longer than it is retained itself.
func TestSegmentOfTheFuture(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	s := mustOpen(t, dir, Options{SegmentSize: 1, Retain: time.Hour, Now: func() time.Time { return now }}, osFiles{})
	for i := range 3 {
		mustAppend(t, s, message(i, 1))
	}
	drainAll(t, s, newAccount())
	ahead := now.AddDate(10, 0, 0)
	if err := os.Chtimes(s.path(segmentName(1)), ahead, ahead); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		mustAppend(t, s, message(10+i, 1))
		drainAll(t, s, newAccount())
		now = now.Add(2 * time.Hour)
	}
	mustAppend(t, s, message(20, 1))
	drainAll(t, s, newAccount())
	if _, err := os.Stat(s.path(segmentName(1))); !errors.Is(err, os.ErrNotExist) {
		t.Error("the segment of the future is still there: ", err)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add("ABC 1 2")
	f.Add("ABC 1 2 3")
	f.Add("ABC 1 -2")
	f.Add(" 1 2")
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := parseCursor(s); err == nil && c.String() != s && c.String() != s+" 0" {
			t.Fatal(fmt.Sprint(c), s)
		}
	})
}
