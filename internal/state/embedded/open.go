package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Open opens the database file, or makes it. ErrLocked: another process has
// it. A damaged one, and one of another version, is put aside under its name
// with ".damaged" and a new one is made: no mail should wait for an operator
// because of what may be lost.
func Open(path string, o Options) (*Store, error) {
	if o.Limit <= 0 {
		o.Limit = 1_000_000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{
		o: o, fresh: map[string][]byte{},
		wake: make(chan struct{}, 1), end: make(chan struct{}), ended: make(chan struct{}),
	}
	err := s.open(path)
	if errors.Is(err, ErrDamaged) {
		o.Log.Error("the state is put aside and begins anew: some mail is greylisted once more", "error", err)
		if err := os.Rename(path, path+".damaged"); err != nil {
			return nil, fmt.Errorf("embedded state: %w", err)
		}
		err = s.open(path)
	}
	if err != nil {
		return nil, err
	}
	go s.run()
	return s, nil
}

// lockTimeout is how long Open waits for another process to let go.
const lockTimeout = 2 * time.Second

func (s *Store) open(path string) error {
	err := guard(func() (err error) {
		// With NoFreelistSync, opening would read all pages, and of a broken
		// file panic in a goroutine where nothing can recover it.
		s.db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: lockTimeout, FreelistType: bolt.FreelistMapType})
		return err
	})
	var system syscall.Errno
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("%w: %s", ErrLocked, path)
	case errors.As(err, &system):
		return err // it names the path
	case err != nil && !errors.Is(err, ErrDamaged): // all else is what the file holds
		return fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := guard(func() error { return s.db.Update(s.prepare) }); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", path, err), s.db.Close())
	}
	return nil
}
