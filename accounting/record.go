// Package accounting has the words of the account, pure: clients and what
// blocks them, usage records, how a message is charged and split.
package accounting

import (
	"context"
	"time"
)

// Kind of a record.
const (
	Usage   = "usage"   // a message was accepted for a recipient
	Void    = "void"    // it was not after all: lowers what that record added
	Payment = "payment" // the client paid; Amount is what it adds to the balance
	Adjust  = "adjust"  // a correction of the balance by Amount, either way
	Fee     = "fee"     // of a period; Amount is what it takes from the balance
)

// FeePrefix is how the IDs of fees begin, and no others: CLIENT/PERIOD follows.
const FeePrefix = "fee/"

// What is special about how a store applied a record.
const (
	// NoEffect: a void came before its record; neither counts.
	NoEffect = "none"
	// Adjustment: its own period was closed, and it counts in a later one.
	Adjustment = "adjustment"
)

// Record is one line of the account. It is made once, kept in the spool, and
// applied to a store idempotently by ID. JSON names are the contract's.
type Record struct {
	ID            string    `json:"id"`              // gateway/queue-id/end-of-message-ms/recipient
	Kind          string    `json:"kind"`            // Usage, Void, ...
	Voids         string    `json:"voids,omitempty"` // of a void: the voided record's ID
	Time          time.Time `json:"time"`            // end of message, UTC, ms
	Gateway       string    `json:"gateway"`
	QueueID       string    `json:"queue_id"`
	MessageID     string    `json:"message_id"`
	Ref           string    `json:"ref"`
	Client        string    `json:"client"`
	Recipient     string    `json:"recipient"`
	Sender        string    `json:"sender"` // empty: null sender
	ClientIP      string    `json:"client_ip"`
	Direction     string    `json:"direction"`
	Size          int64     `json:"size"`    // bytes of the message
	Charged       int64     `json:"charged"` // this recipient's share, bytes
	Share         string    `json:"share"`   // ShareFull, ShareSplit
	ShareIndex    int       `json:"share_index"`
	ShareCount    int       `json:"share_count"`
	Verdict       string    `json:"verdict"`
	Weight        string    `json:"weight"`
	Rules         []string  `json:"rules"`
	Tariff        string    `json:"tariff,omitempty"`
	TariffVersion string    `json:"tariff_version,omitempty"`
	Policy        string    `json:"policy,omitempty"` // the version that judged
	Payer         string    `json:"payer,omitempty"`  // BySender: the client sent it; "": the recipient is the client's

	// Of payments, adjustments and fees.
	By       string `json:"by,omitempty"`       // who said so: a user of this machine
	Note     string `json:"note,omitempty"`     // why, for people
	Reverses string `json:"reverses,omitempty"` // ID of the record that this one takes back

	// What the store did with it; empty before.
	Period           string `json:"period,omitempty"` // that it counts in
	Effect           string `json:"effect,omitempty"` // NoEffect, Adjustment; "" for the usual one
	Currency         string `json:"currency,omitempty"`
	Priced           int64  `json:"priced,omitempty"`            // bytes: charged, rounded up
	Included         int64  `json:"included,omitempty"`          // bytes of them that cost nothing
	IncludedDelivery int64  `json:"included_delivery,omitempty"` // 1: the delivery cost nothing
	Amount           string `json:"amount,omitempty"`            // millionths of the currency unit, exactly
}

// How the size of a message is shared among its billed recipients.
const (
	ShareFull  = "full"
	ShareSplit = "split"
)

// BySender is the payer of what its client sent to somebody who is nobody's.
const BySender = "sender"

// Unbilled is the pseudo-client that gets the shares of recipients nobody is
// billed for, where a split goes over all recipients.
const Unbilled = "_unbilled"

// Sink takes records for good. Put is idempotent by Record.ID: a record that
// was applied before changes nothing. On error nothing is known of the batch,
// and it is put again.
type Sink interface {
	Put(ctx context.Context, batch []Record) error
}
