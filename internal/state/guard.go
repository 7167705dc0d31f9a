package state

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// DefaultTimeout is how long one question to the store may take.
const DefaultTimeout = 500 * time.Millisecond

// Pauses of the circuit breaker: how long a store that was not reached is left
// alone. Then one question goes through to find out; the pause doubles while it
// is in vain.
const (
	firstPause = time.Second
	maxPause   = 16 * time.Second
)

var errUnfinished = errors.New("unfinished")

// Guard keeps a store from holding up mail: each question has a time-out, and
// a store that is away is asked by one in a while only, so that not every
// recipient waits for it. One guard serves all that asks the same store.
type Guard struct {
	store   Store
	timeout time.Duration
	now     func() time.Time

	mu      sync.Mutex
	asked   int64
	failed  int64
	last    error // until the store answers well
	lastAt  time.Time
	pause   time.Duration // 0: the store is there
	until   time.Time     // of the pause
	probing bool          // one is finding out
}

// NewGuard guards s. A timeout of 0 is the default; now is the clock of the
// breaker.
func NewGuard(s Store, timeout time.Duration, now func() time.Time) *Guard {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return &Guard{store: s, timeout: timeout, now: now}
}

// Close closes the store.
func (g *Guard) Close() error { return g.store.Close() }

// do asks the store, unless it is away.
func (g *Guard) do(ctx context.Context, ask func(context.Context) error) (err error) {
	probe, err := g.enter()
	if err != nil {
		return err
	}
	// What panics must leave, too: nobody else would find out.
	err = errUnfinished
	defer func() { g.leave(ctx, probe, err) }()
	limited, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	err = ask(limited)
	if err != nil && limited.Err() != nil && !errors.Is(err, ErrAway) {
		err = fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}

// enter says whether the store may be asked, and whether that is to find out
// if it is there again.
func (g *Guard) enter() (probe bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	if g.pause == 0 {
		return false, nil
	}
	if g.probing || g.now().Before(g.until) {
		g.failed++
		return false, fmt.Errorf("%w (%s)", g.last, g.lastAt.UTC().Format(time.RFC3339))
	}
	g.probing = true
	return true, nil
}

// leave records how it went.
func (g *Guard) leave(ctx context.Context, probe bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if probe {
		g.probing = false
	}
	switch {
	case err == nil:
		g.pause, g.last = 0, nil
		return
	case errors.Is(ctx.Err(), context.Canceled):
		return // the session is over; that says nothing about the store
	}
	g.failed++
	g.last, g.lastAt = err, g.now()
	switch {
	case !errors.Is(err, ErrAway):
		g.pause = 0 // it answers, if badly
	case g.pause == 0:
		g.pause = firstPause
		g.until = g.lastAt.Add(g.pause)
	case probe:
		g.pause = min(2*g.pause, maxPause)
		g.until = g.lastAt.Add(g.pause)
	}
}

// Status is how the store fares, for those who look.
type Status struct {
	Kind   string `json:"kind"`            // "redis" or "embedded"
	Error  string `json:"error,omitempty"` // the last, while nothing went well since
	Since  string `json:"since,omitempty"` // when it came, RFC 3339
	Away   bool   `json:"away,omitempty"`  // it is not asked for a while
	Asked  int64  `json:"asked"`           // since the start
	Failed int64  `json:"failed"`          // of those: without an answer
}

// Status is a snapshot.
func (g *Guard) Status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Status{Kind: g.store.Kind(), Away: g.pause > 0, Asked: g.asked, Failed: g.failed}
	if g.last != nil {
		s.Error, s.Since = g.last.Error(), g.lastAt.UTC().Format(time.RFC3339)
	}
	return s
}
