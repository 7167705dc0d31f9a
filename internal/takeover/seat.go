package takeover

import (
	"context"
	"fmt"
	"sync"
)

// Seat has what is used by many, of which another takes the place while they wait.
type Seat[T any] struct {
	mu    sync.Mutex
	it    T
	taken bool // there is one
	users int
	moved chan struct{} // closed at the next change of the above that somebody waits for
}

// Put has users go on with it.
func (s *Seat[T]) Put(it T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.it, s.taken = it, true
	s.wake()
}

// Use gives what is there, as long as it takes to come, until ctx ends. Leave is
// called after the use.
func (s *Seat[T]) Use(ctx context.Context) (it T, err error) {
	s.mu.Lock()
	for !s.taken {
		if err := s.wait(ctx); err != nil {
			return it, err
		}
	}
	s.users++
	it = s.it
	s.mu.Unlock()
	return it, nil
}

// Leave ends a use.
func (s *Seat[T]) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
	if s.users == 0 && !s.taken {
		s.wake()
	}
}

// Clear has users wait from now on, and waits for those there are. On an error, that
// of ctx, all is as before.
func (s *Seat[T]) Clear(ctx context.Context) error {
	s.mu.Lock()
	s.taken = false
	for s.users > 0 {
		if err := s.wait(ctx); err != nil {
			s.mu.Lock()
			s.taken = true
			s.wake()
			s.mu.Unlock()
			return err
		}
	}
	var none T
	s.it = none
	s.mu.Unlock()
	return nil
}

// wait waits for a change. s.mu is held, and on an error is not any more.
func (s *Seat[T]) wait(ctx context.Context) error {
	if s.moved == nil {
		s.moved = make(chan struct{})
	}
	moved := s.moved
	s.mu.Unlock()
	select {
	case <-moved:
		s.mu.Lock()
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the gateway is being handed over: %w", ctx.Err())
	}
}

// wake tells those who wait. s.mu is held.
func (s *Seat[T]) wake() {
	if s.moved != nil {
		close(s.moved)
		s.moved = nil
	}
}
