package accounting

import (
	"context"
	"errors"
	"time"
)

// Standing is how a client's account stands: what decides whether it may
// receive.
type Standing struct {
	Client  string `json:"client"`
	Balance int64  `json:"balance"` // millionths of the currency unit
	Period  string `json:"period"`  // of its tariff, the last one that something was counted in
	// Zone has the period's begin and end: of the tariff in force, which may be
	// another than the one to come. "": it is not known.
	Zone    string `json:"zone,omitempty"`
	Used    int64  `json:"used"` // charged bytes in it
	Day     string `json:"day"`  // of the accounting time zone, likewise
	UsedDay int64  `json:"used_day"`
	// Change numbers the changes of the client's account: of two, the one with
	// the greater pair is how it stands.
	Change [2]uint64 `json:"-"`
	// Err is why the store cannot read this client's account, in which case the rest
	// says nothing.
	Err error `json:"-"`
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

	// ErrUnreadable: what the store has of a client is not what it writes. That is no
	// matter of any other client.
	ErrUnreadable = errors.New("what the store has of this client cannot be read")

	// ErrCurrency: a period and a balance are each of one currency, and this is of another.
	ErrCurrency = errors.New("money of one currency does not count in another")

	// ErrAtRisk: an entry is booked, and not in as many places as are asked for. Asked for
	// again it says whether it is by then.
	ErrAtRisk = errors.New("it is booked in one place alone, and would be lost with it")
)

// Ledger is what a Store has besides records of mail: payments, adjustments
// and fees, and how accounts stand.
type Ledger interface {
	// Enter books a payment, an adjustment or a fee, once for its ID, however
	// often and wherever it is asked to, for ever. It reports false when it was
	// booked before. ErrConflict: with another content. ErrReversed, ErrCurrency:
	// not at all. ErrAtRisk: it is booked, and may be lost. Period may name the period of a fee; empty it is that of the
	// entry's time.
	Enter(ctx context.Context, r Record) (bool, error)

	// Standings reads how accounts stand: Client, Period and Day say whose, and
	// in which period and on which day; the rest comes back. Of a client that
	// is under a tariff the period is the one that is of that tariff now, whatever
	// is asked: a tariff that is to come has periods of its own, and nothing is
	// used in them. What cannot be read of one client is its Err: it costs the others
	// nothing.
	Standings(ctx context.Context, list []Standing) ([]Standing, error)

	// Account reads a client's balance, and the tariff it is under now.
	Account(ctx context.Context, client string) (Account, error)

	// Accounts are those of many, in their order. What cannot be read of one is its
	// Err.
	Accounts(ctx context.Context, clients []string) ([]Account, error)

	// Plans are the tariffs that a client was, is and will be under, as the store
	// keeps them; SetPlans replaces them, and reports false when they are not
	// what they were. Whoever hears of accounts hears how this one stands then: in
	// which period may have changed.
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
	// Period and Zone are those that the tariff cuts time by.
	Period string `json:"period,omitempty"`
	Zone   string `json:"zone,omitempty"`
	// Pending: another tariff, or none, is to hold from the next period on.
	Pending bool `json:"pending,omitempty"`
	// Err is why this account, among many, cannot be read; the rest says nothing then.
	Err error `json:"-"`
}
