package spool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

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
	for ctx.Err() == nil {
		d.wait(ctx, d.step(ctx))
	}
	d.leave(ctx)
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
	return &drain{s: s, sink: sink, pos: s.applied, kept: s.applied, left: map[string]position{}}, nil
}

// drain is one Drain that runs. It is a machine that is moved by step alone:
// it has no goroutine and no clock of its own, and never waits but for the
// sink and the disk.
type drain struct {
	s    *Spool
	sink accounting.Sink

	session    accounting.Session  // nil: none, or it failed
	left       map[string]position // the marks by part, as compared or left by the session before
	mismatched bool                // the last session ended because a mark was another
	unkept     bool                // the sink could not keep what it took, and has kept nothing since
	kept       position            // all before it the sink was seen to have kept
	asking     chan struct{}       // of those in Settled whom the next answer of the sink is for

	absent map[uint64]time.Time // segments that wait and are not in the folder: since when

	pos      position // all before it was applied
	scan     scanner
	reading  File   // of the segment scan reads; nil: none
	seq      uint64 // its number
	batch    []accounting.Record
	dirty    bool      // pos is not saved
	saved    time.Time // when it last was, or could not be
	put      time.Time // when the last batch went
	checked  time.Time // when the marks were last seen
	failures int       // of the sink, in a row
	logged   time.Time // the last of them that was logged
}

// pause is what a step leaves to be waited for: a time, or something else that
// comes before it.
type pause struct {
	long     time.Duration
	appended bool // ends when something was committed
	kick     bool // ends when somebody flushes
}

// step does one thing: it connects, applies a batch, or makes safe what was
// applied.
func (d *drain) step(ctx context.Context) pause {
	p, err := d.try(ctx)
	switch {
	case err == nil:
		return p
	case ctx.Err() != nil:
		return pause{}
	}
	d.disconnect()
	d.rewindScan()
	d.unkept = d.unkept || errors.Is(err, accounting.ErrNotKept)
	if errors.Is(err, accounting.ErrMark) && !d.mismatched {
		d.mismatched = true // to be compared at once
		return pause{}
	}
	return d.failed(err)
}

func (d *drain) try(ctx context.Context) (pause, error) {
	if d.session == nil {
		if err := d.connect(ctx); err != nil {
			return pause{}, err
		}
	}
	if p := d.early(); p.long > 0 {
		return p, nil
	}
	next, err := d.read()
	if err != nil {
		return pause{}, err
	}
	if next == d.pos {
		return d.idle(ctx)
	}
	if len(d.batch) > 0 {
		if err := d.session.Put(ctx, d.batch, d.at(next, len(d.batch)).String()); err != nil {
			return pause{}, fmt.Errorf("store: %w", err)
		}
		d.put = d.s.o.Now()
		d.checked = d.put
	}
	d.well(next, len(d.batch))
	if d.due(d.saved, d.s.pace.save) == 0 {
		return pause{}, d.checkpoint(ctx)
	}
	return pause{}, nil
}

// due is how long it is until so long after a time. That a clock was set back
// makes it due: how long it is nobody can tell.
func (d *drain) due(after time.Time, long time.Duration) time.Duration {
	passed := d.s.o.Now().Sub(after)
	if passed < 0 {
		return 0
	}
	return max(0, long-passed)
}

// early is how long a small batch may still grow.
func (d *drain) early() pause {
	s := d.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == 0 || s.waiting >= batchRecords || len(s.flushes) > 0 {
		return pause{}
	}
	return pause{long: d.due(d.put, s.pace.linger), kick: true}
}

// idle makes safe what was applied, and leaves more to be waited for.
func (d *drain) idle(ctx context.Context) (pause, error) {
	s := d.s
	s.mu.Lock()
	if _, _, more := s.atLocked(d.pos); !more && s.waiting != 0 {
		// Damage makes the count a guess: here it is known. The cursor has to say
		// that what was lost was spooled.
		s.waiting, d.dirty = 0, true
	}
	s.mu.Unlock()
	long := d.due(d.checked, s.pace.check)
	if d.dirty {
		long = min(long, d.due(d.saved, s.pace.save))
	}
	flushing := s.flushing()
	if flushing || long == 0 || d.asking != nil || s.asked() {
		if err := d.settle(ctx); err != nil {
			return pause{}, err
		}
		d.mismatched = false
	}
	if flushing {
		s.flushed()
		return pause{}, nil
	}
	return pause{long: long, appended: true, kick: true}, nil
}

// wait waits as a step has said.
func (d *drain) wait(ctx context.Context, p pause) {
	if p.long <= 0 {
		return
	}
	var appended, kick chan struct{} // nil channels never have anything
	if p.appended {
		appended = d.s.appended
	}
	if p.kick {
		kick = d.s.kick
	}
	t := time.NewTimer(p.long)
	defer t.Stop()
	select {
	case <-appended:
	case <-kick:
	case <-t.C:
	case <-ctx.Done():
	}
}

// leaveTimeout bounds what the end of a Drain waits for the sink.
const leaveTimeout = 2 * time.Second

// leave saves where the next Drain begins. If the sink is away, the next one
// applies again what was not saved.
func (d *drain) leave(ctx context.Context) {
	if d.dirty && d.session != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
		defer cancel()
		if err := d.checkpoint(ctx); err != nil {
			d.s.o.Log.Warn("the spool's cursor stays behind", "error", err)
		}
	}
	d.disconnect()
	d.closeSegment()
}

// well notes a batch that was applied.
func (d *drain) well(next position, records int) {
	s := d.s
	if !d.unkept { // then it took records before, too
		d.recovered()
	}
	d.mismatched = false
	if next.seq != d.pos.seq {
		s.touch(d.pos.seq, next.seq)
	}
	d.pos, d.dirty = next, true
	s.mu.Lock()
	s.applied = next
	s.waiting = max(0, s.waiting-int64(records))
	if records > 0 {
		s.state.lastApplied = s.o.Now()
	}
	s.mu.Unlock()
}

// failed notes what went wrong; each time is followed by a longer wait.
func (d *drain) failed(err error) pause {
	s := d.s
	now := s.o.Now()
	s.mu.Lock()
	s.state.lastError = err.Error()
	if s.state.errorSince.IsZero() {
		s.state.errorSince = now
	}
	waiting := s.waiting
	s.mu.Unlock()
	if d.failures == 0 || d.due(d.logged, time.Minute) == 0 {
		d.logged = now
		text := "usage records wait in the spool"
		if waiting == 0 {
			text = "the store cannot be used; no usage record waits"
		}
		s.o.Log.Error(text, "waiting", waiting, "error", err)
	}
	backoff := min(s.pace.backoffMin<<min(d.failures, 16), s.pace.backoffMax)
	d.failures++
	// Several gateways that lost the same server must not return at once.
	return pause{long: backoff/2 + s.o.jitter(backoff/2)}
}
