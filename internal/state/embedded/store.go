// Package embedded is the state in a bbolt database of the daemon's own, for
// one gateway without Redis.
//
// What changes is kept in memory first and written together, at most a second
// later: a recipient never waits for a disk. A crash loses that second. The
// mail of it is delayed once more.
//
// The bucket "state" has entries that begin with the Unix milliseconds at which
// they expire (all numbers are big-endian, 8 octets):
//
//	t ID             a triplet: milliseconds of its first try and w, or of its last use and p
//	n address bits   a network: milliseconds when something of it passed, the IDs of triplets that did
//	p ID             who wrote to whom: milliseconds
//
// The bucket "meta" has "version", that of this layout, and "count", that of
// the entries.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/internal/boltfile"
	"github.com/tollgate-mail/tollgate/internal/state"
)

var (
	// ErrLocked: another process has the database open.
	ErrLocked = errors.New("embedded state: in use by another process")

	// ErrDamaged: the file is no database of ours, or a broken one.
	ErrDamaged = errors.New("embedded state: damaged")
)

// Options of the store. Zero values mean the defaults.
type Options struct {
	// Limit of entries; default 1,000,000. Beyond it some are forgotten before
	// their time, triplets that wait first.
	Limit int
	Log   *slog.Logger
	Now   func() time.Time // by which entries expire
}

// Limits of what waits to be written.
const (
	writeEvery = time.Second
	writeSoon  = 8192
	maxWaiting = 10 * writeSoon
)

// Store is a state.Store in one file.
type Store struct {
	db *boltfile.DB
	o  Options

	mu      sync.Mutex
	closed  bool
	fresh   map[string][]byte // not yet written
	going   map[string][]byte // being written
	failure error             // of the last writing

	writing sync.Mutex // one at a time; guards what follows
	count   int        // of entries in the file
	at      []byte     // where the next sweep begins

	wake, end, ended chan struct{}
}

var _ state.Store = (*Store)(nil)

// Try judges the try under one lock.
func (s *Store) Try(ctx context.Context, t state.Try) (state.Answer, error) {
	if err := ctx.Err(); err != nil {
		return state.Answer{}, err
	}
	nkey, tkey := netKey(t.Network), idKey(tripletKey, t.Triplet)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(2); err != nil {
		return state.Answer{}, err
	}
	raw, err := s.read(t.Now, nkey, tkey)
	if err != nil {
		return state.Answer{}, err
	}
	// What is no entry is as if it were not there.
	net, err := decodeNetwork(raw[0])
	if err != nil {
		net = state.Network{}
	}
	tri, err := decodeTriplet(raw[1])
	if err != nil {
		tri = state.Triplet{}
	}
	answer, change := t.Judge(&net, &tri)
	if change&state.NetworkChanged != 0 {
		s.fresh[nkey] = encodeNetwork(net, t.Terms)
	}
	if change&state.TripletChanged != 0 {
		s.fresh[tkey] = encodeTriplet(tri, t.Terms)
	}
	s.nudge()
	return answer, nil
}

// Remember keeps the IDs.
func (s *Store) Remember(ctx context.Context, ids []state.ID, now time.Time, life time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(len(ids)); err != nil {
		return err
	}
	for _, id := range ids {
		s.fresh[idKey(pairKey, id)] = encodePair(now, life)
	}
	s.nudge()
	return nil
}

// Remembered looks one ID up.
func (s *Store) Remembered(ctx context.Context, id state.ID, now time.Time, life time.Duration) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(0); err != nil {
		return false, err
	}
	raw, err := s.read(now, idKey(pairKey, id))
	if err != nil {
		return false, err
	}
	at, err := decodePair(raw[0])
	return err == nil && now.Sub(at) < life, nil
}

// ready tells whether the store takes n more.
func (s *Store) ready(n int) error {
	switch {
	case s.closed:
		return fmt.Errorf("embedded state: %w", os.ErrClosed)
	case len(s.fresh)+n > maxWaiting:
		return errors.Join(fmt.Errorf("embedded state: %w: %d changes wait to be written", state.ErrFull, len(s.fresh)), s.failure)
	}
	return nil
}

// read returns the entries, nil for what is not there or is over.
func (s *Store) read(now time.Time, keys ...string) ([][]byte, error) {
	list := make([][]byte, len(keys))
	missing := false
	for i, k := range keys {
		var ok bool
		if list[i], ok = s.fresh[k]; ok {
			continue
		}
		if list[i], ok = s.going[k]; !ok {
			missing = true
		}
	}
	if missing {
		if err := s.db.View(func(tx *bolt.Tx) error { return load(tx, keys, list) }); err != nil {
			return nil, err
		}
	}
	for i, raw := range list {
		if raw != nil && expired(raw, now) {
			list[i] = nil
		}
	}
	return list, nil
}

// nudge has what waits written soon when it is much.
func (s *Store) nudge() {
	if len(s.fresh) >= writeSoon {
		select {
		case s.wake <- struct{}{}:
		default: // it is awake
		}
	}
}

// Kind is "embedded".
func (s *Store) Kind() string { return "embedded" }

// Close writes what waits, and closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	close(s.end)
	<-s.ended
	return errors.Join(s.write(), s.db.Close())
}

// Snapshot writes the database as it is at one moment, while it is in use.
func (s *Store) Snapshot(w io.Writer) error {
	if err := s.write(); err != nil {
		return err
	}
	return s.db.View(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(w)
		return err
	})
}
