package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/durable"
)

// Balance is what was spooled and what became of it.
type Balance struct {
	Spooled int64 `json:"spooled"`
	Applied int64 `json:"applied"`
	Waiting int64 `json:"waiting"`
	Parked  int64 `json:"parked"`
	Dropped int64 `json:"dropped"`
	// Again are records that were spooled more than once, and count once.
	Again int64 `json:"again"`
	// Accepted are records that somebody accepted as lost.
	Accepted int64 `json:"accepted"`
	// Missing is how many of the spooled records are nowhere, below zero how
	// many too many there are. While records are on their way it is what is
	// certain.
	Missing int64     `json:"missing"`
	At      time.Time `json:"at"`
}

// Balancer compares the numbers of a spool and a store.
type Balancer struct {
	Gateway string
	Spool   interface {
		Counts() (spooled, waiting int64)
		// Settled waits until the store was seen to have what it took.
		Settled(context.Context) error
		Name() string
	}
	Store accounting.Conserver
	// File keeps what the store had taken of the gateway's before this spool.
	File string
	// Accepts are what was accepted as lost; nil: nothing.
	Accepts *Accepts

	base *baseline
}

// baseline is what a store had taken before a spool was made, or before there
// were counts.
type baseline struct {
	Spool   string `json:"spool"`
	Taken   int64  `json:"taken"`
	Applied int64  `json:"applied"`
	Dropped int64  `json:"dropped"`
	Again   int64  `json:"again"`
	// Explained are those of Again that an audit may find once more.
	Explained []explained `json:"explained,omitempty"`
	// Gateways are the names under which records came out of this spool: a gateway that
	// is called otherwise now keeps its spool. Empty in files of before.
	Gateways []string `json:"gateways,omitempty"`
}

// explained are records that were found spooled again, and are in Again since.
type explained struct {
	At      time.Time `json:"at"`
	Records int64     `json:"records"`
}

// Now compares; nil without an error while it cannot be told what was before. That the
// store has less is only said where it was asked whether it has kept what it took: it
// may have given up what it could not make durable, and be brought it again.
func (b *Balancer) Now(ctx context.Context) (*Balance, error) {
	is, err := b.now(ctx)
	if err != nil || is == nil || is.Missing <= 0 {
		return is, err
	}
	if err := b.Spool.Settled(ctx); err != nil {
		return nil, err
	}
	return b.now(ctx)
}

func (b *Balancer) now(ctx context.Context) (*Balance, error) {
	before, waits := b.Spool.Counts()
	taken, err := b.taken(ctx)
	if err != nil {
		return nil, err
	}
	after, still := b.Spool.Counts()
	quiet := waits == 0 && still == 0 && before == after
	if b.base == nil {
		if err := b.load(taken, before-waits, quiet); err != nil || b.base == nil {
			return nil, err
		}
	}
	accepted, _, err := b.Accepts.of(b.Spool.Name())
	if err != nil {
		return nil, err
	}
	sum := taken.Sum() - b.base.Taken + b.base.Again + accepted
	is := &Balance{
		Spooled: after, Applied: taken.Applied - b.base.Applied, Waiting: still, Parked: taken.Parked, Dropped: taken.Dropped - b.base.Dropped,
		Again: b.base.Again, Accepted: accepted,
		At: time.Now().UTC().Truncate(time.Second),
	}
	switch {
	case sum < before-waits:
		is.Missing = before - waits - sum
	case sum > after:
		is.Missing = after - sum
	}
	return is, nil
}

// Explain takes records that seem to be missing for such as were spooled again:
// what an audit has proven, which found so many of these. One that was explained and is
// still in the spool is found by each audit, and explains nothing more: what is lost
// later would be hidden by it.
func (b *Balancer) Explain(is *Balance, r *Report) error {
	if is.Missing <= 0 || is.Waiting > 0 || !r.Proven() || is.Missing > r.Again {
		return nil
	}
	next, before := *b.base, int64(0)
	next.Explained = nil
	for _, one := range b.base.Explained {
		if !one.At.Before(r.From) { // what the spool retains reaches back to then
			next.Explained, before = append(next.Explained, one), before+one.Records
		}
	}
	if is.Missing > r.Again-before {
		return nil
	}
	next.Explained = append(next.Explained, explained{is.At, is.Missing})
	next.Again += is.Missing
	if err := b.save(next); err != nil {
		return err
	}
	is.Again, is.Missing = next.Again, 0
	return nil
}

func (b *Balancer) save(next baseline) error {
	text, err := json.Marshal(next)
	if err == nil {
		err = durable.Replace(b.File, text, 0o600)
	}
	if err == nil {
		b.base = &next
	}
	return err
}

// taken is what the store has of all that came out of this spool, whatever the gateway
// was called.
func (b *Balancer) taken(ctx context.Context) (accounting.Taken, error) {
	names := []string{b.Gateway}
	kept, err := b.read()
	if err != nil {
		return accounting.Taken{}, err
	}
	if kept != nil {
		for _, name := range kept.Gateways {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if len(kept.Gateways) < len(names) {
			next := *kept
			next.Gateways = names
			if err := b.save(next); err != nil {
				return accounting.Taken{}, err
			}
		}
	}
	var sum accounting.Taken
	for _, name := range names {
		one, err := b.Store.Taken(ctx, name)
		if err != nil {
			return accounting.Taken{}, err
		}
		sum.Applied, sum.Parked, sum.Dropped = sum.Applied+one.Applied, sum.Parked+one.Parked, sum.Dropped+one.Dropped
	}
	return sum, nil
}

// read is the baseline of this spool; nil where there is none yet.
func (b *Balancer) read() (*baseline, error) {
	if b.base != nil {
		return b.base, nil
	}
	text, err := os.ReadFile(b.File)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var was baseline
	if err := json.Unmarshal(text, &was); err != nil {
		return nil, fmt.Errorf("%s: %w", b.File, err)
	}
	if was.Spool != b.Spool.Name() {
		return nil, nil // found out anew
	}
	return &was, nil
}

// load reads the baseline, or finds it out: when nothing is on its way.
func (b *Balancer) load(taken accounting.Taken, done int64, quiet bool) error {
	was, err := b.read()
	switch {
	case err != nil:
		return err
	case was != nil:
		b.base = was
		return nil
	case !quiet:
		return nil
	}
	// What was drained before there were counts, and is not among them, stands
	// as applied.
	return b.save(baseline{
		Spool: b.Spool.Name(), Taken: taken.Sum() - done, Applied: taken.Applied + taken.Parked - done, Dropped: taken.Dropped, Gateways: []string{b.Gateway},
	})
}
