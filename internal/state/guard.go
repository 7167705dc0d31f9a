package state

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/breaker"
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
	breaker breaker.Breaker
}

// NewGuard guards s. A timeout of 0 is the default; now is the clock of the
// breaker.
func NewGuard(s Store, timeout time.Duration, now func() time.Time) *Guard {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return &Guard{store: s, timeout: timeout, now: now, breaker: breaker.Breaker{Tolerated: 1, First: firstPause, Last: maxPause}}
}

// Close closes the store.
func (g *Guard) Close() error { return g.store.Close() }

// do asks the store, unless it is away.
func (g *Guard) do(ctx context.Context, ask func(context.Context) error) (err error) {
	pass, err := g.enter()
	if err != nil {
		return err
	}
	// What panics must leave, too: nobody else would find out.
	err = errUnfinished
	defer func() { g.leave(ctx, pass, err) }()
	limited, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	err = ask(limited)
	if err != nil && limited.Err() != nil && !errors.Is(err, ErrAway) {
		err = fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}

// enter says whether the store may be asked.
func (g *Guard) enter() (breaker.Pass, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	pass, ok := g.breaker.Admit(g.now())
	if !ok {
		g.failed++
		return 0, fmt.Errorf("%w (%s)", g.last, g.lastAt.UTC().Format(time.RFC3339))
	}
	return pass, nil
}

// leave records how it went.
func (g *Guard) leave(ctx context.Context, pass breaker.Pass, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err == nil:
		g.last = nil
		g.breaker.Succeed()
		return
	case errors.Is(ctx.Err(), context.Canceled):
		g.breaker.Release(pass) // the session is over; that says nothing about the store
		return
	}
	g.failed++
	g.last, g.lastAt = err, g.now()
	if errors.Is(err, ErrAway) {
		g.breaker.Fail(pass, 1, g.lastAt)
	} else {
		g.breaker.Succeed() // it answers, if badly
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
	s := Status{Kind: g.store.Kind(), Away: g.breaker.Open(), Asked: g.asked, Failed: g.failed}
	if g.last != nil {
		s.Error, s.Since = g.last.Error(), g.lastAt.UTC().Format(time.RFC3339)
	}
	return s
}
