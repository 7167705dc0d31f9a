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

// Access keeps a store from holding up mail: each question has a time-out, and
// a store that is away is asked by one in a while only, so that not every
// recipient waits for it. One serves all that asks the same store.
type Access struct {
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

// NewAccess is the way to s. A timeout of 0 is the default; now is the clock of the
// breaker.
func NewAccess(s Store, timeout time.Duration, now func() time.Time) *Access {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return &Access{store: s, timeout: timeout, now: now, breaker: breaker.Breaker{Tolerated: 1, First: firstPause, Last: maxPause}}
}

// Close closes the store.
func (a *Access) Close() error { return a.store.Close() }

// do asks the store, unless it is away.
func (a *Access) do(ctx context.Context, ask func(context.Context) error) (err error) {
	pass, err := a.enter()
	if err != nil {
		return err
	}
	// What panics must leave, too: nobody else would find out.
	err = errUnfinished
	defer func() { a.leave(ctx, pass, err) }()
	limited, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	err = ask(limited)
	if err != nil && limited.Err() != nil && !errors.Is(err, ErrAway) {
		err = fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}

// enter says whether the store may be asked.
func (a *Access) enter() (breaker.Pass, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked++
	pass, ok := a.breaker.Admit(a.now())
	if !ok {
		a.failed++
		return 0, fmt.Errorf("%w (%s)", a.last, a.lastAt.UTC().Format(time.RFC3339))
	}
	return pass, nil
}

// leave records how it went.
func (a *Access) leave(ctx context.Context, pass breaker.Pass, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err == nil:
		a.last = nil
		a.breaker.Succeed()
		return
	case errors.Is(ctx.Err(), context.Canceled):
		a.breaker.Release(pass) // the session is over; that says nothing about the store
		return
	}
	a.failed++
	a.last, a.lastAt = err, a.now()
	if errors.Is(err, ErrAway) {
		a.breaker.Fail(pass, 1, a.lastAt)
	} else {
		a.breaker.Succeed() // it answers, if badly
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
func (a *Access) Status() Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := Status{Kind: a.store.Kind(), Away: a.breaker.Open(), Asked: a.asked, Failed: a.failed}
	if a.last != nil {
		s.Error, s.Since = a.last.Error(), a.lastAt.UTC().Format(time.RFC3339)
	}
	return s
}
