package embedded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Put applies the batch in one transaction.
func (s *Store) Put(ctx context.Context, batch []accounting.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.update(func(tx *bolt.Tx) error { return s.apply(ctx, tx, batch) })
}

func (s *Store) apply(ctx context.Context, tx *bolt.Tx, batch []accounting.Record) error {
	a := &application{
		ctx: ctx, s: s, now: s.o.Now(), seen: tx.Bucket([]byte(seen)), records: tx.Bucket([]byte(records)),
		parked: tx.Bucket([]byte(parked)), use: newTotals(tx, use, 4), rcpt: newTotals(tx, rcpt, 3), days: newTotals(tx, days, 3),
	}
	// The keys of a client, and those of the day, only grow.
	a.records.FillPercent, a.seen.FillPercent = 0.9, 0.9
	for i := range batch {
		if err := a.apply(&batch[i]); err != nil {
			return err
		}
	}
	return a.finish(len(batch))
}

// application is one batch on its way into the store.
type application struct {
	ctx                   context.Context
	s                     *Store
	now                   time.Time
	seen, records, parked *bolt.Bucket
	use, rcpt, days       *totals
}

// apply applies one record, unless it was applied before.
func (a *application) apply(r *accounting.Record) error {
	if err := a.ctx.Err(); err != nil {
		return err
	}
	if err := accounting.Fit(r, a.now, a.s.o.SeenDays); err != nil {
		return a.park(r, err)
	}
	own, other := r.Marks()
	key := seenKey(r.Origin(), own)
	if a.seen.Get(key) != nil {
		return nil
	}
	if r.Kind == accounting.Void {
		if otherKey := seenKey(r.Origin(), other); a.seen.Get(otherKey) == nil {
			// Nothing to lower; and if the record comes yet, it must not count.
			return errors.Join(a.seen.Put(key, present), a.seen.Put(otherKey, present))
		}
	}
	if err := a.count(r); err != nil {
		if errors.Is(err, errLimit) {
			return a.park(r, err)
		}
		return err
	}
	if err := a.seen.Put(key, present); err != nil {
		return err
	}
	return a.keep(r)
}

// present is the value of what is only there or not. It is not empty: bbolt
// answers nil for an empty one that was put in the same transaction.
var present = []byte{1}

var errLimit = errors.New("a counter would pass its limit")

// count adds the record to its counters: to all of them or, with an error, none.
func (a *application) count(r *accounting.Record) error {
	month, day := accounting.Month(r.Time, a.s.o.Location), accounting.Day(r.Time, a.s.o.Location)
	total, err := a.use.get(join(month, r.Client))
	if err != nil {
		return err
	}
	name := r.Recipient
	if len(name) > accounting.MaxRecipient {
		name = accounting.Other
	}
	part, err := a.rcpt.get(join(month, r.Client, name))
	if err != nil {
		return err
	}
	if !part.known && name != accounting.Other && total.values[recipientCount] >= int64(a.s.o.Recipients) {
		if part, err = a.rcpt.get(join(month, r.Client, accounting.Other)); err != nil {
			return err
		}
		name = accounting.Other
	}
	daily, err := a.days.get(join(day, r.Client))
	if err != nil {
		return err
	}
	for _, t := range []*counts{total, part, daily} {
		if !t.room(r) {
			return fmt.Errorf("usage record %q: %w", r.ID, errLimit)
		}
	}
	if !part.known && name != accounting.Other {
		total.values[recipientCount]++
	}
	for _, t := range []*counts{total, part, daily} {
		t.add(r)
	}
	return nil
}

// keep stores the record itself.
func (a *application) keep(r *accounting.Record) error {
	n, err := a.records.NextSequence()
	if err != nil {
		return err
	}
	key := binary.BigEndian.AppendUint64(join(r.Client, accounting.Month(r.Time, a.s.o.Location), ""), n)
	return a.records.Put(key, r.AppendJSON(nil))
}

// parkedRecord is a value of the bucket parked.
type parkedRecord struct {
	Reason string            `json:"reason"`
	Record accounting.Record `json:"record"`
}

func (a *application) park(r *accounting.Record, reason error) error {
	key := sha256.Sum256([]byte(r.ID))
	if a.parked.Get(key[:]) != nil {
		return nil
	}
	a.s.o.Log.Error("a usage record cannot be applied and is parked", "error", reason)
	value, err := json.Marshal(parkedRecord{reason.Error(), *r})
	if err != nil {
		return fmt.Errorf("parking %q: %w", r.ID, err)
	}
	return a.parked.Put(key[:], value)
}

// finish writes the counters, and forgets what is old: as much as came, and
// some more, so that no batch pays for a whole day.
func (a *application) finish(came int) error {
	for _, t := range []*totals{a.use, a.rcpt, a.days} {
		if err := t.write(); err != nil {
			return err
		}
	}
	// A day more than Fit asks for: what it lets pass is remembered.
	oldest := binary.BigEndian.AppendUint64(nil, uint64(a.now.AddDate(0, 0, -a.s.o.SeenDays-1).UnixMilli()))
	if err := prune(a.seen, oldest, 2*came+100); err != nil {
		return err
	}
	day := accounting.Day(a.now.AddDate(0, 0, -a.s.o.DayDays), a.s.o.Location)
	return prune(a.days.bucket, []byte(day), came+100)
}

// prune deletes up to n keys before one.
func prune(b *bolt.Bucket, before []byte, n int) error {
	c := b.Cursor()
	for k, _ := c.First(); k != nil && n > 0 && bytes.Compare(k, before) < 0; k, _ = c.First() {
		if err := c.Delete(); err != nil {
			return err
		}
		n--
	}
	return nil
}

// seenKey is where a record is remembered: by time first, so that records of
// one hour share pages and old ones lie together.
func seenKey(origin time.Time, mark string) []byte {
	sum := sha256.Sum256([]byte(mark))
	return append(binary.BigEndian.AppendUint64(nil, uint64(origin.UnixMilli())), sum[:12]...)
}

// join makes a key of parts without zero bytes, but for the last.
func join(parts ...string) []byte {
	n := len(parts)
	for _, p := range parts {
		n += len(p)
	}
	key := make([]byte, 0, n)
	for i, p := range parts {
		if i > 0 {
			key = append(key, 0)
		}
		key = append(key, p...)
	}
	return key
}
