package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/tollgate-mail/tollgate/internal/boltfile"
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

func (s *Store) open(path string) (err error) {
	if s.db, err = boltfile.Open(path, boltfile.Errors{Name: "embedded state", Locked: ErrLocked, Damaged: ErrDamaged}); err != nil {
		return err
	}
	if err := s.db.Update(s.prepare); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", path, err), s.db.Close())
	}
	return nil
}
