package embedded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Put applies the batch in one transaction.
func (s *Store) Put(ctx context.Context, batch []accounting.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var told []accounting.Standing
	err := s.update(func(tx *bolt.Tx) (err error) {
		told, err = s.apply(ctx, tx, batch)
		return err
	})
	if err == nil {
		s.tell(told)
	}
	return err
}

// tell tells of clients' standing once what it says is durable.
func (s *Store) tell(told []accounting.Standing) {
	if s.o.Standing != nil && len(told) > 0 {
		s.o.Standing(told)
	}
}

func (s *Store) apply(ctx context.Context, tx *bolt.Tx, batch []accounting.Record) ([]accounting.Standing, error) {
	a := s.application(ctx, tx)
	for i := range batch {
		if err := a.apply(&batch[i]); err != nil {
			return nil, err
		}
	}
	return a.finish(len(batch))
}

func (s *Store) application(ctx context.Context, tx *bolt.Tx) *application {
	a := &application{
		ctx: ctx, s: s, tx: tx, now: s.o.Now(), seen: tx.Bucket([]byte(seen)), records: tx.Bucket([]byte(records)),
		parked: tx.Bucket([]byte(parked)), periods: tx.Bucket([]byte(periods)), tariffs: tx.Bucket([]byte(tariffs)),
		use: newTotals(tx, use, useWidth), rcpt: newTotals(tx, rcpt, 3), days: newTotals(tx, days, 3), accounts: newAccounts(tx),
	}
	// The keys of a client, and those of the day, only grow.
	a.records.FillPercent, a.seen.FillPercent = 0.9, 0.9
	return a
}

// application is one batch on its way into the store.
type application struct {
	ctx                   context.Context
	s                     *Store
	now                   time.Time
	anyAge                bool // somebody decided that age is no matter
	seen, records, parked *bolt.Bucket
	periods, tariffs      *bolt.Bucket
	use, rcpt, days       *totals
	accounts              *accounts
	touched               map[string]touched
	told                  []accounting.Standing // of a decision
	tx                    *bolt.Tx
	taken                 map[string]takenCounts
}

// touched is where a client's standing is read when the batch is done.
type touched struct{ period, day string }

// apply applies one record, unless it was applied before.
func (a *application) apply(r *accounting.Record) error {
	if err := a.ctx.Err(); err != nil {
		return err
	}
	fault := r.Check()
	if !a.anyAge {
		fault = accounting.Fit(r, a.now, a.s.o.SeenDays)
	}
	if fault != nil {
		return a.park(r, fault)
	}
	own, other := r.Marks()
	key := seenKey(r.Origin(), own)
	if a.seen.Get(key) != nil {
		return nil
	}
	account, err := a.accounts.get(r.Client)
	if err != nil {
		return err
	}
	otherThere := a.seen.Get(seenKey(r.Origin(), other)) != nil
	if otherThere == (r.Kind == accounting.Usage) {
		// A void without its record, or a record that was voided before.
		return a.remember(r, key, account)
	}
	var p price.Posting
	var s price.Settled
	stored, plans := *r, account.plans
	if r.Kind == accounting.Void {
		p, s, err = a.voided(r, &stored, seenKey(r.Origin(), other))
	} else {
		p, s, plans, err = a.usage(r, &stored, account)
	}
	if err == nil {
		err = a.count(&stored, &p, s, account)
	}
	switch {
	case err == nil:
	case errors.Is(err, errLimit), errors.Is(err, price.ErrTerms), errors.Is(err, price.ErrOverflow), errors.Is(err, errAway):
		return a.park(r, err)
	default:
		return err
	}
	if !slices.Equal(plans, account.plans) {
		account.plans, account.changed = plans, true
	}
	if err := a.learn(p.Tariff); err != nil {
		return err
	}
	a.took(r.Gateway, takenCounts{1, 0})
	return a.keep(&stored, p.Period, key)
}

// remember keeps a record that has no effect: neither it nor the one that it
// is about counts.
func (a *application) remember(r *accounting.Record, key []byte, account *account) error {
	stored := *r
	stored.Effect = accounting.NoEffect
	at := *r
	at.Time = r.Origin()
	p, _, err := a.s.desk.Post(&at, account.plans, a.now)
	if err != nil {
		at.Tariff, at.TariffVersion = "", ""
		if p, _, err = a.s.desk.Post(&at, nil, a.now); err != nil {
			return a.park(r, err)
		}
	}
	// What was sealed gets no line more.
	if _, err := a.move(&p, r.Client); err != nil {
		return err
	}
	a.took(r.Gateway, takenCounts{1, 0})
	return a.keep(&stored, p.Period, key)
}

// finish writes the counters, and forgets what is old: as much as came, and
// some more, so that no batch pays for a whole day.
func (a *application) finish(came int) ([]accounting.Standing, error) {
	var told []accounting.Standing
	for client, at := range a.touched {
		account, err := a.accounts.get(client)
		if err != nil {
			return nil, err
		}
		total, err := a.use.get(join(at.period, client))
		if err != nil {
			return nil, err
		}
		daily, err := a.days.get(join(at.day, client))
		if err != nil {
			return nil, err
		}
		told = append(told, accounting.Standing{
			Client: client, Balance: account.Balance, Period: at.period, Used: total.values[charged], Day: at.day, UsedDay: daily.values[charged],
			Change: a.sequence(),
		})
	}
	for _, t := range []*totals{a.use, a.rcpt, a.days} {
		if err := t.write(); err != nil {
			return nil, err
		}
	}
	if err := a.accounts.write(); err != nil {
		return nil, err
	}
	if err := a.writeTaken(a.tx); err != nil {
		return nil, err
	}
	// A day more than Fit asks for: what it lets pass is remembered.
	oldest := binary.BigEndian.AppendUint64(nil, uint64(a.now.AddDate(0, 0, -a.s.o.SeenDays-1).UnixMilli()))
	if err := prune(a.seen, oldest, 2*came+100); err != nil {
		return nil, err
	}
	day := accounting.Day(a.now.AddDate(0, 0, -a.s.o.DayDays), a.s.o.Location)
	return told, prune(a.days.bucket, []byte(day), came+100)
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
