// Package redis is the store in a Redis server, which several gateways may
// share and a billing system may read.
package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Options of the store. Zero values mean the defaults, but Addr and Gateway
// are needed.
type Options struct {
	Addr               string // host:port, or the path of a unix socket
	Username, Password string
	TLS                *tls.Config // nil: none
	DB                 int
	Prefix             string // of every key; default "tg:"

	Gateway    string         // this one's name; its heartbeat and mark are kept by it
	Location   *time.Location // of days and months; default UTC
	Recipients int            // counted one by one for a client and month; default 100,000
	SeenDays   int            // how long record IDs are remembered; default 40
	DayDays    int            // how long a day's counters are kept; default 400
	Timeout    time.Duration  // of dialling, one reply, one write; default 5 s
	Log        *slog.Logger
	Now        func() time.Time
}

// Store is an accounting.Store and an accounting.Checkpointer in Redis.
type Store struct{}

// Open makes the store. It fails for wrong options only: a server that is away,
// or refuses the password, is logged, and every method answers its error until
// it is well.
func Open(ctx context.Context, o Options) (*Store, error) { return nil, errors.ErrUnsupported }

// Warnings are settings of the server under which records may be lost, each a
// sentence for the operator; and what kept the answer from being known.
func (s *Store) Warnings(ctx context.Context) []string { return nil }

var (
	_ accounting.Store        = (*Store)(nil)
	_ accounting.Checkpointer = (*Store)(nil)
)

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

func (s *Store) Mark(ctx context.Context) (string, error) { return "", nil }

func (s *Store) MoveMark(ctx context.Context, was, now string) (bool, error) { return false, nil }
