package accounting

import (
	"context"
	"time"
)

// Store is where the account lives for good: Redis or the embedded one, with
// the same semantics.
type Store interface {
	Sink

	// Counters are the totals of one period ("2026-11") by client, recipient
	// or day, as the store keeps them.
	Counters(ctx context.Context, period string) ([]Counter, error)

	// Records calls fn with every record whose time lies in [from, to), for
	// one client or, with client "", for all; order within a client is that
	// of application. It stops at fn's error and returns it.
	Records(ctx context.Context, client string, from, to time.Time, fn func(Record) error) error

	// Heartbeat tells the store that this gateway lives, and its backlog.
	Heartbeat(ctx context.Context, gateway string, backlog int64) error

	// Ping tells whether the store can be reached and written now.
	Ping(ctx context.Context) error

	Close() error
}

// Counter is what one client has used in one period.
type Counter struct {
	Client     string
	Period     string
	Deliveries int64
	Size       int64
	Charged    int64
	Recipients map[string]RecipientCounter // bounded; the rest under "_other"
}

// RecipientCounter is a recipient's part of a Counter.
type RecipientCounter struct{ Deliveries, Size, Charged int64 }
