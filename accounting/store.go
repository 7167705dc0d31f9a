package accounting

import (
	"context"
	"time"
)

// Store is where the account lives for good: Redis or the embedded one, with
// the same semantics, held by the suite in accounting/storetest.
//
// Put applies what passes Record.Check and is not stale; anything else is
// parked for the operator, since putting it again would help as little as
// leaving it out silently. Stale is a record whose Origin is older than the
// store remembers record IDs: it could not be told from one applied before.
// So is one from more than FutureLimit ahead, whose gateway's clock is wrong.
type Store interface {
	Sink

	// Counters are the totals of one period by client, sorted by client ID.
	// A period is a month ("2026-11") or, without recipients, a day
	// ("2026-11-23"), in the accounting time zone. A void counts in the period
	// of its own time. Clients with nothing in the period are left out.
	Counters(ctx context.Context, period string) ([]Counter, error)

	// Records calls fn with every record whose time lies in [from, to), for
	// one client or, with client "", for all, in the order of their IDs; order
	// within a client's month is that of application. It stops at fn's error
	// and returns it. Fn may call the store.
	Records(ctx context.Context, client string, from, to time.Time, fn func(Record) error) error

	// Parked calls fn with every record that could not be applied, and why.
	Parked(ctx context.Context, fn func(r Record, reason string) error) error

	// Heartbeat tells the store that this gateway lives, and its backlog: the
	// records that wait in its spool.
	Heartbeat(ctx context.Context, gateway string, backlog int64) error

	// Ping tells whether the store can be reached and written now.
	Ping(ctx context.Context) error

	Close() error
}

// Checkpointer is a Sink that may lose what it took: a server set back to an
// older snapshot, or emptied. The spool leaves a mark behind each batch; the
// mark lives and is lost together with the records, so that its absence tells
// how far back to begin again.
type Checkpointer interface {
	Sink

	// Mark is the mark the sink holds now, "" when it holds none.
	Mark(ctx context.Context) (string, error)

	// MoveMark replaces the mark was, "" for none, with now. It reports false
	// and changes nothing when the sink holds another than was.
	MoveMark(ctx context.Context, was, now string) (bool, error)
}

// Counter is what one client has used in one period.
type Counter struct {
	Client     string                      `json:"client"`
	Period     string                      `json:"period"`
	Deliveries int64                       `json:"deliveries"`
	Size       int64                       `json:"size"`    // bytes
	Charged    int64                       `json:"charged"` // bytes
	Recipients map[string]RecipientCounter `json:"recipients,omitempty"`
}

// RecipientCounter is a recipient's part of a Counter.
type RecipientCounter struct {
	Deliveries int64 `json:"deliveries"`
	Size       int64 `json:"size"`    // bytes
	Charged    int64 `json:"charged"` // bytes
}

// Other stands for the recipients beyond those that a store counts one by one
// for a client and month.
const Other = "_other"

// FutureLimit is how far ahead of the store's clock a record's time may lie.
const FutureLimit = 48 * time.Hour
