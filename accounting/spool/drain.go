package spool

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// A batch ends with the frame that reaches one of these.
const (
	batchRecords = 512
	batchPayload = 1 << 20
)

// pace is how eager a drain is.
type pace struct {
	linger     time.Duration // batches that are not full come no faster
	save       time.Duration // the cursor is saved no more often
	check      time.Duration // an idle sink is asked for its mark so often
	backoffMin time.Duration // after the first error of the sink
	backoffMax time.Duration
}

func defaultPace() pace {
	return pace{
		linger: 50 * time.Millisecond, save: time.Second, check: 10 * time.Second,
		backoffMin: 100 * time.Millisecond, backoffMax: 5 * time.Second,
	}
}

// Drain applies spooled records to sink, in order and in batches, until ctx
// ends; it waits while the sink is away. The cursor moves behind what was
// applied: a crash in between only applies some again.
//
// With a sink that is an accounting.Checkpointer, what it turns out to have
// lost is applied again, as far back as segments are retained.
//
// It returns nil when ctx ended, and ErrDraining or ErrClosed at once.
func (s *Spool) Drain(ctx context.Context, sink accounting.Sink) error {
	d, err := s.begin(sink)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	d.run(ctx)
	s.mu.Lock()
	s.drained = false
	s.mu.Unlock()
	s.drains.Done()
	return nil
}

// begin makes sure that there is one Drain.
func (s *Spool) begin(sink accounting.Sink) (*drain, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if s.drained {
		return nil, ErrDraining
	}
	s.drained = true
	s.drains.Add(1)
	marks, _ := sink.(accounting.Checkpointer)
	return &drain{s: s, sink: sink, marks: marks, pos: s.applied}, nil
}

// drain is one Drain that runs.
type drain struct {
	s     *Spool
	sink  accounting.Sink
	marks accounting.Checkpointer // nil: the sink loses nothing

	pos      position // all before it was applied
	scan     scanner
	reading  file   // of the segment scan reads; nil: none
	seq      uint64 // its number
	batch    []accounting.Record
	mark     string    // the sink's, as last seen or moved
	known    bool      // mark was compared with pos since the last error
	dirty    bool      // pos is not saved
	saved    time.Time // when it last was, or could not be
	put      time.Time // when the last batch went
	failures int       // of the sink, in a row
	logged   time.Time // the last of them that was logged
}

func (d *drain) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := d.step(ctx); err != nil && ctx.Err() == nil {
			d.failed(ctx, err)
		}
	}
	d.leave(ctx)
	d.closeSegment()
}

// leaveTimeout bounds what the end of a Drain waits for the sink.
const leaveTimeout = 2 * time.Second

// leave saves where the next Drain begins. If the sink is away, the next one
// applies again what was not saved.
func (d *drain) leave(ctx context.Context) {
	if !d.dirty || !d.known {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	if err := d.checkpoint(ctx); err != nil {
		d.s.o.Log.Warn("the spool's cursor stays behind", "error", err)
	}
}

// step applies one batch, or waits.
func (d *drain) step(ctx context.Context) error {
	if !d.known {
		if err := d.compare(ctx); err != nil {
			return err
		}
	}
	if wait := d.early(); wait > 0 {
		d.wait(ctx, wait, d.s.kick, nil)
		return nil
	}
	next, err := d.read()
	if err != nil {
		return err
	}
	if next == d.pos {
		return d.idle(ctx)
	}
	if len(d.batch) > 0 {
		if err := d.sink.Put(ctx, d.batch); err != nil {
			d.rewindScan()
			return fmt.Errorf("store: %w", err)
		}
		d.put = time.Now()
	}
	d.well(next, len(d.batch))
	if time.Since(d.saved) >= d.s.pace.save {
		return d.checkpoint(ctx)
	}
	return nil
}

// early is how long a small batch may still grow.
func (d *drain) early() time.Duration {
	s := d.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == 0 || s.waiting >= batchRecords || len(s.flushes) > 0 {
		return 0
	}
	return s.pace.linger - time.Since(d.put)
}

// idle waits for more to apply.
func (d *drain) idle(ctx context.Context) error {
	s := d.s
	s.mu.Lock()
	if _, _, more := s.atLocked(d.pos); !more {
		s.waiting = 0 // damage makes the count a guess: here it is known
	}
	s.mu.Unlock()
	if s.flushing() {
		if err := d.settle(ctx); err != nil || !d.known {
			return err
		}
		s.flushed()
	}
	wait := s.pace.check
	if d.dirty {
		wait = max(0, s.pace.save-time.Since(d.saved))
	}
	if d.wait(ctx, wait, s.appended, s.kick) {
		return nil
	}
	if ctx.Err() != nil {
		return nil
	}
	return d.settle(ctx)
}

// settle leaves nothing in doubt: the cursor is saved and the sink's mark seen.
func (d *drain) settle(ctx context.Context) error {
	if d.dirty {
		return d.checkpoint(ctx)
	}
	return d.compare(ctx)
}

// wait until one of the channels has something, or for so long; it reports
// whether something came. Nil channels never have.
func (d *drain) wait(ctx context.Context, long time.Duration, a, b <-chan struct{}) bool {
	t := time.NewTimer(long)
	defer t.Stop()
	select {
	case <-a:
		return true
	case <-b:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

// well notes a batch that was applied.
func (d *drain) well(next position, records int) {
	s := d.s
	if d.failures > 0 {
		s.o.Log.Info("the store takes usage records again", "failures", d.failures)
		d.failures = 0
	}
	if next.seq != d.pos.seq {
		s.touch(d.pos.seq, next.seq)
	}
	d.pos, d.dirty = next, true
	s.mu.Lock()
	s.applied = next
	s.waiting = max(0, s.waiting-int64(records))
	s.state = sinkState{lastApplied: s.state.lastApplied}
	if records > 0 {
		s.state.lastApplied = s.o.Now()
	}
	s.mu.Unlock()
}

// failed notes what went wrong and waits; longer each time.
func (d *drain) failed(ctx context.Context, err error) {
	s := d.s
	now := s.o.Now()
	d.known = false
	s.mu.Lock()
	s.state.lastError = err.Error()
	if s.state.errorSince.IsZero() {
		s.state.errorSince = now
	}
	waiting := s.waiting
	s.mu.Unlock()
	if d.failures == 0 || now.Sub(d.logged) >= time.Minute {
		d.logged = now
		s.o.Log.Error("usage records wait in the spool", "waiting", waiting, "error", err)
	}
	backoff := min(s.pace.backoffMin<<min(d.failures, 16), s.pace.backoffMax)
	d.failures++
	// Several gateways that lost the same server must not return at once.
	d.wait(ctx, backoff/2+rand.N(backoff/2+1), nil, nil)
}
