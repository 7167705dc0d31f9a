package takeover

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// Nobody uses what another one has taken the place of, and nobody who waits is
// forgotten.
func TestSeat(t *testing.T) {
	t.Parallel()
	type thing struct{ closed atomic.Bool }
	var s Seat[*thing]
	now := new(thing)
	s.Put(now)
	var users sync.WaitGroup
	for range 8 {
		users.Go(func() {
			for range 2000 {
				it, err := s.Use(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if it.closed.Load() {
					t.Error("it was closed")
				}
				s.Leave()
			}
		})
	}
	for range 200 {
		if err := s.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		now.closed.Store(true)
		now = new(thing)
		s.Put(now)
	}
	users.Wait()
}

// Who gives up changes nothing.
func TestSeatGivenUp(t *testing.T) {
	t.Parallel()
	var s Seat[int]
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Use(over); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	s.Put(1)
	if it, err := s.Use(over); it != 1 || err != nil {
		t.Error(it, err)
	}
	if err := s.Clear(over); !errors.Is(err, context.Canceled) { // somebody uses it
		t.Error(err)
	}
	if it, err := s.Use(over); it != 1 || err != nil {
		t.Error(it, err)
	}
	s.Leave()
	s.Leave()
	if err := s.Clear(over); err != nil {
		t.Error(err)
	}
}
