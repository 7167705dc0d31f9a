package fees

import (
	"context"
	"errors"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// missed are the fees of the periods that began and ended while nobody ran. They
// are owed by who owed that of the last period before, at what that was: nobody
// knows when, meanwhile, a policy was changed.
func (c *Charger) missed(ctx context.Context, client *accounting.Client, t *price.Tariff, plans price.Plans, through, now time.Time) ([]accounting.Record, error) {
	was := c.under(plans, through, t)
	if through.IsZero() || !through.Before(now) || was == nil {
		return nil, nil
	}
	_, from, err := was.Span(was.PeriodOf(through))
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
	fee, err := c.booked(ctx, client.ID, was.PeriodOf(through))
	if err != nil || fee == nil {
		return nil, err
	}
	var list []accounting.Record
	for at := from; at.Before(to); {
		t := c.under(plans, at, was)
		if t == nil {
			t = was
		}
		period := t.PeriodOf(at)
		_, end, err := t.Span(period)
		if err != nil {
			return nil, err
		}
		r, ok := c.of(client, t, at)
		if t.Name == fee.Tariff || len(plans) == 0 {
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
