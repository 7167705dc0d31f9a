package spool

import (
	"context"
	"errors"
	"runtime"
	"testing"
)

// A store that was away while no record waited is well again when it answers, and not
// only when the next record comes.
func TestWellWithoutRecords(t *testing.T) {
	srv := newServer()
	s := mustOpen(t, t.TempDir(), Options{}, osFiles{})
	defer startDrain(t, s, srv)()
	mustAppend(t, s, message(0, 2))
	flushAll(t, s)

	away := func(err error) {
		srv.mu.Lock()
		defer srv.mu.Unlock()
		srv.down = err
	}
	away(errors.New("away"))
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan error, 1)
	go func() { asked <- s.Settled(ctx) }()
	for s.Status().LastError == "" {
		runtime.Gosched()
	}
	cancel()
	if err := <-asked; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	away(nil)
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := s.Status(); st.LastError != "" || !st.ErrorSince.IsZero() || st.Waiting != 0 {
		t.Errorf("%+v", st)
	}
}
