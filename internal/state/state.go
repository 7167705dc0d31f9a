// Package state is what gateways remember of the mail that came by: who tried
// to deliver what (greylisting), and who wrote to whom (correspondents).
//
// All of it may be lost: then some mail is delayed once more, and some reply
// is judged as a stranger's. So nothing in here is worth holding up mail for.
// Where the store is away, the answer is an error, soon; the gate then does no
// greylisting, and does not know the correspondent.
package state

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"
)

var (
	// ErrAway: the store was not reached, or not in time.
	ErrAway = errors.New("the state store is unreachable")

	// ErrFull: the store takes nothing more now.
	ErrFull = errors.New("the state store is full")

	// ErrClient: there is no client address to greylist by.
	ErrClient = errors.New("greylist: no client address")

	// ErrClock: a time before 1970.
	ErrClock = errors.New("the clock is not set")
)

// Store keeps the state. Its methods may be called from many goroutines, and
// each call is atomic, also between processes that share the store. All of
// them do the same when they are repeated, so a client may try again where a
// reply was lost. Times count in milliseconds.
//
// An error that wraps ErrAway tells that the store was not reached. All
// stores have the same semantics; package statetest holds them to it.
type Store interface {
	// Try records one try to deliver, and answers as Try.Judge does.
	Try(ctx context.Context, t Try) (Answer, error)

	// Remember keeps the IDs for life from now on. With an error some may
	// have been kept.
	Remember(ctx context.Context, ids []ID, now time.Time, life time.Duration) error

	// Remembered tells whether the ID was kept less than life before now.
	Remembered(ctx context.Context, id ID, now time.Time, life time.Duration) (bool, error)

	// Kind is "redis" or "embedded".
	Kind() string

	Close() error
}

// ID stands for addresses that belong together: a store's keys are short
// whatever the addresses are, and do not tell them to those who look.
type ID [16]byte

// newID makes an ID of parts that have no zero octet (no address of SMTP has).
func newID(parts ...string) ID {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return ID(h.Sum(nil)[:16])
}
