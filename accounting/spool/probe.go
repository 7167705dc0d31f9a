package spool

import (
	"errors"
	"fmt"
	"io/fs"
)

const (
	probeName = "probe"
	probeSize = 64 << 10 // bytes: more than the records of most messages
)

// wrote notes how a write to the spool's folder went.
func (s *Spool) wrote(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.disk = diskState{}
		return
	}
	if s.disk.err = err.Error(); s.disk.since.IsZero() {
		s.disk.since = s.o.Now().UTC()
	}
}

// Probe writes a file beside the segments, and removes it: Status tells how that
// went. A full disk is known by it before a message comes, and that there is room
// again without one. One that is closed leaves the folder alone: it may be another
// process's by now.
func (s *Spool) Probe() {
	s.probing.Lock()
	defer s.probing.Unlock()
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return
	}
	path := s.path(probeName)
	err := s.fs.Remove(path) // of a crash
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	var f File
	if err == nil {
		f, err = s.fs.Create(path)
	}
	if err == nil {
		if _, err = f.Write(make([]byte, probeSize)); err == nil {
			err = f.Sync()
		}
		err = errors.Join(err, f.Close(), s.fs.Remove(path))
	}
	if err != nil {
		err = fmt.Errorf("spool: %w", err)
	}
	s.wrote(err)
	if errors.Is(err, fs.ErrNotExist) {
		s.look()
	}
}
