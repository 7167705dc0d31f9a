package redis

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

//go:embed entry.lua
var entryScript string

// Answers of the entry's script that the one of records does not have.
const (
	otherContent int64 = iota + 7
	reversed
	otherCurrency
	stalePlans
)

// reversesField is where it stands in a client's entries by which id one of them
// was reversed. No id begins like it.
const reversesField = "\x00reverses\x00"

// booking is an entry on its way into the store.
type booking struct {
	r       accounting.Record
	text    string // the client's plans, as they were read
	plans   price.Plans
	counter string // of the period; it grows by amount, the balance by delta
	amount  int64
	delta   int64
}

// Enter books a payment, an adjustment or a fee, once for its ID. Where replicas are
// asked for it is booked when so many have it, also when it is asked for again.
func (s *Store) Enter(ctx context.Context, r accounting.Record) (bool, error) {
	if err := r.Check(); err != nil {
		return false, err
	}
	const tries = 20 // another gateway may change the client's tariffs meanwhile
	for range tries {
		n, err := s.book(ctx, r)
		if err != nil || n != stalePlans {
			return n == applied, err
		}
	}
	return false, fmt.Errorf("redis store: the tariffs of %q change all the time", r.Client)
}

// book books it under the plans that it reads; stalePlans when these were others by then.
func (s *Store) book(ctx context.Context, r accounting.Record) (int64, error) {
	b := booking{r: r, counter: "adjusted"}
	var err error
	if b.amount, err = strconv.ParseInt(r.Amount, 10, 64); err != nil {
		return 0, err
	}
	if b.text, err = s.Plans(ctx, r.Client); err != nil {
		return 0, err
	}
	if b.plans, err = price.ParsePlans(b.text); err != nil {
		return 0, unreadable(s.accountKey(r.Client), err)
	}
	b.delta = b.amount
	switch r.Kind {
	case accounting.Payment:
		b.counter = "paid"
	case accounting.Fee:
		b.counter, b.delta = "fee", -b.amount
	}
	now := s.o.Now()
	b.r.Currency = cmp.Or(r.Currency, b.plans.CurrencyAt(now))
	for at, moved := r.Time, false; ; moved = true {
		p := s.desk.At(b.plans, at)
		period := p.Period
		if r.Period != "" && !moved {
			period = r.Period
		}
		if moved {
			b.r.Effect = accounting.Adjustment
		}
		n, err := periodClosed, error(nil)
		// Who was not known when a period was closed has no flag in it.
		if is, failed := s.db.HExists(ctx, s.closesKey(), period).Result(); failed != nil {
			return 0, fault(failed)
		} else if !is {
			n, err = s.enter(ctx, &b, period, p.Day, now)
		}
		switch {
		case err != nil:
			return 0, err
		case n == known, n == applied, n == stalePlans:
			return n, nil
		case n == beyondLimit:
			return 0, fmt.Errorf("redis store: %w", errLimit)
		case n == otherContent:
			return 0, fmt.Errorf("%q: %w", r.ID, accounting.ErrConflict)
		case n == reversed:
			return 0, fmt.Errorf("%q: %w", r.Reverses, accounting.ErrReversed)
		case n == otherCurrency:
			if err := b.plans.Take(b.r.Currency, now); err != nil {
				return 0, err
			}
			return 0, fmt.Errorf("%w: this is of %s, and %s has another", accounting.ErrCurrency, b.r.Currency, period)
		case n != periodClosed:
			return 0, fmt.Errorf("%w: to entry %q: %d", ErrReply, r.ID, n)
		case !moved && at.Before(now):
			at = now
		default:
			at = p.End(s.desk, at)
		}
	}
}

func (s *Store) entriesKey(client string) string { return s.o.Prefix + "{c:" + client + "}:entries" }

// enter asks the script.
func (s *Store) enter(ctx context.Context, b *booking, period, day string, now time.Time) (int64, error) {
	r := b.r
	r.Period = ""
	keys := []string{
		s.entriesKey(r.Client), s.key(r.Client, "use", period), s.accountKey(r.Client),
		s.key(r.Client, "rec", period), s.periodsKey(r.Client), s.key(r.Client, "day", day),
	}
	reverses, refused := "", ""
	if r.Reverses != "" {
		reverses = reversesField + r.Reverses
	}
	if b.plans.Take(r.Currency, now) != nil {
		refused = "1" // unless it was booked before
	}
	args := r.AppendFields([]any{
		r.ID, r.Content(), b.counter, b.amount, b.delta, period, r.Currency, s.standingChannel(), r.Client, day, reverses, b.text, refused,
	})
	if err := s.db.SAdd(ctx, s.clientsKey(), r.Client).Err(); err != nil {
		return 0, fault(err)
	}
	if s.o.Replicas > 0 {
		return s.enterKept(ctx, keys, args)
	}
	n, err := s.eval(ctx, s.scripts.enter, keys, args...).Int64()
	return n, ofClient(s.accountKey(r.Client), err)
}

// enterKept asks the script, and waits for replicas over the connection that asked. What
// was booked before is waited for, too: it may be that it was not waited for then.
func (s *Store) enterKept(ctx context.Context, keys []string, args []any) (n int64, err error) {
	se, err := s.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, se.Close()) }()
	p, err := se.owner(keys[0])
	if err != nil {
		return 0, err
	}
	c := Call{"EVAL", s.scripts.enter.text, len(keys)}
	for _, k := range keys {
		c = append(c, k)
	}
	replies, err := p.Link.Send(ctx, []Call{append(c, args...)})
	if err != nil {
		return 0, fault(err)
	}
	if err := replies[0].Err; isDenied(err) {
		return 0, fault(named(err, func(pairs []any) (any, error) {
			return p.ask(ctx, append(Call{"EVAL", lackScript, 0}, pairs...))
		}, s.scripts.enter, keys))
	} else if err != nil {
		return 0, ofClient(keys[2], err)
	}
	n, ok := replies[0].Value.(int64)
	if !ok {
		return 0, fmt.Errorf("%w: to an entry: %v", ErrReply, replies[0].Value)
	}
	if n == known || n == applied {
		if err := se.replicated(ctx, p); err != nil {
			return 0, fmt.Errorf("%w: %w", accounting.ErrAtRisk, err)
		}
	}
	return n, nil
}
