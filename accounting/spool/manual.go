package spool

import (
	"context"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Manual is a spool that nothing moves but its caller: it has no goroutine,
// and neither clock, files nor chance of its own. The simulator drives it.
type Manual struct {
	s *Spool
	w *writer
	d *drain
}

// ManualOptions are what else comes from the caller.
type ManualOptions struct {
	Options
	Files  FileSystem
	Name   func() string                        // makes the name of a new spool
	Jitter func(up time.Duration) time.Duration // from 0 to up
}

// OpenManual recovers what is there, as Open does.
func OpenManual(dir string, o ManualOptions) (*Manual, error) {
	o.name, o.jitter = o.Name, o.Jitter
	s, err := recovered(dir, o.Options, o.Files, defaultPace())
	if err != nil {
		return nil, err
	}
	return &Manual{s: s, w: &writer{spool: s, next: s.nextSeq()}}, nil
}

// Pending is a message that is being spooled.
type Pending struct{ w *waiter }

// Done reports whether the message was written, or could not be.
func (p *Pending) Done() (error, bool) {
	select {
	case err := <-p.w.done:
		return err, true
	default:
		return nil, false
	}
}

// Append hands the records of a message to the writer.
func (m *Manual) Append(records []accounting.Record) (*Pending, error) {
	w, err := m.s.queue.newWaiter(records)
	if err != nil {
		return nil, err
	}
	if !m.s.queue.push(w) {
		return nil, ErrClosed
	}
	return &Pending{w}, nil
}

// Write is one step of the writer; false when nothing waited for it.
func (m *Manual) Write() bool {
	worked, _ := m.w.step()
	return worked
}

// Attach makes sink what the spool drains into.
func (m *Manual) Attach(sink accounting.Sink) error {
	d, err := m.s.begin(sink)
	m.d = d
	return err
}

// Drain is one step of the drain. It returns how long the drain would wait for
// something to come before its next.
func (m *Manual) Drain(ctx context.Context) time.Duration { return m.d.step(ctx).long }

// Status is as the Spool's.
func (m *Manual) Status() Status { return m.s.Status() }

// Drained reports whether all that was spooled is applied and the cursor is
// saved behind it.
func (m *Manual) Drained() bool {
	_, end := m.s.bounds()
	return m.d.session != nil && !m.d.dirty && !m.d.pos.before(end)
}
