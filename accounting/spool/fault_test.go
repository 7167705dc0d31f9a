package spool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
)

// faults is a file system that fails as it is told, and loses what was not
// synced when the machine crashes.
type faults struct {
	osFiles
	mu      sync.Mutex
	create_ func(path string) error
	write   func(path string, b []byte) (int, error) // bytes that go through before the error
	sync    func(path string) error
	cut     func(path string) error
	syncDir func() error
	synced  map[string]int64
	failed  map[string]bool // descriptors whose write or sync has failed
	reused  []string        // those of them that were written or synced again
}

func newFaults() *faults {
	return &faults{synced: map[string]int64{}, failed: map[string]bool{}}
}

type faultFile struct {
	File
	fs   *faults
	path string
	size int64
}

func (f *faults) Create(path string) (File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.create_ != nil {
		if err := f.create_(path); err != nil {
			return nil, err
		}
	}
	file, err := f.osFiles.Create(path)
	if err != nil {
		return nil, err
	}
	f.synced[path] = 0
	return &faultFile{File: file, fs: f, path: path}, nil
}

func (f *faults) Stands(path string, file File) (bool, error) {
	if made, ok := file.(*faultFile); ok {
		file = made.File
	}
	return f.osFiles.Stands(path, file)
}

func (f *faultFile) Write(b []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.fs.reuse(f.path)
	if f.fs.write != nil {
		if n, err := f.fs.write(f.path, b); err != nil {
			n, _ = f.File.Write(b[:n])
			f.fs.failed[f.path] = true
			return n, err
		}
	}
	n, err := f.File.Write(b)
	f.size += int64(n)
	return n, err
}

func (f *faultFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.fs.reuse(f.path)
	if f.fs.sync != nil {
		if err := f.fs.sync(f.path); err != nil {
			f.fs.failed[f.path] = true
			return err
		}
	}
	f.fs.synced[f.path] = f.size
	return nil
}

func (f *faultFile) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.fs.cut != nil {
		if err := f.fs.cut(f.path); err != nil {
			return err
		}
	}
	f.size = size
	return f.File.Truncate(size)
}

func (f *faults) SyncDir(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.syncDir != nil {
		if err := f.syncDir(); err != nil {
			return err
		}
	}
	return f.osFiles.SyncDir(dir)
}

// failures are so many, and then none.
func failures(n int) func() error {
	return func() error {
		if n--; n >= 0 {
			return syscall.EIO
		}
		return nil
	}
}

func (f *faults) reuse(path string) {
	if f.failed[path] {
		f.reused = append(f.reused, path)
	}
}

// set changes what fails.
func (f *faults) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// crash makes a folder of what a crash leaves of dir: of every segment what
// was synced, and of the rest as much as chance has it.
func (f *faults) crash(t *testing.T, dir string) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	to := t.TempDir()
	list, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range list {
		b := read(t, path)
		if synced, ok := f.synced[path]; ok && strings.HasSuffix(path, segmentSuffix) && int64(len(b)) > synced {
			b = b[:synced+rand.Int64N(int64(len(b))-synced+1)]
		}
		write(t, filepath.Join(to, filepath.Base(path)), b)
	}
	return to
}

func isSegment(path string) bool { return strings.HasSuffix(path, segmentSuffix) }

// After a failed sync the descriptor is never used again; the records stand in
// a new segment, once.
func TestFailedSync(t *testing.T) {
	fs, dir := newFaults(), t.TempDir()
	s := mustOpen(t, dir, Options{}, fs)
	mustAppend(t, s, message(0, 1))
	n := 0
	fs.set(func() {
		fs.sync = func(string) error {
			if n++; n == 1 {
				return syscall.EIO
			}
			return nil
		}
	})
	mustAppend(t, s, message(1, 2))
	mustAppend(t, s, message(2, 1))
	a := newAccount()
	drainAll(t, s, a)
	wantIDs(t, a.ids(), ids(message(0, 1), message(1, 2), message(2, 1)))
	if len(fs.reused) > 0 {
		t.Fatal("used again: ", fs.reused)
	}
	if n := segmentCount(t, dir); n != 2 {
		t.Fatalf("%d segments", n)
	}
	for id, n := range a.seen {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
}

// A disk that stays full refuses with ENOSPC and keeps nothing of what was
// refused; with room again it goes on.
func TestFullDisk(t *testing.T) {
	for name, full := range map[string]func(fs *faults){
		"write": func(fs *faults) {
			fs.write = func(path string, b []byte) (int, error) { return len(b) / 2, syscall.ENOSPC }
		},
		"sync":   func(fs *faults) { fs.sync = func(string) error { return syscall.ENOSPC } },
		"create": func(fs *faults) { fs.create_ = func(string) error { return syscall.ENOSPC } },
		"create and write": func(fs *faults) {
			fs.create_ = func(string) error { return syscall.ENOSPC }
			fs.write = func(path string, b []byte) (int, error) { return len(b) - 1, syscall.ENOSPC }
		},
	} {
		t.Run(name, func(t *testing.T) {
			fs, dir := newFaults(), t.TempDir()
			s := mustOpen(t, dir, Options{SegmentSize: 1500}, fs)
			var want [][]accounting.Record
			keep := func(i int) {
				mustAppend(t, s, message(i, 1))
				want = append(want, message(i, 1))
			}
			keep(0)
			refused := 0
			for i := range 5 {
				fs.set(func() { full(fs) })
				for range 4 {
					if err := s.Append(t.Context(), message(100+i, 2)); err != nil {
						refused++
						if !errors.Is(err, syscall.ENOSPC) || errors.Is(err, ErrUncertain) {
							t.Fatal(err)
						}
					} else {
						want = append(want, message(100+i, 2)) // there was room in an open segment
					}
				}
				fs.set(func() { fs.create_, fs.write, fs.sync = nil, nil, nil })
				keep(1 + i)
			}
			if refused < 5 {
				t.Fatalf("%d refused", refused)
			}
			s.Close()
			s = mustOpen(t, dir, Options{}, osFiles{})
			a := newAccount()
			drainAll(t, s, a)
			seen := map[string]bool{}
			for _, m := range want {
				for _, r := range m {
					seen[r.ID] = true
				}
			}
			if len(a.ids()) != len(seen) {
				t.Fatalf("%d records of %d: %v", len(a.ids()), len(seen), a.ids())
			}
			for id := range seen {
				if a.seen[id] == 0 {
					t.Errorf("%s is lost", id)
				}
			}
			if len(fs.reused) > 0 {
				t.Error("used again: ", fs.reused)
			}
			if st := s.Status(); st.SetAside > 0 || len(asideFiles(t, dir, kindTorn)) > 0 {
				t.Errorf("left pieces: %+v", st)
			}
		})
	}
}

// What could be neither synced nor cut off may come back: the caller learns it.
func TestUncertainWrite(t *testing.T) {
	fs := newFaults()
	s := mustOpen(t, t.TempDir(), Options{}, fs)
	mustAppend(t, s, message(0, 1))
	fs.set(func() {
		fs.sync = func(string) error { return syscall.EIO }
		fs.cut = func(string) error { return syscall.EIO }
	})
	if err := s.Append(t.Context(), message(1, 1)); !errors.Is(err, ErrUncertain) || !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	fs.set(func() { fs.sync, fs.cut = nil, nil })
	mustAppend(t, s, message(2, 1))
	a := newAccount()
	drainAll(t, s, a)
	wantIDs(t, a.ids(), ids(message(0, 1), message(2, 1)))
}

// A caller whose time is up while it waits is dropped; while it is written it
// learns that nothing is known.
func TestAppendDeadline(t *testing.T) {
	fs := newFaults()
	s := mustOpen(t, t.TempDir(), Options{}, fs)
	syncing, release := make(chan struct{}), make(chan struct{})
	fs.set(func() {
		first := true
		fs.sync = func(string) error {
			if first {
				first = false
				close(syncing)
				<-release
			}
			return nil
		}
	})
	inFlight, cancelFlight := context.WithCancel(t.Context())
	flight := make(chan error, 1)
	go func() { flight <- s.Append(inFlight, message(0, 1)) }()
	<-syncing
	waits, cancelWait := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() { waiting <- s.Append(waits, message(1, 1)) }()
	for queued := 0; queued == 0; {
		s.queue.mu.Lock()
		queued = len(s.queue.list)
		s.queue.mu.Unlock()
	}
	cancelWait()
	if err := <-waiting; !errors.Is(err, context.Canceled) || errors.Is(err, ErrUncertain) {
		t.Fatal(err)
	}
	cancelFlight()
	if err := <-flight; !errors.Is(err, context.Canceled) || !errors.Is(err, ErrUncertain) {
		t.Fatal(err)
	}
	close(release)
	mustAppend(t, s, message(2, 1))
	if err := s.Append(waits, message(3, 1)); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUncertain) {
		t.Fatal(err)
	}
	a := newAccount()
	drainAll(t, s, a)
	wantIDs(t, a.ids(), ids(message(0, 1), message(2, 1)))
}

// A crash at any time keeps what was acknowledged, and whole messages only.
func TestCrash(t *testing.T) {
	for round := range 20 {
		fs, dir := newFaults(), t.TempDir()
		s := mustOpen(t, dir, Options{SegmentSize: 6000}, fs)
		var mu sync.Mutex
		acknowledged := map[int]bool{}
		images := make(chan string, 1)
		syncs := 0
		fs.set(func() {
			fs.sync = func(path string) error {
				if syncs++; syncs == 5+round {
					// The write is through, its sync is not.
					fs.mu.Unlock()
					mu.Lock()
					images <- fs.crash(t, dir)
					mu.Unlock()
					fs.mu.Lock()
				}
				return nil
			}
		})
		var before map[int]bool
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for i := range 30 {
					if err := s.Append(t.Context(), message(w*100+i, 3)); err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if len(images) == 0 {
						acknowledged[w*100+i] = true
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		s.Close()
		before = acknowledged
		image := <-images
		s = mustOpen(t, image, Options{}, osFiles{})
		a := newAccount()
		drainAll(t, s, a)
		for i := range before {
			for _, r := range message(i, 3) {
				if a.seen[r.ID] != 1 {
					t.Fatalf("round %d: %s was acknowledged and is there %d times", round, r.ID, a.seen[r.ID])
				}
			}
		}
		if n := len(a.ids()); n%3 != 0 {
			t.Fatalf("round %d: %d records: part of a message", round, n)
		}
		if st := s.Status(); st.SetAside > 0 {
			t.Fatalf("round %d: a crash is no damage: %+v", round, st)
		}
		s.Close()
	}
}

// The cursor's folder without room does not stop the drain.
func TestCursorUnsaved(t *testing.T) {
	fs, dir := newFaults(), t.TempDir()
	s := mustOpen(t, dir, Options{}, fs)
	mustAppend(t, s, message(0, 1))
	fs.set(func() {
		fs.create_ = func(path string) error {
			if isSegment(path) {
				return nil
			}
			return syscall.ENOSPC
		}
	})
	a := newAccount()
	drainAll(t, s, a)
	wantIDs(t, a.ids(), ids(message(0, 1)))
	s.Close()
	s = mustOpen(t, dir, Options{}, osFiles{})
	drainAll(t, s, a)
	if n := a.seen[message(0, 1)[0].ID]; n != 2 {
		t.Fatalf("came %d times: the cursor was not saved, or the drain began wrong", n)
	}
}

// A disk that is really full.
func TestRealFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := mountSmall(dir); err != nil {
		t.Skipf("a small file system cannot be mounted here (%v); TestFullDisk has the same with injected errors", err)
	}
	t.Cleanup(func() {
		if err := unmount(dir); err != nil {
			t.Error(err)
		}
	})
	spool := filepath.Join(dir, "spool")
	s, err := open(spool, Options{SegmentSize: 64 << 10}, osFiles{}, quick())
	if err != nil {
		t.Fatal(err)
	}
	var want [][]accounting.Record
	i, refused := 0, 0
	for ; refused < 10; i++ {
		m := message(i, 5)
		switch err := s.Append(t.Context(), m); {
		case err == nil:
			want = append(want, m)
		case errors.Is(err, syscall.ENOSPC) && !errors.Is(err, ErrUncertain):
			refused++
		default:
			t.Fatal(err)
		}
	}
	a := newAccount()
	drainAll(t, s, a) // without room for the cursor
	wantIDs(t, a.ids(), ids(want...))
	s.Close()
	if err := os.Remove(filepath.Join(spool, segmentName(1))); err != nil {
		t.Fatal(err)
	}
	s, err = open(spool, Options{}, osFiles{}, quick())
	if err != nil {
		t.Fatal(err)
	}
	after := message(i, 5)
	mustAppend(t, s, after)
	drainAll(t, s, a)
	if got := a.ids(); got[len(got)-1] != after[4].ID || len(got) != len(ids(want...))+5 {
		t.Fatal(fmt.Sprint("after the disk had room again: ", len(got), " of ", len(ids(want...))+5))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
