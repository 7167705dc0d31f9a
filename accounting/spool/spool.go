// Package spool is where usage records wait durably, between the reply to
// Postfix and the store they drain into.
//
// Its folder holds segments (000000000001.seg, ...), which are appended to and
// never changed; the cursor, up to where they were applied; counts of what is in
// them; a lock; and what
// was set aside: damaged-SEGMENT-OFFSET, bytes that are no frames although
// they were or may have been, and torn-SEGMENT-OFFSET, the end of a write that
// a crash cut off, which nobody was told was durable.
package spool

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

var (
	// ErrUncertain: the caller's deadline passed while the records were being
	// written; they may or may not be durable.
	ErrUncertain = errors.New("spool: outcome unknown")

	// ErrClosed: the spool was closed.
	ErrClosed = errors.New("spool: closed")

	// ErrDraining: another Drain runs.
	ErrDraining = errors.New("spool: drained already")
)

// Options of a spool. Zero values mean the defaults.
type Options struct {
	SegmentSize int64         // bytes; default 16 MiB
	Retain      time.Duration // drained segments stay so long; default 24 h
	Log         *slog.Logger
	Now         func() time.Time

	name   func() string                        // makes the name of a new spool
	jitter func(up time.Duration) time.Duration // from 0 to up
}

func (o *Options) setDefaults() {
	if o.SegmentSize <= 0 {
		o.SegmentSize = 16 << 20
	}
	if o.Retain <= 0 {
		o.Retain = 24 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.name == nil {
		o.name = rand.Text
	}
	if o.jitter == nil {
		o.jitter = func(up time.Duration) time.Duration { return mathrand.N(up + 1) }
	}
}

// Spool is a folder of append-only segments.
type Spool struct {
	dir  string
	o    Options
	fs   FileSystem
	pace pace
	lock io.Closer // the writer's, once it runs

	writing atomic.Uint64 // number of the segment that is written; 0: none is
	folder  Folder        // the one that was opened, or made in the place of one that was removed; the drain's

	queue     queue
	looks     atomic.Bool // the writer is to look after its segment
	saving    sync.Mutex  // held while the cursor is saved
	committer sync.WaitGroup

	mu       sync.Mutex
	segments []segment // by seq; durable ones only
	cursor   cursor    // as saved
	applied  position  // up to where the sink took all
	waiting  int64     // records behind applied
	spooled  int64     // records ever, as the cursor counts them
	state    sinkState
	disk     diskState
	flushes  []flush
	settling chan struct{}   // closed for who wait in Settled; nil: nobody does
	appended chan struct{}   // capacity 1: something was committed
	kick     chan struct{}   // capacity 1: somebody flushes
	life     context.Context // until Close
	end      context.CancelFunc
	closed   bool
	drains   sync.WaitGroup
	drained  bool // by a Drain that runs

	probing sync.Mutex // held while the folder is probed
}

// Open recovers what is there: a torn tail of the last segment is cut, damage
// elsewhere is set aside and reported. ErrLocked: the folder is in use.
func Open(dir string, o Options) (*Spool, error) {
	return open(dir, o, osFiles{}, defaultPace())
}

func open(dir string, o Options, fs FileSystem, p pace) (*Spool, error) {
	s, err := recovered(dir, o, fs, p)
	if err != nil {
		return nil, err
	}
	w := &writer{spool: s, next: s.nextSeq()}
	s.committer.Go(w.run)
	return s, nil
}

// recovered is a spool nobody writes to yet.
func recovered(dir string, o Options, fs FileSystem, p pace) (*Spool, error) {
	o.setDefaults()
	if err := fs.MakeDir(dir); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	l, err := fs.Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s := &Spool{
		dir: dir, o: o, fs: fs, pace: p, lock: l,
		appended: make(chan struct{}, 1), kick: make(chan struct{}, 1),
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.queue.wake = make(chan struct{}, 1)
	if err = s.recover(); err == nil {
		s.folder, err = fs.OpenDir(dir)
	}
	if err != nil {
		s.end()
		return nil, errors.Join(fmt.Errorf("spool: %s: %w", dir, err), l.Close())
	}
	return s, nil
}

// nextSeq is a segment number never used before.
func (s *Spool) nextSeq() uint64 {
	next := s.cursor.seq
	if n := len(s.segments); n > 0 {
		next = max(next, s.segments[n-1].seq)
	}
	return next + 1
}

// Append makes the records of one message durable, as one frame: after a
// crash all of them are there or none. Many callers share one sync. An error
// other than ErrUncertain means that nothing was kept; that of a full disk is
// ENOSPC.
func (s *Spool) Append(ctx context.Context, records []accounting.Record) error {
	if len(records) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	w, err := s.queue.newWaiter(records)
	if err != nil {
		return err
	}
	if !s.queue.push(w) {
		return ErrClosed
	}
	select {
	case err := <-w.done:
		s.queue.release(w)
		return err
	case <-ctx.Done():
		if w.drop() {
			return fmt.Errorf("spool: %w", ctx.Err())
		}
		return fmt.Errorf("%w: %w", ErrUncertain, ctx.Err())
	}
}

// Close syncs and closes; Append and Drain fail afterwards. What was appended
// before is kept, what waits for its Drain is there at the next Open.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.end()
	s.mu.Unlock()
	s.queue.close()
	s.committer.Wait()
	s.drains.Wait()
	return errors.Join(s.folder.Close(), s.lock.Close())
}

var _ io.Closer = (*Spool)(nil)

func (s *Spool) path(name string) string { return filepath.Join(s.dir, name) }
