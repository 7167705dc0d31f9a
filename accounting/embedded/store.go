// Package embedded is the store in files of the daemon's own, for one gateway
// without Redis.
//
// Records are appended to the files of package recordfile, in the folder beside the
// database that has its name and ".records". All else is in the bbolt database. A
// transaction is written in this order: the files of records are synced, then bbolt
// writes what changed and, as "end", the position up to which records count. What
// stands behind it was never counted, and is cut away at the next start.
//
// Batches of a session share a transaction until Move or Check or any question
// ends it, or five seconds or 16,384 records have passed: what a crash loses then is
// lost together with the mark, and the spool brings it again.
//
// The database's buckets (numbers are big-endian, 0 is a zero byte):
//
//	index     day 0 client 0 period     last position, first position, how many: int64 each; of the records that fall on the day.
//	                                    Each record knows the one before it in the chain
//	segments  int64                     how many records of the segment that begins there are in the index
//	use       period 0 client           deliveries, size, charged, recipients, priced, included, included deliveries,
//	                                    cost, frac, fee, paid, adjusted, closed: int64 each; of the tariff's period and of the month
//	rcpt      month 0 client 0 address  deliveries, size, charged: int64 each
//	days      day 0 client              deliveries, size, charged: int64 each; pruned after DayDays
//	seen      uint64 hash               where it stands ("@" int64): records applied or voided, by the Unix milliseconds
//	                                    of their end of message and 12 bytes of a SHA-256; pruned after SeenDays
//	accounts  client                    {"balance":…,"plans":…}
//	periods   client 0 period           currency 0 first day 0 last day: what periods a client has records in
//	tariffs   version                   the terms, in their canonical form
//	closes    period                    the seal of a closed period, as JSON
//	entries   client 0 id               hash of a payment, adjustment or fee; kept for ever
//	parked    hash                      {"reason":…,"record":…}: not applied, for the operator
//	taken     gateway                   records applied, records given up: int64 each
//	gateways  name                      {"heartbeat":…,"backlog":…}
//	meta      "version", "mark", "fees" the layout's version; how far the spool was applied; until when fees were looked after
//	          "id", "end"               of the files of records: whose they are, and up to where they count
//	records   client 0 period 0 uint64  records of layout 1 as JSON, in order of application: none is added
//
// A database of layout 1 is read as it is: its records stay where they are until
// their period is moved to an archive, its values of periods have no days, and
// those of seen are period 0 uint64.
package embedded

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/recordfile"
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

	segment int64 // size of the files of records, bytes; 0: the usual one
}

// Store is an accounting.Store and an accounting.Checkpointer.
type Store struct {
	db   *boltfile.DB
	o    Options
	desk *price.Desk

	mu    sync.Mutex // who holds it writes
	file  *recordfile.File
	end   int64  // of the records in the last transaction
	open  *group // nil: nothing waits to be written
	kept  *kept  // of the last group; nil: nothing
	given uint64 // how often something that was told was given up
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
	index        = "index"
	segments     = "segments"
)

// The layouts: of what is written, and of what is read besides.
const (
	layout    = "2"
	oldLayout = "1"
)

// RecordsDir is where the records of a database are.
func RecordsDir(path string) string { return strings.TrimSuffix(path, ".db") + ".records" }

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
	if err := s.openRecords(RecordsDir(path)); err != nil {
		return nil, errors.Join(fmt.Errorf("embedded store: %w", err), s.db.Close())
	}
	return s, nil
}

// openRecords opens the files of records.
func (s *Store) openRecords(dir string) error {
	o := recordfile.Options{Log: s.o.Log, Size: s.o.segment}
	if err := s.db.View(func(tx *bolt.Tx) (err error) {
		m := tx.Bucket([]byte(meta))
		if n := copy(o.ID[:], m.Get([]byte("id"))); n != len(o.ID) {
			return fmt.Errorf("%w: the id of its records", ErrDamaged)
		}
		o.End, err = number(m.Get([]byte("end")))
		return err
	}); err != nil {
		return err
	}
	var err error
	s.end = o.End
	if s.file, err = recordfile.Open(dir, o); err != nil {
		return err
	}
	return s.removeEmpty()
}

// prepare makes the buckets.
func prepare(tx *bolt.Tx) error {
	for _, name := range []string{
		records, use, rcpt, days, seen, parked, gateways, meta, accountsName, periods, tariffs, entries, closes, takenName, index, segments,
	} {
		if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
	}
	m := tx.Bucket([]byte(meta))
	switch v := m.Get([]byte("version")); {
	case string(v) == layout:
		return nil
	case v != nil && string(v) != oldLayout:
		return fmt.Errorf("%w %q", ErrVersion, v)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	return errors.Join(m.Put([]byte("version"), []byte(layout)), m.Put([]byte("id"), id), m.Put([]byte("end"), octets(0)))
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
	return s.aside(func(tx *bolt.Tx) error { return tx.Bucket([]byte(gateways)).Put([]byte(gateway), value) })
}

// Ping writes nothing, durably.
func (s *Store) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.aside(func(*bolt.Tx) error { return nil })
}

// Close writes what waits, and closes the files.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.write(), s.file.Close(), s.db.Close())
}

var (
	_ accounting.Store        = (*Store)(nil)
	_ accounting.Checkpointer = (*Store)(nil)
)

// Snapshot writes the database as it is at one moment, while it is in use. Link
// belongs to it, and is called afterwards: what the files of records have more than
// the database is cut away when both are opened.
func (s *Store) Snapshot(w io.Writer) error {
	return s.view(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(w)
		return err
	})
}

// Link makes hard links of the files of records in a folder, as they stand beside the
// database: they cost nothing, and stay when a closed period goes into an archive.
func (s *Store) Link(dir string) error {
	return s.file.Link(filepath.Join(dir, filepath.Base(s.file.Dir())))
}
