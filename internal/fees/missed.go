package fees

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// missed are the fees of the periods that began and ended while nobody ran. They
// are owed by who owed that of the last period before, at what that was: nobody
// knows when, meanwhile, a policy was changed.
func (c *Charger) missed(ctx context.Context, client *accounting.Client, t *price.Tariff, plans price.Plans, through, now time.Time) ([]accounting.Record, error) {
	if through.IsZero() || now.Sub(through) < shortest {
		return nil, nil
	}
	fee, was, err := c.lastFee(ctx, client.ID, c.under(plans, through, t), through)
	if err != nil || fee == nil {
		return nil, err
	}
	_, from, err := was.Span(fee.Period)
	if err != nil {
		return nil, err
	}
	last := c.under(plans, now, t)
	if last == nil {
		last = was
	}
	to, _, err := last.Span(last.PeriodOf(now))
	if err != nil || !from.Before(to) {
		return nil, err
	}
	if now.Sub(through) > MostMissed {
		c.Log.Error("nobody ran for so long that the fees of meanwhile are not booked: book them as adjustments", "client", client.ID, "since", through)
		return nil, nil
	}
	var list []accounting.Record
	for at := from; at.Before(to); {
		holds := c.under(plans, at, was)
		cut := holds
		if cut == nil {
			cut = was
		}
		period := cut.PeriodOf(at)
		_, end, err := cut.Span(period)
		if err != nil {
			return nil, err
		}
		if end.After(to) {
			break // a part of it is in the period under way, of another kind
		}
		r, ok := c.of(client, holds, at)
		if holds != nil && holds.Plan().Is(was.Plan()) {
			r, ok = *fee, client.ValidIn(at, end)
			r.ID, r.Period, r.Effect = id(client.ID, period), period, ""
			r.Time, r.Gateway = c.Now().UTC().Truncate(time.Millisecond), c.Gateway()
		}
		if ok {
			list = append(list, r)
		}
		at = end
	}
	return list, nil
}

// lastFee finds the fee that a client owed at a time, and under which tariff: the
// one that is known to have held or, where that has no fee then, whichever the
// store has a fee of. Nil for none.
func (c *Charger) lastFee(ctx context.Context, client string, held *price.Tariff, at time.Time) (*accounting.Record, *price.Tariff, error) {
	tried := map[string]bool{}
	for _, t := range append([]*price.Tariff{held}, c.Book.All()...) {
		if t == nil || tried[t.PeriodOf(at)] {
			continue
		}
		period := t.PeriodOf(at)
		tried[period] = true
		fee, err := c.booked(ctx, client, period)
		if err != nil {
			return nil, nil, err
		}
		if fee == nil {
			continue
		}
		if fee.Period = period; held == nil || held.Name != fee.Tariff || held.PeriodOf(at) != period {
			if is := c.Book.Find(fee.TariffVersion); is != nil {
				t = is
			}
		}
		return fee, t, nil
	}
	return nil, nil, nil
}

// errFound ends a search.
var errFound = errors.New("found")

// booked is the fee of a client's period; nil when there is none.
func (c *Charger) booked(ctx context.Context, client, period string) (*accounting.Record, error) {
	var fee *accounting.Record
	err := c.Ledger.RecordsOf(ctx, client, period, func(r accounting.Record) error {
		if r.ID != id(client, period) {
			return nil
		}
		fee = &r
		return errFound
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return fee, err
}

// goesOn tells whether the fee of a tariff that holds, and is not the one of the
// policy, is owed for the period under way. An earlier release did not tell the store
// of a tariff that was taken away from a client without mail: there it seems to hold
// still. But then nobody booked its fee for the period before, nor is it among those
// that were missed.
func (c *Charger) goesOn(ctx context.Context, client *accounting.Client, missed []accounting.Record, plans price.Plans, holds, policy *price.Tariff, now time.Time) (bool, error) {
	if holds == policy || len(plans) == 0 {
		return true, nil
	}
	from, _, err := holds.Span(holds.PeriodOf(now))
	if err != nil {
		return false, err
	}
	before := holds.PeriodOf(from.Add(-time.Second))
	if slices.ContainsFunc(missed, func(r accounting.Record) bool { return r.Period == before }) {
		return true, nil
	}
	begin, end, err := holds.Span(before)
	if err != nil {
		return false, err
	}
	was := plans.At(begin)
	if !was.Is(holds.Plan()) || max(was.From, was.Noticed) > begin.UnixMilli() || !client.ValidIn(begin, end) {
		return true, nil // it was not under it for all of that one
	}
	counter, err := c.Ledger.CounterOf(ctx, client.ID, before)
	if err != nil || counter.Fee != 0 {
		return err == nil, err
	}
	c.Log.Warn("the fee of a tariff that a client has no more is not booked: that of the period before was not, either",
		"client", client.ID, "tariff", holds.Name, "period", holds.PeriodOf(now))
	return false, nil
}
