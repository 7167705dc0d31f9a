package accounting

import (
	"context"
	"errors"
)

// Definition is a client as a store defines it.
type Definition struct {
	ID   string
	Text string // JSON with the keys of [[client]] in the policy
	Err  error  // why it cannot be read; nil when Text has it
}

// ErrChanged: a definition is another than the one that was to be replaced.
var ErrChanged = errors.New("the definition was changed meanwhile")

// Definitions are those of clients that stand outside of the policy, and change.
type Definitions interface {
	// ClientsVersion is what is changed after each change of definitions: it
	// says that there is something to be read, and no more. "" when nobody ever
	// wrote one.
	ClientsVersion(ctx context.Context) (string, error)

	// Definitions are all that there are, sorted by ID, each ID once. One that
	// cannot be read is among them, with its error.
	Definitions(ctx context.Context) ([]Definition, error)
}

// Definer is a Store in which clients are defined, too, by whoever bills.
type Definer interface {
	Definitions

	// Define writes definitions, in place of those of the same IDs, and then
	// changes the version. After an error some may have been written.
	Define(ctx context.Context, list []Definition) error

	// Redefine writes one in place of what its text was, and changes the version.
	// ErrChanged: it is another by now.
	Redefine(ctx context.Context, id, was, text string) error
}
