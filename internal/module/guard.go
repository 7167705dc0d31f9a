package module

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Limits of the inspections of one inspector. What is zero is not limited.
type Limits struct {
	Timeout  time.Duration // of one inspection, the wait for its turn included
	Parallel int           // inspections at once; more wait for their turn
	MaxSize  int64         // octets
}

// Guard keeps an inspector within its limits: a time-out, a number of
// inspections at once, a size, and a circuit breaker that spares messages the
// wait for a service that is away.
//
// An inspector that goes on when its time is over is left behind. It keeps its
// place until it ends, so no more than Limits.Parallel are ever left behind.
type Guard struct {
	name      string
	inspector Inspector
	limits    Limits
	now       func() time.Time
	record    *record

	mu     sync.Mutex
	closed bool
	begun  sync.WaitGroup // inspections without a result
}

// NewGuard guards i, which policies call by that name.
func NewGuard(name string, i Inspector, l Limits, now func() time.Time) *Guard {
	return &Guard{name: name, inspector: i, limits: l, now: now, record: newRecord(l.Parallel, now())}
}

// Name is the inspector's, as policies have it.
func (g *Guard) Name() string { return g.name }

// Begin starts an inspection in the background. The message may still be being
// written. The result is there at once when the message is too large already
// (ErrOversize) or the service is away (ErrAway).
//
// The inspection counts against the inspector when it fails or is not done in
// time, but not when the message was given up, could not be kept, was too large,
// or was not complete when the time was over. Nor when it waited for its turn all
// the time while others got results. What an inspector says of one message, or
// fails to say, never makes it away for others.
func (g *Guard) Begin(ctx context.Context, m *Message) *Inspection {
	if i := g.recalled(ctx, m); i != nil {
		return i
	}
	i := &Inspection{guard: g, stash: m.Stash, begun: g.now(), done: make(chan struct{})}
	if keep, ok := ctx.Value(recordKey{}).(recordFn); ok {
		i.keep = func(r Result) { keep(g, m, r) }
	}
	if g.limits.MaxSize > 0 {
		i.stash = i.stash.Limit(g.limits.MaxSize)
	}
	if err := i.stash.failure(); err != nil {
		return i.never(err)
	}
	if !g.enter() {
		return i.never(fmt.Errorf("%w: %w", ErrAway, errClosed))
	}
	if err := g.record.admit(i); err != nil {
		g.begun.Done()
		return i.never(err)
	}
	i.start(ctx, &Message{Envelope: m.Envelope, Stash: i.stash})
	return i
}

// enter counts an inspection in, unless the guard is closed.
func (g *Guard) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.begun.Add(1)
	}
	return !g.closed
}

// Health is how the inspector fares.
func (g *Guard) Health() Health {
	h := g.record.read(g.now())
	h.Name = g.name
	return h
}

// Close closes the inspector when no inspection is under way any more, and
// returns then. It waits for results, which Limits.Timeout bounds, not for
// inspections left behind. What is begun afterwards gets ErrAway.
func (g *Guard) Close() error {
	g.mu.Lock()
	again := g.closed
	g.closed = true
	g.mu.Unlock()
	g.begun.Wait()
	if again {
		return nil
	}
	return g.inspector.Close()
}
