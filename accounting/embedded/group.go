package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/tollgate-mail/tollgate/accounting"
)

// A group is batches that are written in one transaction.
type group struct {
	*application
	mark  string // behind the last batch
	begun time.Time
}

// A group is written when it has grown to one of these.
const (
	groupRecords = 16384
	groupSize    = 16 << 20 // bytes of records
	groupLife    = 5 * time.Second
)

// full tells whether the group is to be written now. That a clock was set back
// makes it so: how long it is open nobody can tell.
func (g *group) full() bool {
	long := g.now.Sub(g.begun)
	return g.came >= groupRecords || g.s.file.End()-g.s.end >= groupSize || long >= groupLife || long < 0
}

// begin has a group open. The caller holds s.mu, as for all that follows.
func (s *Store) begin(ctx context.Context) error {
	if s.open != nil {
		s.open.ctx, s.open.now = ctx, s.o.Now()
		return nil
	}
	return s.db.Do(func() error {
		tx, err := s.db.Begin(true)
		if err != nil {
			return err
		}
		a := s.application(ctx, tx)
		s.open = &group{application: a, mark: string(a.meta.Get(markKey())), begun: a.now}
		return nil
	})
}

// write writes the group that is open: records first, so that none counts that
// is not there.
func (s *Store) write() error {
	g := s.open
	if g == nil {
		return nil
	}
	if !g.changed(s.file.End()) {
		s.open = nil
		return s.db.Do(g.tx.Rollback)
	}
	err := s.file.Sync()
	if err == nil {
		err = s.db.Do(func() error { return g.commit(s.file.End()) })
	}
	if err != nil {
		return s.givenUp(err)
	}
	s.open, s.end, s.kept = nil, s.file.End(), g.kept
	return nil
}

// commit ends the transaction, with all that the group has in memory.
func (g *group) commit(end int64) error {
	if err := g.finish(); err != nil {
		return err
	}
	if err := errors.Join(g.meta.Put([]byte("end"), octets(end)), g.meta.Put(markKey(), []byte(g.mark))); err != nil {
		return err
	}
	return g.tx.Commit()
}

// changed tells whether there is anything to write.
func (g *group) changed(end int64) bool {
	return g.came > 0 || end != g.s.end || g.mark != string(g.meta.Get(markKey()))
}

// givenUp gives up the group that is open, and says why: who put something into it has
// been told that it was taken.
func (s *Store) givenUp(why error) error {
	if g := s.open; g != nil && g.came > 0 {
		why = fmt.Errorf("%w: %w", accounting.ErrNotKept, why)
	}
	return errors.Join(why, s.giveUp())
}

// giveUp forgets the group that is open: the spool still has what is in it.
func (s *Store) giveUp() error {
	g := s.open
	if g == nil {
		return nil
	}
	s.open, s.kept = nil, nil
	s.given++
	err := s.db.Do(g.tx.Rollback)
	if errors.Is(err, bolterrors.ErrTxClosed) {
		err = nil // of itself
	}
	return errors.Join(err, s.file.Reset(s.end))
}

// alone runs fn, which applies something, in a transaction of its own.
func (s *Store) alone(ctx context.Context, fn func(*application) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.write(); err != nil {
		return err
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	if err := s.db.Do(func() error { return fn(s.open.application) }); err != nil {
		return errors.Join(err, s.giveUp())
	}
	s.open.came++
	return s.write()
}

// update runs fn in a transaction that writes, behind all that waits.
func (s *Store) update(fn func(*bolt.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.write(); err != nil {
		return err
	}
	s.kept = nil
	return s.db.Update(fn)
}

// aside is update for what is nothing to records that come.
func (s *Store) aside(fn func(*bolt.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.write(); err != nil {
		return err
	}
	return s.db.Update(fn)
}

// view runs fn in a transaction that reads, with all that waited.
func (s *Store) view(fn func(*bolt.Tx) error) error {
	if _, err := s.settle(); err != nil {
		return err
	}
	return s.db.View(fn)
}

// settle writes all that waits, and says what change it is.
func (s *Store) settle() ([2]uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.write()
	return s.change(), err
}

// octets and number are a number as the database has it.
func octets(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func number(b []byte) (int64, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("%w: %d bytes, want 8", ErrDamaged, len(b))
	}
	return int64(binary.BigEndian.Uint64(b)), nil
}
