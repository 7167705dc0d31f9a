package assemble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/state/embedded"
	"github.com/tollgate-mail/tollgate/internal/takeover"
)

// seated is the state store of the state folder, which one process alone has open:
// another may take it over, and is asked then.
type seated struct {
	path string
	log  *slog.Logger
	seat *takeover.Seat[state.Store]
}

func openSeated(path string, log *slog.Logger) (*seated, error) {
	s := &seated{path, log, new(takeover.Seat[state.Store])}
	if err := s.resume(); err != nil {
		return nil, err
	}
	return s, nil
}

// resume opens the store.
func (s *seated) resume() error {
	store, err := embedded.Open(s.path, embedded.Options{Log: s.log})
	if err != nil {
		return err
	}
	s.seat.Put(store)
	return nil
}

// yield closes it. Who asks waits from then on.
func (s *seated) yield(ctx context.Context) error {
	store, err := s.seat.Use(ctx)
	if err != nil {
		return err
	}
	s.seat.Leave()
	if err := s.seat.Clear(ctx); err != nil {
		return err
	}
	return store.Close()
}

func (s *seated) Try(ctx context.Context, t state.Try) (state.Answer, error) {
	store, err := s.use(ctx)
	if err != nil {
		return state.Answer{}, err
	}
	defer s.seat.Leave()
	return store.Try(ctx, t)
}

func (s *seated) Remember(ctx context.Context, ids []state.ID, now time.Time, life time.Duration) error {
	store, err := s.use(ctx)
	if err != nil {
		return err
	}
	defer s.seat.Leave()
	return store.Remember(ctx, ids, now, life)
}

func (s *seated) Remembered(ctx context.Context, id state.ID, now time.Time, life time.Duration) (bool, error) {
	store, err := s.use(ctx)
	if err != nil {
		return false, err
	}
	defer s.seat.Leave()
	return store.Remembered(ctx, id, now, life)
}

func (s *seated) use(ctx context.Context) (state.Store, error) {
	store, err := s.seat.Use(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", state.ErrAway, err)
	}
	return store, nil
}

// Kind of the store.
func (*seated) Kind() string { return "embedded" }

// Close closes what is there.
func (s *seated) Close() error {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	store, err := s.seat.Use(over)
	if err != nil {
		return nil // it is closed
	}
	defer s.seat.Leave()
	return store.Close()
}

// Snapshot writes it as it is at one moment.
func (s *seated) Snapshot(w io.Writer) error {
	store, err := s.use(context.Background())
	if err != nil {
		return err
	}
	defer s.seat.Leave()
	if file, ok := store.(interface{ Snapshot(w io.Writer) error }); ok {
		return file.Snapshot(w)
	}
	return errors.New("the state is another process's")
}

// Yield closes the store of the state folder, so that another process can open it;
// questions wait until Resume or Ask. One in Redis stays as it is.
func (m *Memories) Yield(ctx context.Context) error {
	if s := m.seated(); s != nil {
		return s.yield(ctx)
	}
	return nil
}

// Resume opens it again.
func (m *Memories) Resume() error {
	if s := m.seated(); s != nil {
		return s.resume()
	}
	return nil
}

// Ask has another process asked from now on.
func (m *Memories) Ask(other state.Store) {
	if s := m.seated(); s != nil {
		s.seat.Put(other)
	}
}

// Store is what questions go to; nil where no policy needed one.
func (m *Memories) Store() state.Store {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.store
}

func (m *Memories) seated() *seated {
	s, _ := m.Store().(*seated)
	return s
}
