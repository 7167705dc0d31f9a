// Package audit proves that what was spooled is what the store has: in numbers
// at any time, and record by record for what the spool still retains.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Spool is one as the audit needs it.
type Spool interface {
	// Find calls fn with the records of each retained message, in the order in
	// which they were spooled.
	Find(ctx context.Context, since time.Time, fn func([]accounting.Record) error) error
	// Flush waits until the store has taken what was spooled until now.
	Flush(ctx context.Context) error
	// Counts are how many records were ever spooled, and how many of them wait.
	Counts() (spooled, waiting int64)
	// Name tells a spool from others.
	Name() string
}

// Store is one as the audit needs it.
type Store interface {
	accounting.Conserver
	Records(ctx context.Context, client string, from, to time.Time, fn func(accounting.Record) error) error
	Parked(ctx context.Context, fn func(r accounting.Record, reason string) error) error
}

// Unlister is a store whose list of clients is open to other hands.
type Unlister interface {
	// Unlisted are clients with an account that are not in the list, as last seen.
	Unlisted() []string
}

// Report is what an audit found.
type Report struct {
	Records int64 `json:"records"` // of the spool that were looked for, each id once
	Again   int64 `json:"again"`   // were spooled more than once, and count once
	Parked  int64 `json:"parked"`
	Dropped int64 `json:"dropped"`
	// Accepted are in the store no more, and somebody accepted that.
	Accepted int64 `json:"accepted"`
	// Missing and Doubled are counted whole, and the first named, in the order
	// in which they were spooled.
	Missing      int64               `json:"missing"`
	Doubled      int64               `json:"doubled"`
	FirstMissing []accounting.Record `json:"first_missing"`
	FirstDoubled []accounting.Record `json:"first_doubled"`
	// Gone are those that the numbers of what was spooled lack besides: neither the store
	// nor the spool has them any more.
	Gone int64 `json:"gone"`
	// Uncompared is why Gone is not known; "" where it is.
	Uncompared string `json:"uncompared,omitempty"`
	// Unlisted are clients whose accounts are there and counted, and that are in the
	// store's list of clients no more.
	Unlisted []string  `json:"unlisted,omitempty"`
	From     time.Time `json:"from"` // of the records that were looked for
	To       time.Time `json:"to"`
}

// Proven tells whether all of it is there once.
func (r *Report) Proven() bool { return r.Missing == 0 && r.Doubled == 0 && r.Gone == 0 }

// Compare notes what the numbers of a balance lack besides what was looked for.
func (r *Report) Compare(is *Balance) { r.Gone = max(0, is.Missing-r.Missing) }

const (
	// inMemory bounds the records that are looked for at once; of more there are
	// several passes.
	inMemory = 2_000_000
	// mostNamed bounds the records that are named.
	mostNamed = 20
	// margin is how far from its own time a record may stand in a store.
	margin = 48 * time.Hour
)

// What is known of a record.
const (
	spooled uint8 = 1 << iota
	stored
	doubled
	kept // parked
)

// Auditor looks for what was spooled.
type Auditor struct {
	Spool Spool
	Store Store
	// Accepts are what was accepted as lost; nil: nothing.
	Accepts *Accepts
	// Named bounds the records that are named; 0: some.
	Named int

	accepted map[string]bool
	inMemory int // 0: the constant
}

// Run audits what the spool retains now. The spool must have been flushed:
// what waits is not looked for.
func (a *Auditor) Run(ctx context.Context) (*Report, error) {
	if err := a.Spool.Flush(ctx); err != nil {
		return nil, err
	}
	var err error
	if _, a.accepted, err = a.Accepts.of(a.Spool.Name()); err != nil {
		return nil, err
	}
	all, waiting := a.Spool.Counts()
	r := &Report{FirstMissing: []accounting.Record{}, FirstDoubled: []accounting.Record{}}
	// Those that came behind the flush are not looked for: of the retained ones
	// the last that wait.
	retained := int64(0)
	err = a.Spool.Find(ctx, time.Time{}, func(list []accounting.Record) error {
		retained += int64(len(list))
		for i := range list {
			at := list[i].Origin()
			if r.From.IsZero() || at.Before(r.From) {
				r.From = at
			}
			if at.After(r.To) {
				r.To = at
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	late, _ := a.Spool.Counts()
	count := max(0, retained-(late-all)-waiting)
	room := a.inMemory
	if room == 0 {
		room = inMemory
	}
	passes := max(1, uint64(count)/uint64(room)+1)
	for pass := range passes {
		if err := a.pass(ctx, r, count, func(id string) (uint64, bool) {
			h := hash(id)
			return h, h%passes == pass
		}); err != nil {
			return nil, err
		}
	}
	if u, ok := a.Store.(Unlister); ok {
		r.Unlisted = u.Unlisted()
	}
	return r, nil
}

// hash of an id. Two ids of one hash would hide a fault in one of 2^64/n^2
// audits.
func hash(id string) uint64 {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint64(sum[:])
}

// pass audits some of the first records.
func (a *Auditor) pass(ctx context.Context, r *Report, count int64, mine func(id string) (uint64, bool)) error {
	known := map[uint64]uint8{}
	err := a.each(ctx, count, func(rec *accounting.Record) error {
		if h, ok := mine(rec.ID); ok {
			if known[h] != 0 {
				r.Again++
			}
			known[h] |= spooled
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.Records += int64(len(known))
	mark := func(id string, is uint8) {
		h, ok := mine(id)
		was := known[h]
		switch {
		case !ok || was == 0:
		case was&is != 0:
			known[h] = was | doubled
		default:
			known[h] = was | is
		}
	}
	err = a.Store.Records(ctx, "", r.From.Add(-margin), r.To.Add(margin), func(rec accounting.Record) error {
		mark(rec.ID, stored)
		return nil
	})
	if err != nil {
		return err
	}
	if err := a.Store.Parked(ctx, func(rec accounting.Record, _ string) error {
		mark(rec.ID, kept)
		return nil
	}); err != nil {
		return err
	}
	return a.each(ctx, count, func(rec *accounting.Record) error {
		h, ok := mine(rec.ID)
		if !ok || known[h] == 0 {
			return nil
		}
		is := known[h]
		known[h] = 0 // told of
		return a.tell(ctx, r, rec, is)
	})
}

func (a *Auditor) tell(ctx context.Context, r *Report, rec *accounting.Record, is uint8) error {
	switch {
	case is&doubled != 0:
		r.Doubled++
		if len(r.FirstDoubled) < mostNamed {
			r.FirstDoubled = append(r.FirstDoubled, *rec)
		}
	case is&stored != 0:
	case is&kept != 0:
		r.Parked++
	default:
		dropped, err := a.Store.WasDropped(ctx, *rec)
		if err != nil {
			return err
		}
		if dropped {
			r.Dropped++
			return nil
		}
		if a.accepted[rec.ID] {
			r.Accepted++
			return nil
		}
		r.Missing++
		if len(r.FirstMissing) < max(mostNamed, a.Named) {
			r.FirstMissing = append(r.FirstMissing, *rec)
		}
	}
	return nil
}

// each calls fn with the first records that are retained.
func (a *Auditor) each(ctx context.Context, count int64, fn func(*accounting.Record) error) error {
	n := int64(0)
	return a.Spool.Find(ctx, time.Time{}, func(list []accounting.Record) error {
		for i := range list {
			if n++; n > count {
				return nil
			}
			if err := fn(&list[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
