package embedded

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// bill is what a record does to which counters of its client's period.
type bill struct {
	price.Posting
	price.Settled
	total *counts
	plans price.Plans // of its client, as they are then
}

// usage prices a record.
func (a *application) usage(r, stored *accounting.Record, account *account) (bill, error) {
	fail := func(err error) (bill, error) { return bill{}, err }
	p, plans, err := a.s.desk.Post(r, account.plans, a.now)
	if err != nil {
		return fail(err)
	}
	total, moved, err := a.move(&p, r.Client)
	if err != nil {
		return fail(err)
	}
	if moved {
		stored.Effect = accounting.Adjustment
	}
	if p.Tariff != nil {
		if err := a.money(r.Client, p.Tariff.Currency, p.Period, plans); err != nil {
			return fail(fmt.Errorf("usage record %q: %w", r.ID, err))
		}
	}
	s := p.Settle(total.values[included], total.values[includedDeliveries])
	s.Into(stored, p.Tariff)
	return bill{p, s, total, plans}, nil
}

var (
	// errAway: what a voided record added is not here any more.
	errAway = errors.New("the record that it voids is in an archive")

	// errLost: it should be here.
	errLost = errors.New("the record that it voids cannot be read")
)

// voided finds what a record added, to take it back.
func (a *application) voided(r, stored *accounting.Record, place []byte, account *account) (bill, error) {
	was, err := a.find(r, place)
	if err != nil {
		return bill{}, err
	}
	s, err := price.SettledOf(was)
	if err != nil {
		return bill{}, err
	}
	stored.Tariff, stored.TariffVersion, stored.Currency = was.Tariff, was.TariffVersion, was.Currency
	stored.Priced, stored.Included, stored.IncludedDelivery, stored.Amount = was.Priced, was.Included, was.IncludedDelivery, was.Amount
	stored.Size, stored.Charged, stored.Recipient = was.Size, was.Charged, was.Recipient
	p := a.s.desk.Where(was, a.s.o.Book.Find(was.TariffVersion))
	total, moved, err := a.move(&p, r.Client)
	if err != nil {
		return bill{}, err
	}
	if err := a.money(r.Client, was.Currency, p.Period, account.plans); err != nil {
		return bill{}, fmt.Errorf("void record %q: %w", r.ID, err)
	}
	if moved || was.Effect == accounting.Adjustment {
		stored.Effect = accounting.Adjustment
	}
	return bill{p, s.Neg(), total, account.plans}, nil
}

// money asks whether money of a currency may count in a client's period, and change its
// balance.
func (a *application) money(client, currency, period string, plans price.Plans) error {
	if err := plans.Take(currency, a.now); err != nil || currency == "" {
		return err
	}
	key := a.key(client, period)
	// What was noted last has been asked about.
	if strings.HasPrefix(a.noted[string(key)], currency) {
		return nil
	}
	return price.Of(currency, period, parseNote(a.periods.Get(key)).currency)
}

// maxMoves bounds how many closed periods are passed over.
const maxMoves = 100

// move makes a posting count in the first period that is open, finds the counters of
// that, and tells whether it is another.
func (a *application) move(p *price.Posting, client string) (*counts, bool, error) {
	at := a.now
	for moved := range maxMoves {
		total, err := a.use.get(a.key(p.Period, client))
		if err != nil {
			return nil, false, err
		}
		// Who was not known when a period was closed has no flag in it.
		sealed := !total.known && a.tx.Bucket([]byte(closes)).Get([]byte(p.Period)) != nil
		if total.values[closed] == 0 && !sealed {
			return total, moved > 0, nil
		}
		if moved > 0 {
			at = p.End(a.s.desk, at)
		}
		p.Move(a.s.desk, at)
	}
	return nil, false, fmt.Errorf("%w: the next %d periods are closed", ErrDamaged, maxMoves)
}

// learn keeps the terms of a tariff as long as a record may name them.
func (a *application) learn(t *price.Tariff) error {
	if t == nil || a.learned[t] {
		return nil
	}
	if a.tariffs.Get([]byte(t.Version())) == nil {
		if err := a.tariffs.Put([]byte(t.Version()), t.Canonical()); err != nil {
			return err
		}
	}
	a.learned[t] = true
	return nil
}

var errLimit = errors.New("a counter would pass its limit")

// count adds the record to its counters: to all of them or, with an error, none.
func (a *application) count(r *accounting.Record, b *bill, account *account) (err error) {
	p, s, total, month := &b.Posting, b.Settled, b.total, b.total
	if p.Month != p.Period {
		if month, err = a.use.get(a.key(p.Month, r.Client)); err != nil {
			return err
		}
	}
	name := r.Recipient
	if len(name) > accounting.MaxRecipient {
		name = accounting.Other
	}
	part, err := a.rcpt.get(a.key(p.Month, r.Client, name))
	if err != nil {
		return err
	}
	if !part.known && name != accounting.Other && month.values[recipientCount] >= int64(a.s.o.Recipients) {
		if part, err = a.rcpt.get(a.key(p.Month, r.Client, accounting.Other)); err != nil {
			return err
		}
		name = accounting.Other
	}
	daily, err := a.days.get(a.key(p.Day, r.Client))
	if err != nil {
		return err
	}
	whole, rest := price.Carry(s.Amount, total.values[frac])
	counted := []*counts{total, part, daily}
	if month != total {
		counted = append(counted, month)
	}
	for _, t := range counted {
		if !t.room(r) {
			return fmt.Errorf("usage record %q: %w", r.ID, errLimit)
		}
	}
	if !within(total.values[cost], whole) || !within(account.Balance, -whole) {
		return fmt.Errorf("usage record %q: %w", r.ID, errLimit)
	}
	if !part.known && name != accounting.Other {
		month.values[recipientCount]++
	}
	for _, t := range counted {
		t.add(r)
	}
	total.settle(s, whole)
	total.values[frac] = rest
	if whole != 0 {
		account.Balance, account.changed = account.Balance-whole, true
	}
	if a.s.o.Standing != nil {
		a.touch(r.Client, *p)
	}
	return nil
}
