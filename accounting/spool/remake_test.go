package spool

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Whatever is removed of the folder under a spool that runs, what it took is there
// when it is opened again, once, and it is the same spool; as much when a message
// follows as when only somebody asks for its status.
func TestRemovedUnderIt(t *testing.T) {
	for name, remove := range map[string]func(dir string) error{
		"the folder":       os.RemoveAll,
		"the folder above": func(dir string) error { return os.RemoveAll(filepath.Dir(dir)) },
		"what is in it":    removeLike("*"),
		"segments":         removeLike("*" + segmentSuffix),
		"the lock":         removeLike(lockName),
		"renamed":          func(dir string) error { return os.Rename(dir, dir+".old") },
		"nothing":          func(string) error { return nil },
	} {
		for _, messages := range []int{-1, 0, 1, 3} { // -1: nor does anybody ask
			t.Run(name, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "state", "spool")
				s := mustOpen(t, dir, Options{SegmentSize: 1 << 20}, osFiles{})
				mustAppend(t, s, message(0, 3))
				a := newAccount()
				drainAll(t, s, a)
				mustAppend(t, s, message(1, 2))
				mustAppend(t, s, message(2, 1))
				want := ids(message(1, 2), message(2, 1))
				if err := remove(dir); err != nil {
					t.Fatal(err)
				}
				gone := false
				if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
					gone = true
				}
				if st := s.Status(); (st.WriteError != "") != gone {
					t.Errorf("gone %v: %+v", gone, st)
				}
				for n := range messages {
					mustAppend(t, s, message(3+n, 1))
					want = append(want, ids(message(3+n, 1))...)
				}
				if messages < 0 {
					// The end of the process alone.
				} else if messages == 0 {
					s.Probe()
					s.look() // what a status has asked for
				} else if st := s.Status(); st.WriteError != "" {
					t.Error(st.WriteError)
				}
				was, spooled := s.Name(), s.Status().Spooled
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = mustOpen(t, dir, Options{}, osFiles{})
				if s.Name() != was || s.Status().Spooled != spooled {
					t.Errorf("%s with %d records, was %s with %d", s.Name(), s.Status().Spooled, was, spooled)
				}
				a.order, a.seen = nil, map[string]int{}
				drainAll(t, s, a)
				wantIDs(t, a.ids(), want)
			})
		}
	}
}

// removeLike removes the files of a folder whose names fit.
func removeLike(pattern string) func(dir string) error {
	return func(dir string) error {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		for _, path := range files {
			err = errors.Join(err, os.Remove(path))
		}
		return err
	}
}

// A drain that reads the removed segment misses nothing of what follows.
func TestRemovedUnderADrain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s := mustOpen(t, dir, Options{}, osFiles{})
	a := newAccount()
	stop := startDrain(t, s, a)
	var want []string
	for n := range 5 {
		mustAppend(t, s, message(n, 1))
		flushAll(t, s)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		want = append(want, ids(message(n, 1))...)
	}
	mustAppend(t, s, message(9, 1))
	flushAll(t, s)
	stop()
	wantIDs(t, a.ids(), append(want, ids(message(9, 1))...))
}

// Where the segment cannot be made again nothing is taken, and nothing is lost.
func TestRemovedOnAFullDisk(t *testing.T) {
	files, dir := newFaults(), filepath.Join(t.TempDir(), "spool")
	s := mustOpen(t, dir, Options{}, files)
	mustAppend(t, s, message(0, 2))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for _, fault := range []func(){
		func() { files.syncDir = failures(1) }, // of the folder
		func() { files.syncDir = failures(1) }, // of the segment
		func() { files.create_ = func(string) error { return syscall.ENOSPC } },
		func() { files.write = func(_ string, b []byte) (int, error) { return len(b) / 2, syscall.ENOSPC } },
		func() { files.sync = func(string) error { return syscall.EIO } },
	} {
		files.set(fault)
		if err := s.Append(t.Context(), message(1, 1)); err == nil || errors.Is(err, ErrUncertain) {
			t.Error(err)
		}
		if st := s.Status(); st.WriteError == "" {
			t.Error("nothing is told")
		}
		files.set(func() { files.create_, files.write, files.sync, files.syncDir = nil, nil, nil, nil })
	}
	mustAppend(t, s, message(2, 1))
	if st := s.Status(); st.WriteError != "" {
		t.Error(st.WriteError)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, Options{}, osFiles{})
	a := newAccount()
	drainAll(t, s, a)
	wantIDs(t, a.ids(), ids(message(0, 2), message(2, 1)))
}

// A folder that another process has made and taken meanwhile is not written to.
func TestRemovedAndTaken(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s := mustOpen(t, dir, Options{}, osFiles{})
	mustAppend(t, s, message(0, 1))
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	other := mustOpen(t, dir, Options{}, osFiles{})
	mustAppend(t, other, message(1, 1))
	if err := os.Remove(filepath.Join(dir, segmentName(1))); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), message(2, 1)); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
	mustAppend(t, other, message(3, 1))
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), message(4, 1)); err != nil && !strings.Contains(err.Error(), "exists") {
		t.Error(err)
	}
}
