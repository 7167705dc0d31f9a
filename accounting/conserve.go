package accounting

import (
	"context"
	"errors"
	"time"
)

// Taken is what a store did with the records of one gateway.
type Taken struct {
	Applied int64 `json:"applied"` // each once, those without effect, too
	Parked  int64 `json:"parked"`  // now
	Dropped int64 `json:"dropped"` // were parked, and given up
}

// Sum is all that the store has taken.
func (t Taken) Sum() int64 { return t.Applied + t.Parked + t.Dropped }

// Conserver is a Store that counts what it takes, gateway by gateway, in one
// step with taking it.
type Conserver interface {
	// Taken counts what became of the records of a gateway.
	Taken(ctx context.Context, gateway string) (Taken, error)

	// WasDropped tells whether somebody gave a parked record up.
	WasDropped(ctx context.Context, r Record) (bool, error)
}

// Claim is who has a gateway's name.
type Claim struct {
	Gateway  string
	Instance string // of its spool: the same after each restart
	Place    string // for people: host and folder
}

// ClaimLife is how long a claim holds that is not renewed.
const ClaimLife = 30 * time.Second

// ErrClaimed: another gateway that lives has this name.
var ErrClaimed = errors.New("another gateway of this name uses the same store")

// Claimer is a Store that several gateways share, each under a name of its own.
type Claimer interface {
	// Claim takes a name, or renews that. A claim of the same instance is never in
	// the way. ErrClaimed: somebody else has it.
	Claim(ctx context.Context, c Claim) error

	// Unclaim gives the name back.
	Unclaim(ctx context.Context, c Claim) error
}
