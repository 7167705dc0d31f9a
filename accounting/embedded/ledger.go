package embedded

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Enter books a payment, an adjustment or a fee, once for its ID.
func (s *Store) Enter(ctx context.Context, r accounting.Record) (booked bool, err error) {
	if err := r.Check(); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	var told []accounting.Standing
	err = s.alone(ctx, func(a *application) error {
		key, bucket := join(r.Client, r.ID), a.tx.Bucket([]byte(entries))
		if was := bucket.Get(key); was != nil {
			if string(was) != r.Content() {
				return fmt.Errorf("%q: %w", r.ID, accounting.ErrConflict)
			}
			return nil
		}
		content := r.Content()
		if r.Reverses != "" {
			key := join(r.Client, "", "reverses", r.Reverses) // no id is empty
			if by := bucket.Get(key); by != nil && string(by) != r.ID {
				return fmt.Errorf("%q, by %q: %w", r.Reverses, by, accounting.ErrReversed)
			}
			if err := bucket.Put(key, []byte(r.ID)); err != nil {
				return err
			}
		}
		if err := a.enter(&r); err != nil {
			return err
		}
		if err := bucket.Put(key, []byte(content)); err != nil {
			return err
		}
		booked = true
		told, err = a.standings()
		return err
	})
	if err != nil {
		return false, err
	}
	s.tell(told)
	return booked, nil
}

// enter books an entry.
func (a *application) enter(r *accounting.Record) error {
	amount, err := strconv.ParseInt(r.Amount, 10, 64)
	if err != nil {
		return err
	}
	account, err := a.accounts.get(r.Client)
	if err != nil {
		return err
	}
	p := a.s.desk.At(account.plans, r.Time)
	if r.Period != "" {
		p.Period = r.Period
	}
	total, moved, err := a.move(&p, r.Client)
	if err != nil {
		return err
	}
	if moved {
		r.Effect = accounting.Adjustment
	}
	r.Currency = cmp.Or(r.Currency, account.plans.CurrencyAt(a.now))
	if err := a.money(r.Client, r.Currency, p.Period, account.plans); err != nil {
		return err
	}
	counter, delta := adjusted, amount
	switch r.Kind {
	case accounting.Payment:
		counter = paid
	case accounting.Fee:
		counter, delta = fee, -amount
	}
	if !within(total.values[counter], amount) || !within(account.Balance, delta) {
		return errLimit
	}
	total.values[counter] += amount
	total.change()
	account.Balance, account.changed = account.Balance+delta, true
	if a.s.o.Standing != nil {
		a.touch(r.Client, p)
	}
	return a.keep(r, p.Period, nil)
}

// Account reads a client's balance and tariff.
func (s *Store) Account(ctx context.Context, client string) (accounting.Account, error) {
	list, err := s.Accounts(ctx, []string{client})
	if err != nil {
		return accounting.Account{Client: client}, err
	}
	return list[0], nil
}

// Accounts reads those of many, in one transaction.
func (s *Store) Accounts(ctx context.Context, clients []string) ([]accounting.Account, error) {
	list := make([]accounting.Account, len(clients))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err := s.view(func(tx *bolt.Tx) error {
		bucket, now := tx.Bucket([]byte(accountsName)), s.o.Now()
		for i, client := range clients {
			list[i] = accounting.Account{Client: client}
			a, err := decodeAccount(client, bucket.Get([]byte(client)))
			if err != nil {
				list[i].Err = fmt.Errorf("%w: %w", accounting.ErrUnreadable, err)
				continue
			}
			list[i].Balance = a.Balance
			a.plans.Into(&list[i], now)
		}
		return nil
	})
	return list, err
}

// Plans are the tariffs of a client.
func (s *Store) Plans(ctx context.Context, client string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	text := ""
	err := s.view(func(tx *bolt.Tx) error {
		a, err := decodeAccount(client, tx.Bucket([]byte(accountsName)).Get([]byte(client)))
		if err == nil {
			text = a.Plans
		}
		return err
	})
	return text, err
}

// SetPlans replaces them.
func (s *Store) SetPlans(ctx context.Context, client, was, plans string) (done bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	list, err := price.ParsePlans(plans)
	if err != nil {
		return false, err
	}
	err = s.update(func(tx *bolt.Tx) error {
		accounts := newAccounts(tx)
		a, err := accounts.get(client)
		if err != nil || a.Plans != was {
			return err
		}
		a.plans, a.changed, done = list, true, true
		return accounts.write()
	})
	if !done || err != nil {
		return false, err
	}
	now := s.o.Now()
	period := cmp.Or(list.PeriodAt(now), accounting.Month(now, s.o.Location))
	told, err := s.Standings(ctx, []accounting.Standing{{Client: client, Period: period, Day: accounting.Day(now, s.o.Location)}})
	if err == nil && told[0].Err == nil {
		s.tell(told)
	}
	return true, err
}

// Standings reads how accounts stand.
func (s *Store) Standings(ctx context.Context, list []accounting.Standing) ([]accounting.Standing, error) {
	out, now := slices.Clone(list), s.o.Now()
	change, err := s.settle()
	if err != nil {
		return nil, err
	}
	err = s.db.View(func(tx *bolt.Tx) error {
		values := make([]int64, useWidth)
		read := func(bucket string, width int, key []byte) (int64, error) {
			raw := tx.Bucket([]byte(bucket)).Get(key)
			if raw == nil {
				return 0, nil
			}
			err := decodeTotals(raw, values[:width])
			return values[charged], err
		}
		for i := range out {
			if err := ctx.Err(); err != nil {
				return err
			}
			st := &out[i]
			st.Change = change
			a, err := decodeAccount(st.Client, tx.Bucket([]byte(accountsName)).Get([]byte(st.Client)))
			if err == nil {
				st.Balance = a.Balance
				if st.Period != "" {
					st.Period, st.Zone = cmp.Or(a.plans.PeriodAt(now), st.Period), a.plans.ZoneAt(now)
				}
				st.Used, err = read(use, int(useWidth), join(st.Period, st.Client))
			}
			if err == nil {
				st.UsedDay, err = read(days, 3, join(st.Day, st.Client))
			}
			if st.Err = err; err != nil {
				s.o.Log.Error("how a client's account stands cannot be read", "client", st.Client, "error", err)
			}
		}
		return nil
	})
	return out, err
}

// Follow has nothing to tell: nobody else has the file open.
func (s *Store) Follow(ctx context.Context, fresh func(), _ func([]accounting.Standing)) error {
	fresh()
	<-ctx.Done()
	return ctx.Err()
}

var _ accounting.Ledger = (*Store)(nil)
