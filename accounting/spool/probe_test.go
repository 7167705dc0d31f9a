package spool

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// That the disk is full is told, by a message or without one, and so is that there
// is room again.
func TestFullDiskIsTold(t *testing.T) {
	files, dir := newFaults(), t.TempDir()
	s := mustOpen(t, dir, Options{}, files)
	s.Probe()
	if st := s.Status(); st.WriteError != "" || !st.WriteFailed.IsZero() {
		t.Errorf("%+v", st)
	}
	full := func(string, []byte) (int, error) { return 0, syscall.ENOSPC }
	set := func(write func(string, []byte) (int, error)) {
		files.mu.Lock()
		files.write = write
		files.mu.Unlock()
	}
	told := func() {
		t.Helper()
		if st := s.Status(); !strings.Contains(st.WriteError, "no space left") || st.WriteFailed.IsZero() {
			t.Errorf("%+v", st)
		}
	}
	well := func() {
		t.Helper()
		if st := s.Status(); st.WriteError != "" || !st.WriteFailed.IsZero() {
			t.Errorf("%+v", st)
		}
	}
	set(full)
	if err := s.Append(t.Context(), message(1, 1)); err == nil {
		t.Fatal("spooled on a full disk")
	}
	told()
	s.Probe()
	told()
	set(nil)
	s.Probe()
	well()
	set(full)
	s.Probe()
	told()
	set(nil)
	mustAppend(t, s, message(2, 1))
	well()
	if _, err := os.Stat(s.path(probeName)); !os.IsNotExist(err) {
		t.Error("the probe is left:", err)
	}
	// The folder of one that is closed may be another process's.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path(probeName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Probe()
	if _, err := os.Stat(s.path(probeName)); err != nil {
		t.Error("another's probe:", err)
	}
}
