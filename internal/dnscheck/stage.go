package dnscheck

import (
	"context"
	"sync"
	"time"
)

// stage is a caller's context that ends with the time of a whole check as
// well. Its timer starts when something first waits: of the checks of a busy
// gateway most find all they need in the cache.
type stage struct {
	context.Context
	deadline time.Time
	once     sync.Once
	timed    context.Context
	cancel   context.CancelFunc
}

func newStage(ctx context.Context, limit time.Duration) *stage {
	return &stage{Context: ctx, deadline: time.Now().Add(limit)}
}

func (s *stage) start() context.Context {
	s.once.Do(func() { s.timed, s.cancel = context.WithDeadline(s.Context, s.deadline) })
	return s.timed
}

func (s *stage) Deadline() (time.Time, bool) { return s.start().Deadline() }
func (s *stage) Done() <-chan struct{}       { return s.start().Done() }
func (s *stage) Err() error                  { return s.start().Err() }

// end stops the timer, if there is one.
func (s *stage) end() {
	s.once.Do(func() { s.timed, s.cancel = s.Context, func() {} })
	s.cancel()
}
