package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

//go:embed apply.lua
var applyScript string

// Answers of the script.
const (
	known int64 = iota
	applied
	remembered
	beyondLimit
	otherPlans
	notFound
	periodClosed
	otherMoney
)

// Put applies the batch, each record in one call of the script.
func (s *Store) Put(ctx context.Context, batch []accounting.Record) error {
	se, err := s.dial(ctx)
	if err != nil {
		return err
	}
	_, err = se.put(ctx, batch)
	return errors.Join(err, se.Close())
}

// maxRounds bounds how often the server is asked about a record whose account
// has changed since it was last read.
const maxRounds = 20

// apply applies records; it returns those that do not fit, or that a counter
// has no room for.
func (se *session) apply(ctx context.Context, batch []accounting.Record, written map[*part]bool) ([]parked, error) {
	s, now := se.s, se.s.o.Now()
	var unfit []parked
	var list []*work
	park := func(r *accounting.Record, err error) { unfit = append(unfit, parked{err.Error(), *r}) }
	prepare := func(w *work) error {
		err := se.prepare(ctx, w, now)
		switch {
		case err == nil:
			list = append(list, w)
		case errors.Is(err, price.ErrTerms), errors.Is(err, price.ErrOverflow), errors.Is(err, errAway), errors.Is(err, accounting.ErrUnreadable), errors.Is(err, accounting.ErrCurrency):
			park(w.r, err)
		default:
			return err
		}
		return nil
	}
	for i := range batch {
		r := &batch[i]
		if err := se.fits(r, now); err != nil {
			park(r, err)
			continue
		}
		if err := prepare(&work{r: r}); err != nil {
			return nil, err
		}
	}
	clients := map[string]bool{}
	var told []accounting.Standing
	for range maxRounds {
		for _, w := range list {
			if err := se.addApply(w, now, clients); err != nil {
				return nil, err
			}
		}
		var again []*work
		err := se.send(ctx, written, func(c call, v any) error {
			if c.work == nil {
				return nil
			}
			done, err := s.answer(c.work, v)
			switch {
			case errors.Is(err, errLimit), errors.Is(err, accounting.ErrUnreadable), errors.Is(err, accounting.ErrCurrency):
				park(c.work.r, err)
			case err != nil:
				return err
			case !done:
				again = append(again, c.work)
			case c.work.standing != nil:
				told = append(told, *c.work.standing)
			}
			return nil
		})
		s.tell(told)
		told = told[:0]
		if err != nil || len(again) == 0 {
			return unfit, err
		}
		if err := se.find(ctx, again); err != nil {
			return nil, err
		}
		list = list[:0]
		for _, w := range again {
			if err := prepare(w); err != nil {
				return nil, err
			}
		}
	}
	return nil, fmt.Errorf("redis store: the account of %q changes all the time", list[0].r.Client)
}

// addApply adds the call that applies a record and, for the first of a client
// or a tariff, the one that lists the client, or keeps the terms.
func (se *session) addApply(w *work, now time.Time, clients map[string]bool) error {
	s := se.s
	if !clients[w.r.Client] {
		clients[w.r.Client] = true
		if err := se.add(s.clientsKey(), call{Call: Call{"SADD", s.clientsKey(), w.r.Client}}); err != nil {
			return err
		}
	}
	if t := w.posting.Tariff; t != nil && !se.terms[t.Version()] {
		se.terms[t.Version()] = true
		if err := se.add(s.tariffsKey(), call{Call: Call{"HSETNX", s.tariffsKey(), t.Version(), t.Canonical()}}); err != nil {
			return err
		}
	}
	keys, args := s.arguments(w, now)
	c := append(make(Call, 0, 3+len(keys)+len(args)), "EVALSHA", s.scripts.apply.sha, len(keys))
	for _, k := range keys {
		c = append(c, k)
	}
	return se.add(keys[0], call{append(c, args...), w.r, w})
}

// seconds to live: at least longer than a spool retains what it may bring again.
func seconds(d time.Duration) int64 { return int64(max(d, 8*24*time.Hour) / time.Second) }

// parseFields makes the record of a stream's entry.
func parseFields(entry redis.XMessage) (accounting.Record, error) {
	r, err := accounting.ParseFields(func(name string) (string, bool) {
		v, ok := entry.Values[name].(string)
		return v, ok
	})
	if err != nil {
		return accounting.Record{}, fmt.Errorf("%w: stream entry %s: %w", ErrReply, entry.ID, err)
	}
	return r, nil
}
