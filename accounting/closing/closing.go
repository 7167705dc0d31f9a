// Package closing closes periods of the account for good: nothing counts in
// them any more, and a chain of hashes says what was in them.
package closing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/archive"
)

var (
	// ErrPeriod: it is none, or not over.
	ErrPeriod = errors.New("closing")

	// ErrDoubt: there may be more records of the period.
	ErrDoubt = errors.New("records may be missing")

	// ErrSetBack: the store has forgotten that a period was closed.
	ErrSetBack = errors.New("the store was set back")

	// ErrChanged: a closed period is not what was sealed.
	ErrChanged = errors.New("what was sealed has changed")
)

// Query says what to close.
type Query struct {
	Period string
	Now    time.Time
	By     string
	Force  bool // in spite of doubts, which are kept with the seal
	// Kept are the seals that were kept beside the store, as a store that was
	// set back has forgotten them.
	Kept []accounting.Close
	// Archive is a folder that the records are moved to; "": they stay.
	Archive string
	Temp    string // a folder for sorting
}

// Close closes a period: the flag of each client first, after which nothing
// counts in it any more, then the hash over what is there, then the seal, and
// last the archive. Cut off anywhere and done again it goes on; done again when
// all is done it compares, and gives the seal that there is.
func Close(ctx context.Context, l archive.Ledgered, q Query) (accounting.Close, error) {
	none := accounting.Close{}
	_, end, err := accounting.Span(q.Period, time.UTC)
	if err != nil {
		return none, fmt.Errorf("%w: %w", ErrPeriod, err)
	}
	if end.Add(behind).After(q.Now) {
		return none, fmt.Errorf("%w: %s is not over everywhere before %s", ErrPeriod, q.Period, end.Add(behind).Format(time.RFC3339))
	}
	seals, err := l.Closes(ctx)
	if err != nil {
		return none, err
	}
	seal, err := sealFor(seals, &q)
	if err != nil {
		return none, err
	}
	archived := ""
	if seal.Hash != "" && len(seals) < seal.Number {
		// The store has forgotten it. Its records may be back before they are in the
		// archive, or not all back yet: no flag stands before they all are.
		archived, seal.Archive = seal.Archive, ""
		if err := Check(ctx, l, seal, q.Temp); err != nil {
			return none, err
		}
	}
	if seal.Hash == "" {
		doubts, err := doubts(ctx, l, q.Period, q.Now)
		if err != nil {
			return none, err
		}
		if len(doubts) > 0 && !q.Force {
			return none, fmt.Errorf("%w: %s", ErrDoubt, strings.Join(doubts, "; "))
		}
		seal.Forced = strings.Join(doubts, "; ")
	}
	if seal.Archive == "" {
		if err := flag(ctx, l, q.Period); err != nil {
			return none, err
		}
	}
	sum, err := digest(ctx, l, seal, q.Temp)
	if err != nil {
		return none, err
	}
	if seal.Hash != "" && seal.Hash != sum.Hash {
		return seal, fmt.Errorf("%w: %s has hash %s and %d records, and was sealed with %s and %d", ErrChanged, q.Period, sum.Hash, sum.Records, seal.Hash, seal.Records)
	}
	seal.Hash, seal.Clients, seal.Records = sum.Hash, sum.Clients, sum.Records
	if f, err := archive.Open(archived); err == nil && f.Sum() == sum {
		seal.Archive = archived
	}
	if !slices.Contains(seals, seal) {
		if err := l.SetClose(ctx, seal); err != nil {
			return none, err
		}
	}
	if q.Archive != "" || seal.Archive != "" {
		return move(ctx, l, seal, q.Archive)
	}
	return seal, nil
}

// sealFor is the seal of a period: that which is there or was kept, or a new one.
func sealFor(seals []accounting.Close, q *Query) (accounting.Close, error) {
	if err := chain(seals); err != nil {
		return accounting.Close{}, err
	}
	lost, err := Lost(seals, q.Kept)
	if err != nil {
		return accounting.Close{}, err
	}
	if i := slices.IndexFunc(seals, func(c accounting.Close) bool { return c.Period == q.Period }); i >= 0 {
		return seals[i], nil
	}
	if len(lost) > 0 {
		// It must not be closed with less than it was, nor another in its place.
		if lost[0].Period != q.Period {
			return accounting.Close{}, fmt.Errorf("%w: it does not know that %s was closed (number %d): close that again first", ErrSetBack, lost[0].Period, lost[0].Number)
		}
		return lost[0], nil
	}
	seal := accounting.Close{Number: 1, Period: q.Period, Time: q.Now.UTC().Format(time.RFC3339), By: q.By}
	if n := len(seals); n > 0 {
		seal.Number, seal.Before = seals[n-1].Number+1, seals[n-1].Hash
	}
	return seal, nil
}

// chain tells whether each seal names the one before.
func chain(seals []accounting.Close) error {
	before := ""
	for i, c := range seals {
		if c.Number != i+1 || c.Before != before {
			return fmt.Errorf("%w: seal %d, of %s, does not follow the one before", ErrChanged, c.Number, c.Period)
		}
		before = c.Hash
	}
	return nil
}

// Lost are the seals that were kept and are not in the store, in their order. An
// error tells of one that is another there.
func Lost(seals, kept []accounting.Close) ([]accounting.Close, error) {
	var lost []accounting.Close
	for _, k := range kept {
		if k.Number > len(seals) {
			lost = append(lost, k)
			continue
		}
		if c := seals[k.Number-1]; c.Period != k.Period || c.Hash != k.Hash {
			return nil, fmt.Errorf("%w: seal %d was of %s with hash %s, the store says %s with %s", ErrChanged, k.Number, k.Period, k.Hash, c.Period, c.Hash)
		}
	}
	slices.SortFunc(lost, func(a, b accounting.Close) int { return a.Number - b.Number })
	return lost, nil
}

// flag closes the period of every client, also of those without an account in
// it: what is theirs and comes late must not open one.
func flag(ctx context.Context, l archive.Ledgered, period string) error {
	clients, err := l.Clients(ctx)
	if err != nil {
		return err
	}
	for _, c := range clients {
		counter, err := l.CounterOf(ctx, c, period)
		if err != nil {
			return err
		}
		if !counter.Closed {
			if err := l.ClosePeriod(ctx, c, period); err != nil {
				return err
			}
		}
	}
	return nil
}

// digest computes what a seal says of its period.
func digest(ctx context.Context, l archive.Ledgered, seal accounting.Close, temp string) (archive.Sum, error) {
	if seal.Archive != "" {
		f, err := archive.Open(seal.Archive)
		if err != nil {
			return archive.Sum{}, fmt.Errorf("the records of %s are in an archive: %w", seal.Period, err)
		}
		return f.Sum(), nil
	}
	clients, err := in(ctx, l, seal.Period)
	if err != nil {
		return archive.Sum{}, err
	}
	return archive.Write(ctx, l, archive.HeaderOf(seal), clients, io.Discard, temp)
}

// in are the clients with records in a period.
func in(ctx context.Context, l accounting.Ledger, period string) ([]string, error) {
	all, err := l.Clients(ctx)
	if err != nil {
		return nil, err
	}
	var clients []string
	for _, c := range all {
		periods, err := l.Periods(ctx, c)
		if err != nil {
			return nil, err
		}
		if slices.Contains(periods, period) {
			clients = append(clients, c)
		}
	}
	return clients, nil
}

// Check tells whether a period is still what was sealed. An error wraps
// ErrChanged, or is that of the store or the file.
func Check(ctx context.Context, l archive.Ledgered, seal accounting.Close, temp string) error {
	sum, err := digest(ctx, l, seal, temp)
	if err == nil && sum.Hash != seal.Hash {
		err = fmt.Errorf("%w: %s has hash %s and %d records, and was sealed with %s and %d", ErrChanged, seal.Period, sum.Hash, sum.Records, seal.Hash, seal.Records)
	}
	return err
}

// move makes the archive of a sealed period and then takes its records out of
// the store: first the file, then the note where it is, then the records.
func move(ctx context.Context, l archive.Ledgered, seal accounting.Close, dir string) (accounting.Close, error) {
	clients, err := in(ctx, l, seal.Period)
	if err != nil {
		return seal, err
	}
	if seal.Archive == "" {
		sum, err := archive.Create(ctx, l, archive.HeaderOf(seal), clients, dir)
		if err != nil {
			return seal, err
		}
		if sum.Hash != seal.Hash {
			return seal, fmt.Errorf("%w: %s was sealed with hash %s, its archive has %s", ErrChanged, seal.Period, seal.Hash, sum.Hash)
		}
		seal.Archive = archive.Path(dir, seal.Period)
		if err := l.SetClose(ctx, seal); err != nil {
			return seal, err
		}
	}
	for _, c := range clients {
		if err := l.DropRecords(ctx, c, seal.Period); err != nil {
			return seal, err
		}
	}
	return seal, nil
}
