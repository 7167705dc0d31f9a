// Package embedded is the store in a bbolt database of the daemon's own, for
// one gateway without Redis.
package embedded

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Options of the store. Zero values mean the defaults.
type Options struct {
	Location   *time.Location // of days and months; default UTC
	Recipients int            // counted one by one for a client and month; default 100,000
	SeenDays   int            // how long record IDs are remembered; default 40
	DayDays    int            // how long a day's counters are kept; default 400
	Log        *slog.Logger
	Now        func() time.Time
}

// Store is an accounting.Store in one file.
type Store struct{}

// Open opens the database file, or makes it. ErrLocked: another process has it.
func Open(path string, o Options) (*Store, error) { return nil, errors.ErrUnsupported }

var _ accounting.Store = (*Store)(nil)

func (s *Store) Put(ctx context.Context, batch []accounting.Record) error { return nil }

func (s *Store) Counters(ctx context.Context, period string) ([]accounting.Counter, error) {
	return nil, nil
}

func (s *Store) Records(ctx context.Context, client string, from, to time.Time, fn func(accounting.Record) error) error {
	return nil
}

func (s *Store) Parked(ctx context.Context, fn func(accounting.Record, string) error) error {
	return nil
}

func (s *Store) Heartbeat(ctx context.Context, gateway string, backlog int64) error { return nil }

func (s *Store) Ping(ctx context.Context) error { return nil }

func (s *Store) Close() error { return nil }
