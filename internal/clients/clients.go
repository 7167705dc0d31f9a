// Package clients is what a source of clients is: where clients stand besides the
// policy itself. One is read with the policy, and a mistake in it refuses the
// policy; another is followed while the daemon runs, and a mistake in it leaves
// what was known before in force.
package clients

import (
	"context"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Settings are what a source is told: a struct whose keys (see package settings)
// stand in [clients]. Two that are equal (reflect.DeepEqual) make sources that do
// the same.
type Settings interface {
	// Named tells whether the policy names the source.
	Named() bool
	// Check says what is wrong with the values, named or not. A
	// *settings.KeyError says with which.
	Check() error
}

// Source is where clients stand that change while the daemon runs. It may be
// asked by several goroutines at a time.
//
// That it cannot be reached, or not be read as a whole, is an error, never "no
// clients"; of a client that cannot be read alone, the error of its definition.
type Source interface {
	accounting.Definitions
	// Close leaves nothing of it. It does not wait for who still asks; he gets an
	// error.
	Close() error
}

// Served is a Source whose servers may take each other's place, with less than was
// there: the version alone does not tell.
type Served interface {
	// ServedBy names who answers now: another after a fail-over, a restart, or
	// when another server has come under the address.
	ServedBy(ctx context.Context) (string, error)
}

// Env is what sources find besides their settings.
type Env struct {
	// Store is the account's store as one that defines clients; nil: it does not.
	Store accounting.Definer
}
