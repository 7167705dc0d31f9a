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
	// part holds another mark than Marks said.
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

// Standing is how a client's account stands: what decides whether it may
// receive.
type Standing struct {
	Client  string `json:"client"`
	Balance int64  `json:"balance"` // millionths of the currency unit
	Period  string `json:"period"`  // of its tariff, the last one that something was counted in
	Used    int64  `json:"used"`    // charged bytes in it
	Day     string `json:"day"`     // of the accounting time zone, likewise
	UsedDay int64  `json:"used_day"`
	// Change numbers the changes of the client's account: of two, the one with
	// the greater pair is how it stands.
	Change [2]uint64 `json:"-"`
}

// Before tells whether another is how the account stood later.
func (s Standing) Before(other Standing) bool {
	return s.Change[0] < other.Change[0] || s.Change[0] == other.Change[0] && s.Change[1] < other.Change[1]
}

var (
	// ErrConflict: an entry's id was used before, for another content.
	ErrConflict = errors.New("this id was used before, with another content")

	// ErrReversed: an entry is to be taken back that another one took back.
	ErrReversed = errors.New("it was reversed before, under another id")

	// ErrCurrency: the money of a period is of another currency.
	ErrCurrency = errors.New("the money of this period is of another currency")
)

// Ledger is what a Store has besides records of mail: payments, adjustments
// and fees, and how accounts stand.
type Ledger interface {
	// Enter books a payment, an adjustment or a fee, once for its ID, however
	// often and wherever it is asked to, for ever. It reports false when it was
	// booked before. ErrConflict: with another content. ErrReversed, ErrCurrency:
	// not at all. Period may name the period of a fee; empty it is that of the
	// entry's time.
	Enter(ctx context.Context, r Record) (bool, error)

	// Standings reads how accounts stand: Client, Period and Day say whose, and
	// in which period and on which day; the rest comes back. Of a client that
	// is under a tariff the period is the one that is of that tariff now, whatever
	// is asked: a tariff that is to come has periods of its own, and nothing is
	// used in them.
	Standings(ctx context.Context, list []Standing) ([]Standing, error)

	// Account reads a client's balance, and the tariff it is under now.
	Account(ctx context.Context, client string) (Account, error)

	// Accounts are those of many, in their order.
	Accounts(ctx context.Context, clients []string) ([]Account, error)

	// Plans are the tariffs that a client was, is and will be under, as the store
	// keeps them; SetPlans replaces them, and reports false when they are not
	// what they were.
	Plans(ctx context.Context, client string) (string, error)
	SetPlans(ctx context.Context, client, was, plans string) (bool, error)

	// Periods are those in which the client has an account of its own: of its
	// tariff's kind, or months, sorted by when they began.
	Periods(ctx context.Context, client string) ([]string, error)

	// RecordsOf calls fn with every record that counts in a client's period, in
	// the order of application.
	RecordsOf(ctx context.Context, client, period string, fn func(Record) error) error

	// CounterOf reads the counters of a client's period, without recipients.
	CounterOf(ctx context.Context, client, period string) (Counter, error)

	// ClosePeriod closes a client's period: nothing counts in it any more.
	ClosePeriod(ctx context.Context, client, period string) error

	// DropRecords forgets the records of a client's closed period, which are in
	// an archive: counters stay, and the period stays one of its Periods. Asked
	// again it changes nothing.
	DropRecords(ctx context.Context, client, period string) error

	// Clients are those that ever had a record, sorted.
	Clients(ctx context.Context) ([]string, error)

	// Gateways tells when each gateway was last heard of, and its backlog.
	Gateways(ctx context.Context) ([]Gateway, error)

	// SetClose keeps the seal of a closed period; Closes reads all, the first
	// one closed first.
	SetClose(ctx context.Context, c Close) error
	Closes(ctx context.Context) ([]Close, error)

	// FeesThrough is until when somebody has looked after the fees of all
	// clients; the zero time when nobody ever did. SetFeesThrough says so.
	FeesThrough(ctx context.Context) (time.Time, error)
	SetFeesThrough(ctx context.Context, t time.Time) error

	// Follow tells of changes that others made, until ctx ends or the line
	// breaks: fresh whenever what was before may have been missed.
	Follow(ctx context.Context, fresh func(), tell func([]Standing)) error
}

// Gateway is what a gateway last said of itself.
type Gateway struct {
	Name      string    `json:"gateway"`
	Heartbeat time.Time `json:"heartbeat"`
	Backlog   int64     `json:"backlog"` // records that wait in its spool
}

// Close is the seal of a closed period. Its hash is that of the records of all
// clients in it, and of the seal before: the SHA-256 of its archive.
type Close struct {
	Number  int    `json:"number"` // from 1 on
	Period  string `json:"period"`
	Clients int    `json:"clients"`
	Records int64  `json:"records"`
	Before  string `json:"before"` // the hash of the seal before; "" of the first
	Hash    string `json:"hash"`   // SHA-256, hexadecimal
	Time    string `json:"time"`   // RFC 3339, UTC
	By      string `json:"by"`
	Forced  string `json:"forced,omitempty"` // the doubts that it was closed in spite of
	// Archive is the file that the records were moved to; "": the store has them.
	Archive string `json:"archive,omitempty"`
}

// Account is what a store knows of a client besides counters.
type Account struct {
	Client   string `json:"client"`
	Balance  int64  `json:"balance"` // millionths of the currency unit
	Tariff   string `json:"tariff,omitempty"`
	Currency string `json:"currency,omitempty"`
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
