package embedded

import (
	"bytes"
	"context"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/recordfile"
)

// Put applies the batch in one transaction.
func (s *Store) Put(ctx context.Context, batch []accounting.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var told []accounting.Standing
	err := s.alone(ctx, func(a *application) (err error) {
		told, err = a.batch(batch)
		return err
	})
	if err == nil {
		s.tell(told)
	}
	return err
}

// tell tells of clients' standing.
func (s *Store) tell(told []accounting.Standing) {
	if s.o.Standing != nil && len(told) > 0 {
		s.o.Standing(told)
	}
}

// batch applies records, and returns how the accounts stand that they changed.
func (a *application) batch(batch []accounting.Record) ([]accounting.Standing, error) {
	for i := range batch {
		if err := a.apply(&batch[i]); err != nil {
			return nil, err
		}
	}
	a.came += len(batch)
	return a.standings()
}

func (s *Store) application(ctx context.Context, tx *bolt.Tx) *application {
	return &application{
		ctx: ctx, s: s, tx: tx, now: s.o.Now(), seen: newMemory(tx), records: tx.Bucket([]byte(records)), meta: tx.Bucket([]byte(meta)),
		learned: map[*price.Tariff]bool{}, parked: tx.Bucket([]byte(parked)), periods: tx.Bucket([]byte(periods)), tariffs: tx.Bucket([]byte(tariffs)), kept: s.kept.in(tx),
	}
}

// application is batches on their way into the store: what they change is kept in
// memory until they are written together.
type application struct {
	*kept
	ctx              context.Context
	s                *Store
	now              time.Time
	anyAge           bool // somebody decided that age is no matter
	came             int  // records so far
	seen             *memory
	records          *bolt.Bucket // of layout 1
	meta, parked     *bolt.Bucket
	periods, tariffs *bolt.Bucket
	learned          map[*price.Tariff]bool
	touched          map[string]touched
	told             []accounting.Standing // of a decision
	tx               *bolt.Tx
	taken            map[string]takenCounts
	scratch          []byte // of key
}

// key is join, until it is called again.
func (a *application) key(parts ...string) []byte {
	a.scratch = appendKey(a.scratch[:0], parts...)
	return a.scratch
}

// touch notes that a client's account changed.
func (a *application) touch(client string, p price.Posting) {
	if a.touched == nil {
		a.touched = map[string]touched{}
	}
	a.touched[client] = touched{p.Period, p.Zone(a.s.desk), p.Day}
}

// touched is where a client's standing is read when the batch is done.
type touched struct{ period, zone, day string }

// apply applies one record, unless it was applied before.
func (a *application) apply(r *accounting.Record) error {
	fault := r.Check()
	if !a.anyAge {
		fault = accounting.Fit(r, a.now, a.s.o.SeenDays)
	}
	if fault != nil {
		return a.park(r, fault)
	}
	own, other := r.Marks()
	key := seenKey(r.Origin(), own)
	if a.seen.get(key) != nil {
		return nil
	}
	account, err := a.accounts.get(r.Client)
	if err != nil {
		return err
	}
	place := a.counterpart(r, other)
	if (place != nil) == (r.Kind == accounting.Usage) {
		// A void without its record, or a record that was voided before.
		return a.remember(r, &key, account)
	}
	var b bill
	stored := *r
	if r.Kind == accounting.Void {
		b, err = a.voided(r, &stored, place, account)
	} else {
		b, err = a.usage(r, &stored, account)
	}
	if err == nil {
		err = a.count(&stored, &b, account)
	}
	switch {
	case err == nil:
	case errors.Is(err, errLimit), errors.Is(err, accounting.ErrCurrency), errors.Is(err, price.ErrTerms), errors.Is(err, price.ErrOverflow), errors.Is(err, errAway), errors.Is(err, errLost), errors.Is(err, recordfile.ErrTooLarge):
		return a.park(r, err)
	default:
		return err
	}
	if !b.plans.Same(account.plans) {
		account.plans, account.changed = b.plans, true
	}
	if err := a.learn(b.Tariff); err != nil {
		return err
	}
	a.took(r.Gateway, takenCounts{1, 0})
	return a.keep(&stored, b.Period, &key)
}

// counterpart is where the void of a record stands, or the record that a void is of.
func (a *application) counterpart(r *accounting.Record, other string) []byte {
	if r.Kind == accounting.Usage {
		return a.seen.voided(r.Origin(), other)
	}
	return a.seen.get(seenKey(r.Origin(), other))
}

// remember keeps a record that has no effect: neither it nor the one that it
// is about counts.
func (a *application) remember(r *accounting.Record, key *mark, account *account) error {
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
	if _, _, err := a.move(&p, r.Client); err != nil {
		return err
	}
	a.took(r.Gateway, takenCounts{1, 0})
	return a.keep(&stored, p.Period, key)
}

// standings are how the accounts stand that were touched since they were asked
// for last.
func (a *application) standings() ([]accounting.Standing, error) {
	var told []accounting.Standing
	for client, at := range a.touched {
		account, err := a.accounts.get(client)
		if err != nil {
			return nil, err
		}
		total, err := a.use.get(a.key(at.period, client))
		if err != nil {
			return nil, err
		}
		daily, err := a.days.get(a.key(at.day, client))
		if err != nil {
			return nil, err
		}
		told = append(told, accounting.Standing{
			Client: client, Balance: account.Balance, Period: at.period, Zone: at.zone, Used: total.values[charged], Day: at.day, UsedDay: daily.values[charged],
			Change: a.s.change(),
		})
	}
	clear(a.touched)
	return told, nil
}

// change numbers what was applied so far. After something was given up the
// positions of records begin again further down.
func (s *Store) change() [2]uint64 { return [2]uint64{s.given, uint64(s.file.End())} }

// finish writes what is in memory, and forgets what is old: as much as came, and
// some more, so that no transaction pays for a whole day.
func (a *application) finish() error {
	for _, t := range a.totals() {
		if err := t.write(); err != nil {
			return err
		}
	}
	if err := errors.Join(a.accounts.write(), a.writeTaken(), a.seen.write()); err != nil {
		return err
	}
	// A day more than Fit asks for: what it lets pass is remembered.
	oldest := octets(a.now.AddDate(0, 0, -a.s.o.SeenDays-1).UnixMilli())
	if err := prune(a.seen.bucket, oldest, 2*a.came+100); err != nil {
		return err
	}
	day := accounting.Day(a.now.AddDate(0, 0, -a.s.o.DayDays), a.s.o.Location)
	return prune(a.days.bucket, []byte(day), a.came+100)
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

// join makes a key of parts without zero bytes, but for the last.
func join(parts ...string) []byte { return appendKey(nil, parts...) }

func appendKey(key []byte, parts ...string) []byte {
	for i, p := range parts {
		if i > 0 {
			key = append(key, 0)
		}
		key = append(key, p...)
	}
	return key
}
