// Package embedded is the store in a bbolt database of the daemon's own, for
// one gateway without Redis.
//
// Its buckets (numbers are big-endian, 0 is a zero byte):
//
//	records   client 0 period 0 uint64  the record as JSON, in order of application
//	use       period 0 client           deliveries, size, charged, recipients, priced, included, included deliveries,
//	                                    cost, frac, fee, paid, adjusted, closed: int64 each; of the tariff's period and of the month
//	rcpt      month 0 client 0 address  deliveries, size, charged: int64 each
//	days      day 0 client              deliveries, size, charged: int64 each; pruned after DayDays
//	seen      uint64 hash               where it stands (period 0 uint64): records applied or voided, by the Unix milliseconds
//	                                    of their end of message and 12 bytes of a SHA-256; pruned after SeenDays
//	accounts  client                    {"balance":…,"plans":…}
//	periods   client 0 period           currency: what periods a client has records in
//	tariffs   version                   the terms, in their canonical form
//	closes    period                    the seal of a closed period, as JSON
//	entries   client 0 id               hash of a payment, adjustment or fee; kept for ever
//	parked    hash                      {"reason":…,"record":…}: not applied, for the operator
//	taken     gateway                   records applied, records given up: int64 each
//	gateways  name                      {"heartbeat":…,"backlog":…}
//	meta      "version", "mark"         the layout's version; how far the spool was applied
package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/boltfile"
)

var (
	// ErrLocked: another process has the database open.
	ErrLocked = errors.New("embedded store: in use by another process")

	// ErrDamaged: the file is no database, or a broken one.
	ErrDamaged = errors.New("embedded store: damaged")

	// ErrVersion: the database was made by another version of tollgate.
	ErrVersion = errors.New("embedded store: unknown layout")
)

// Options of the store. Zero values mean the defaults.
type Options struct {
	Location   *time.Location // of days and months; default UTC
	Recipients int            // counted one by one for a client and month; default 100,000
	SeenDays   int            // how long record IDs are remembered; default 40
	DayDays    int            // how long a day's counters are kept; default 400
	Book       *price.Book    // terms of tariffs; default: those that the store keeps
	// Standing is told of clients whose account changed, after it did.
	Standing func([]accounting.Standing)
	Log      *slog.Logger
	Now      func() time.Time
}

// Store is an accounting.Store and an accounting.Checkpointer in one file.
type Store struct {
	db   *boltfile.DB
	o    Options
	desk *price.Desk
}

// The buckets.
const (
	records  = "records"
	use      = "use"
	rcpt     = "rcpt"
	days     = "days"
	seen     = "seen"
	parked   = "parked"
	gateways = "gateways"
	periods  = "periods"
	tariffs  = "tariffs"
	entries  = "entries"
	closes   = "closes"

	accountsName = "accounts"
	takenName    = "taken"
	meta         = "meta"
)

const layout = "1"

// Open opens the database file, or makes it. ErrLocked: another process has
// it. ErrDamaged, ErrVersion: it cannot be used.
func Open(path string, o Options) (*Store, error) {
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.Recipients <= 0 {
		o.Recipients = 100_000
	}
	if o.SeenDays <= 0 {
		o.SeenDays = 40
	}
	if o.DayDays <= 0 {
		o.DayDays = 400
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Book == nil {
		o.Book = price.NewBook()
	}
	s := &Store{o: o, desk: &price.Desk{Book: o.Book, Location: o.Location}}
	var err error
	if s.db, err = boltfile.Open(path, boltfile.Errors{Name: "embedded store", Locked: ErrLocked, Damaged: ErrDamaged}); err != nil {
		return nil, err
	}
	if err := errors.Join(s.db.Update(prepare), s.learn()); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), s.db.Close())
	}
	return s, nil
}

// prepare makes the buckets.
func prepare(tx *bolt.Tx) error {
	for _, name := range []string{records, use, rcpt, days, seen, parked, gateways, meta, accountsName, periods, tariffs, entries, closes, takenName} {
		if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
	}
	m := tx.Bucket([]byte(meta))
	switch v := m.Get([]byte("version")); {
	case v == nil:
		return m.Put([]byte("version"), []byte(layout))
	case string(v) != layout:
		return fmt.Errorf("%w %q", ErrVersion, v)
	}
	return nil
}

// learn reads the terms of tariffs that records name.
func (s *Store) learn() error {
	return s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(tariffs)).ForEach(func(version, text []byte) error {
			t, err := price.ParseTerms(text)
			if err != nil {
				return fmt.Errorf("%w: tariff %s: %w", ErrDamaged, version, err)
			}
			s.o.Book.Learn(t)
			return nil
		})
	})
}

func (s *Store) update(fn func(*bolt.Tx) error) error {
	return s.db.Update(fn)
}

func (s *Store) view(fn func(*bolt.Tx) error) error {
	return s.db.View(fn)
}

// Heartbeat tells that the gateway lives, and its backlog.
func (s *Store) Heartbeat(ctx context.Context, gateway string, backlog int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	value, err := json.Marshal(struct {
		Heartbeat time.Time `json:"heartbeat"`
		Backlog   int64     `json:"backlog"`
	}{s.o.Now().UTC(), backlog})
	if err != nil {
		return err
	}
	return s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket([]byte(gateways)).Put([]byte(gateway), value) })
}

// Ping writes nothing, durably.
func (s *Store) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.db.Update(func(*bolt.Tx) error { return nil })
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

var (
	_ accounting.Store        = (*Store)(nil)
	_ accounting.Checkpointer = (*Store)(nil)
)

// Snapshot writes the database as it is at one moment, while it is in use.
func (s *Store) Snapshot(w io.Writer) error {
	return s.db.View(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(w)
		return err
	})
}
