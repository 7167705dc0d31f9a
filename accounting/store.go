package accounting

import (
	"context"
	"errors"
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
	// ("2026-11-23"). Months are those of the client's tariff, days of the
	// accounting time zone. A void counts where its record did. Clients with
	// nothing in the period are left out.
	Counters(ctx context.Context, period string) ([]Counter, error)

	// Records calls fn with every record that counts in [from, to), as
	// Record.Falls has it, for one client or, with client "", for all, in the order of their IDs; order
	// within a client's month is that of application. It stops at fn's error
	// and returns it. Fn may call the store.
	Records(ctx context.Context, client string, from, to time.Time, fn func(Record) error) error

	// Parked calls fn with every record that could not be applied, and why.
	Parked(ctx context.Context, fn func(r Record, reason string) error) error

	// ParkedCount is how many records are parked.
	ParkedCount(ctx context.Context) (int64, error)

	// ApplyParked applies a parked record whatever its age, once, and parks it
	// no longer. ErrNotParked: there is none. ErrUnfit: it cannot be applied.
	ApplyParked(ctx context.Context, id string) error

	// DropParked gives a parked record up, for good: it is not parked again
	// when the spool brings it again. ErrNotParked: there is none.
	DropParked(ctx context.Context, id string) error

	// Heartbeat tells the store that this gateway lives, and its backlog: the
	// records that wait in its spool.
	Heartbeat(ctx context.Context, gateway string, backlog int64) error

	// Ping tells whether the store can be reached and written now.
	Ping(ctx context.Context) error

	Close() error
}

var (
	// ErrNotParked: no record of this ID is parked.
	ErrNotParked = errors.New("no such record is parked")

	// ErrUnfit: the record cannot be applied, whoever wants it to be.
	ErrUnfit = errors.New("the record cannot be applied")
)

// Checkpointer is a Sink that may lose what it took: a server set back to an
// older snapshot, a replica that lagged, a database file put back. The spool
// leaves a mark behind each batch; the mark lives and is lost together with
// the records, so that what it says, or its absence, tells how far back to
// begin again.
type Checkpointer interface {
	Sink

	// Session connects with the store for a run of batches, and reads the marks
	// it holds.
	Session(ctx context.Context) (Session, error)
}

// Session is a run of batches over the same connections: while it lasts
// nothing is dialled anew, so that no other server can stand in for the one
// whose marks were read. After an error of any method it is of no more use.
type Session interface {
	// Marks are the marks that the store held when the session began or, later,
	// that the session has set: one for each part of the store that can lose
	// what it took without the others, which is one part but in a Cluster.
	Marks() []Mark

	// Put applies the batch as Sink.Put does. Once all of it has been answered
	// it moves the marks of the parts that took something to text. ErrMark: a
	// part holds another mark than Marks said. ErrNotKept: so it does, because of
	// what Put had taken before.
	Put(ctx context.Context, batch []Record, text string) error

	// Move moves the marks of all parts; errors are those of Put.
	Move(ctx context.Context, text string) error

	// Check asks whether the store still is as Marks says; errors are those of
	// Put.
	Check(ctx context.Context) error

	Close() error
}

// Mark is how far a part of a store has got.
type Mark struct {
	Part string // its name; it changes with what the part is responsible for
	Text string // "" when the part holds no mark
}

// ErrNotKept: batches that the session took are lost to the store, for it could not make
// them durable. Its mark is that of before, and what stands behind it is to be put again.
var ErrNotKept = errors.New("the store could not keep what it had taken")

// ErrMark: the store holds another mark than was left in it.
var ErrMark = errors.New("the store holds another mark than was left in it")

// Counter is what one client has used in one period.
type Counter struct {
	Client     string `json:"client"`
	Period     string `json:"period"`
	Deliveries int64  `json:"deliveries"`
	Size       int64  `json:"size"`    // bytes
	Charged    int64  `json:"charged"` // bytes

	// Of what is priced. Sums of money are millionths of the currency unit;
	// Frac is what the cost is more, in parts of a millionth.
	Priced             int64  `json:"priced,omitempty"`   // bytes
	Included           int64  `json:"included,omitempty"` // bytes
	IncludedDeliveries int64  `json:"included_deliveries,omitempty"`
	Cost               int64  `json:"cost,omitempty"`
	Frac               int64  `json:"frac,omitempty"`
	Fee                int64  `json:"fee,omitempty"`
	Paid               int64  `json:"paid,omitempty"`
	Adjusted           int64  `json:"adjusted,omitempty"`
	Currency           string `json:"currency,omitempty"`
	Closed             bool   `json:"closed,omitempty"`

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

// CounterLimit is what no counter may pass, above or below zero: half of what
// an int64 holds, so that a store that compares in doubles errs on no side.
const CounterLimit = 1 << 62

// MaxRecipient bounds the recipients that are counted one by one, in bytes:
// RFC 5321 §4.5.3.1.3 allows 256. Longer ones are counted as Other.
const MaxRecipient = 1024
