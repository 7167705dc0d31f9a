package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Status of a spool.
type Status struct {
	Spooled     int64     `json:"spooled"`      // records ever
	Waiting     int64     `json:"waiting"`      // records not yet applied
	Bytes       int64     `json:"bytes"`        // on disk
	Oldest      time.Time `json:"oldest"`       // of the waiting ones; zero when none
	LastApplied time.Time `json:"last_applied"` // when the sink last took a batch
	LastError   string    `json:"last_error"`   // of the sink, "" when it is well
	ErrorSince  time.Time `json:"error_since"`  // zero when it is well
	SetAside    int       `json:"set_aside"`    // damaged pieces kept for the operator
	WriteError  string    `json:"write_error"`  // why nothing can be spooled; "" when it can
	WriteFailed time.Time `json:"write_failed"` // since when; zero when it can
}

// sinkState is how the sink does.
type sinkState struct {
	lastApplied time.Time
	lastError   string
	errorSince  time.Time
}

// diskState is how the spool's own folder does.
type diskState struct {
	err   string
	since time.Time
}

// Status now.
func (s *Spool) Status() Status {
	damaged, err := s.countDamaged()
	if errors.Is(err, fs.ErrNotExist) {
		s.wrote(fmt.Errorf("spool: the folder was removed: %w", err))
	}
	s.mu.Lock()
	st := Status{
		Spooled: s.spooled, Waiting: s.waiting, LastApplied: s.state.lastApplied,
		LastError: s.state.lastError, ErrorSince: s.state.errorSince,
		WriteError: s.disk.err, WriteFailed: s.disk.since, SetAside: damaged,
	}
	for _, g := range s.segments {
		st.Bytes += g.size
	}
	applied := s.applied
	s.mu.Unlock()
	if st.Waiting > 0 {
		st.Oldest = s.oldest(applied)
	}
	return st
}

// Name is the spool's own, made once: it tells it from another that stood in
// the same folder before.
func (s *Spool) Name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor.spool
}

// Counts are how many records were ever spooled, and how many of them wait.
func (s *Spool) Counts() (spooled, waiting int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spooled, s.waiting
}

// oldest is the time of the frame behind p; zero when it cannot be read.
func (s *Spool) oldest(p position) time.Time {
	g, p, ok := s.at(p)
	if !ok {
		return time.Time{}
	}
	f, err := s.fs.Open(s.path(segmentName(g.seq)))
	if err != nil {
		return time.Time{} // pruned meanwhile
	}
	defer f.Close()
	sc := scanner{r: f, off: p.off, end: g.size}
	fr, _, err := sc.next()
	if err != nil {
		return time.Time{}
	}
	return fr.oldest
}

// flush is one who waits for what was appended so far.
type flush struct {
	until position
	done  chan struct{}
}

// Flush waits until everything appended so far was applied, or ctx ends. With
// a sink that can lose records it also waits until the sink was seen to have
// them.
func (s *Spool) Flush(ctx context.Context) error {
	_, end := s.bounds()
	f := flush{until: end, done: make(chan struct{})}
	s.mu.Lock()
	s.flushes = append(s.flushes, f)
	s.mu.Unlock()
	signal(s.kick)
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("spool: flush: %w", ctx.Err())
	case <-s.life.Done():
		return ErrClosed
	}
}

// Settled waits until the sink was seen, after the call, to have kept all that it took
// before, or ctx ends. It does not wait for what has not been applied yet.
func (s *Spool) Settled(ctx context.Context) error {
	s.mu.Lock()
	if s.settling == nil {
		s.settling = make(chan struct{})
	}
	done := s.settling
	s.mu.Unlock()
	signal(s.kick)
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("spool: the store: %w", ctx.Err())
	case <-s.life.Done():
		return ErrClosed
	}
}

// nothingWaits tells whether all records were applied.
func (s *Spool) nothingWaits() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting == 0
}

// asked tells whether somebody waits in Settled.
func (s *Spool) asked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settling != nil
}

// take is what all who wait in Settled now wait for; nil: nobody does.
func (s *Spool) take() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := s.settling
	s.settling = nil
	return done
}

// flushing reports whether somebody waits.
func (s *Spool) flushing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.flushes) > 0
}

// flushed lets those go who waited for what is applied now.
func (s *Spool) flushed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.flushes[:0]
	for _, f := range s.flushes {
		if s.applied.before(f.until) {
			rest = append(rest, f)
			continue
		}
		close(f.done)
	}
	clear(s.flushes[len(rest):])
	s.flushes = rest
}
