package dnscheck

import (
	"context"
	"sync"
	"time"
)

// timed is a caller's context that ends with the time of a whole check as
// well. Its timer starts when something first waits: of the checks of a busy
// gateway most find all they need in the cache.
type timed struct {
	context.Context
	deadline time.Time
	once     sync.Once
	timed    context.Context
	cancel   context.CancelFunc
}

func newTimed(ctx context.Context, limit time.Duration) *timed {
	return &timed{Context: ctx, deadline: time.Now().Add(limit)}
}

func (s *timed) start() context.Context {
	s.once.Do(func() { s.timed, s.cancel = context.WithDeadline(s.Context, s.deadline) })
	return s.timed
}

func (s *timed) Deadline() (time.Time, bool) { return s.start().Deadline() }
func (s *timed) Done() <-chan struct{}       { return s.start().Done() }
func (s *timed) Err() error                  { return s.start().Err() }

// end stops the timer, if there is one.
func (s *timed) end() {
	s.once.Do(func() { s.timed, s.cancel = s.Context, func() {} })
	s.cancel()
}
