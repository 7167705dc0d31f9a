// Package budget bounds the work that octets from outside can ask for.
//
// Whoever parses what a sender has made gets a Budget and charges it: a step
// for each turn of a loop whose number of turns the input chooses, and each
// octet that is read or unpacked. A time-out alone is no bound: a parser that
// does not look at it goes on, and how far it comes depends on how busy the
// machine is.
package budget

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
)

// ErrSpent is wrapped by the error of a charge that a budget does not cover.
var ErrSpent = errors.New("the work budget is spent")

// look is after how many charges, steps and octets together, a budget looks at
// its context.
const look = 32 << 10

// Allowance is how many steps an input of so many octets may cost: far more
// than any parser needs for one that nobody made to be dear.
func Allowance(octets int64) int64 {
	const perOctet, atLeast = 64, 64 << 10
	const most = 1 << 56
	return perOctet*min(max(octets, 0), most) + atLeast
}

// Budget is the work that may be spent on one input. It is for one goroutine.
// An error of a charge is that of all further ones. A nil Budget bounds and counts
// nothing: it is for what is short, or was made by ourselves.
type Budget struct {
	ctx        context.Context
	mostSteps  int64
	mostOctets int64
	steps      int64
	octets     int64
	unlooked   int64 // charges since the last look at ctx
	err        error
	share      *share  // nil: of no Turns
	whole      *Budget // what Within is charged to as well
}

// Proportional is a budget of so many octets, and of the steps that are allowed
// for those of them that have been charged. It is for what is read while it
// still arrives.
func Proportional(ctx context.Context, octets int64) *Budget {
	return &Budget{ctx: ctx, mostSteps: byOctets, mostOctets: octets, unlooked: look}
}

// byOctets stands for a number of steps that goes with the octets.
const byOctets = -1

// New is a budget of so many steps and octets, that ends when ctx does.
func New(ctx context.Context, steps, octets int64) *Budget {
	return &Budget{ctx: ctx, mostSteps: steps, mostOctets: octets, unlooked: look} // the first charge looks
}

// Within is a budget of no more than so many of b's steps, for a piece of the
// work that may be left unfinished without the rest: what is charged to it is
// charged to b. While it is used b is not.
func (b *Budget) Within(steps int64) *Budget {
	if b == nil {
		return nil
	}
	return &Budget{ctx: b.ctx, mostSteps: steps, mostOctets: math.MaxInt64, whole: b}
}

// Charge takes steps. The error wraps ErrSpent when there are no more of them,
// or is the context's.
func (b *Budget) Charge(steps int) error {
	if b == nil {
		return nil
	}
	most := b.mostSteps
	if most == byOctets {
		most = Allowance(b.octets)
	}
	return b.charge(&b.steps, int64(steps), most, "steps")
}

// Octets takes octets that were read or unpacked. The errors are those of
// Charge.
func (b *Budget) Octets(n int) error {
	if b == nil {
		return nil
	}
	return b.charge(&b.octets, int64(n), b.mostOctets, "octets")
}

func (b *Budget) charge(spent *int64, n, most int64, unit string) error {
	if b.err != nil {
		return b.err
	}
	if n < 0 || n > most-*spent {
		*spent = most
		b.err = fmt.Errorf("%w: more than %d %s", ErrSpent, most, unit)
		return b.err
	}
	*spent += n
	if b.whole != nil {
		if spent == &b.steps {
			b.err = b.whole.Charge(int(n))
		} else {
			b.err = b.whole.Octets(int(n))
		}
		return b.err
	}
	if b.unlooked += n; b.unlooked >= look {
		charges := b.unlooked
		b.unlooked = 0
		if b.err = b.ctx.Err(); b.err == nil && b.share != nil {
			b.err = b.share.look(b.ctx, charges)
		}
	}
	return b.err
}

// Err is the error of the next charge, nil while there is none. It looks at
// the context.
func (b *Budget) Err() error {
	if b == nil {
		return nil
	}
	if b.err == nil && b.whole != nil {
		b.err = b.whole.Err()
	}
	if b.err == nil {
		b.err = b.ctx.Err()
	}
	return b.err
}

// Spent is how many steps and octets have been charged.
func (b *Budget) Spent() (steps, octets int64) {
	if b == nil {
		return 0, 0
	}
	return b.steps, b.octets
}

// Reader charges each octet that is read of r. Code of others is charged where
// it reads, and what it unpacks where that is read.
func (b *Budget) Reader(r io.Reader) io.Reader {
	if b == nil {
		return r
	}
	return &reader{budget: b, r: r}
}

type reader struct {
	budget *Budget
	r      io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.budget.Err(); err != nil {
		return 0, err
	}
	// No more than is left, and a look at the context before long.
	p = p[:min(int64(len(p)), max(r.budget.mostOctets-r.budget.octets, 1), look)]
	n, err := r.r.Read(p)
	if spent := r.budget.Octets(n); spent != nil {
		return 0, spent
	}
	return n, err
}
