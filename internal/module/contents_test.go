package module

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
)

// inFile is a stash whose message is in a file already.
func inFile(t *testing.T, message string) *Stash {
	t.Helper()
	s := (&Stasher{Dir: t.TempDir(), Memory: 1}).New()
	if _, err := s.Write([]byte(message)); err != nil {
		t.Fatal(err)
	}
	if s.contents.file == nil {
		t.Fatal("not in a file")
	}
	return s
}

// A disk that fails in the middle fails the message for all, for ever, and
// nothing stays open.
func TestContentsWriteFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := inFile(t, "abc")
		name := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(name, []byte("abc"), 0o400); err != nil {
			t.Fatal(err)
		}
		readOnly, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.contents.file.Close(); err != nil {
			t.Fatal(err)
		}
		s.contents.file = readOnly
		var got []byte
		var heard error
		go func() { got, heard = io.ReadAll(s.Open(t.Context())) }()
		synctest.Wait()
		_, err = s.Write([]byte("def"))
		if !errors.Is(err, syscall.EBADF) {
			t.Errorf("write: %v", err)
		}
		synctest.Wait()
		if string(got) != "abc" || !errors.Is(heard, err) {
			t.Errorf("read %q, %v", got, heard)
		}
		s.End()
		if _, again := s.Write([]byte("g")); !errors.Is(again, err) {
			t.Errorf("write again: %v", again)
		}
		if _, size := s.Size(t.Context()); !errors.Is(size, err) {
			t.Errorf("size: %v", size)
		}
		if err := readOnly.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("the file was left open: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// A file that somebody cuts is not a shorter message.
func TestContentsCutFile(t *testing.T) {
	t.Parallel()
	s := inFile(t, "abcdef")
	s.End()
	if err := s.contents.file.Truncate(3); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(s.Open(t.Context()))
	if string(got) != "abc" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read %q, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// However Close and readers meet, the file is closed afterwards.
func TestContentsCloseFile(t *testing.T) {
	t.Parallel()
	for range 50 {
		s := inFile(t, "abcdef")
		s.End()
		file := s.contents.file
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				_, err := io.ReadAll(s.Open(t.Context()))
				if err != nil && !errors.Is(err, ErrAborted) {
					t.Error(err)
				}
			})
		}
		all.Go(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		if err := file.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("left open: %v", err)
		}
	}
}

// Both ways to a file without a name lead to one.
func TestUnnamed(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(string) (*os.File, error){"unnamed": unnamed, "remade": remade} {
		dir := t.TempDir()
		f, err := make(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("abc"), 2); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		p := [3]byte{}
		if _, err := f.ReadAt(p[:], 2); err != nil || string(p[:]) != "abc" {
			t.Errorf("%s: %q, %v", name, p, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s: left %v, %v", name, left, err)
		}
		if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
		if err := f.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
