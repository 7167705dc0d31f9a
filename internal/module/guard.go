package module

import (
	"context"
	"errors"
	"time"
)

// Errors of a guard, besides those of its inspector.
var (
	// ErrOversize: the message is larger than Limits.MaxSize and was not
	// inspected.
	ErrOversize = errors.New("larger than max_size")
	// ErrAway: the last inspections failed, and the service is given time
	// before it is tried again.
	ErrAway = errors.New("taken as away after repeated failures")
	// ErrTimeout: no result within Limits.Timeout.
	ErrTimeout = errors.New("no result in time")
)

// Limits of the inspections of one inspector.
type Limits struct {
	Timeout  time.Duration // of one inspection, the wait for its turn included
	Parallel int           // inspections at once; more wait for their turn
	MaxSize  int64         // octets
}

// Guard keeps an inspector within its limits: a time-out, a number of
// inspections at once, a size, and a circuit breaker that spares messages the
// wait for a service that is away.
type Guard struct{}

// NewGuard guards i. Identity is all of its settings in one text: a guard made
// by a reload takes over the health of the one before where both are the same.
func NewGuard(name, identity string, i Inspector, l Limits, now func() time.Time) *Guard {
	return &Guard{}
}

// Name is the inspector's, as policies have it.
func (g *Guard) Name() string { return "" }

// Inherit takes over health and breaker of the guard before, if it has the
// same identity.
func (g *Guard) Inherit(before *Guard) {}

// Begin starts an inspection in the background. The message may still be being
// written.
func (g *Guard) Begin(ctx context.Context, m *Message) *Inspection { return &Inspection{} }

// Health is how the inspector fares.
func (g *Guard) Health() Health { return Health{} }

// Watch pings the service every now and then until ctx ends, so that its
// health is known before a message needs it.
func (g *Guard) Watch(ctx context.Context, every time.Duration) {}

// Close closes the inspector when no inspection is under way any more.
func (g *Guard) Close() error { return nil }

// Inspection is one that was begun.
type Inspection struct{}

// Wait waits for the result.
func (i *Inspection) Wait() Result { return Result{} }

// Cancel gives the inspection up: its result will not be needed. It does not
// count against the inspector.
func (i *Inspection) Cancel() {}

// Result is what came of an inspection.
type Result struct {
	Finding  Finding
	Err      error // nil: Finding is complete
	Duration time.Duration
}

// Health is how an inspector fares.
type Health struct {
	Name  string
	State string    // "up", "degraded", "away", "unknown" before the first answer
	Since time.Time // of State
	// LastError is the last failure, "" when there was none; LastErrorAt when.
	LastError   string
	LastErrorAt time.Time
	// Breaker is "closed" (all inspections are tried), "open" (none are) or
	// "half-open" (one is tried).
	Breaker    string
	RetryAt    time.Time // of an open breaker
	Inspected  int64     // inspections that had a result
	Failed     int64
	Running    int           // now
	Latency    time.Duration // an average of the last inspections
	MaxLatency time.Duration // the longest of them
}
