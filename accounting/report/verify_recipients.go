package report

import (
	"context"
	"errors"
	"fmt"

	"github.com/tollgate-mail/tollgate/accounting"
)

// recipients compares what recipients were charged with the month, and where
// the period is the month also with the records.
func (v *Verification) recipients(ctx context.Context, b Books, client, month string) error {
	var wrong []string
	for range tries {
		list, err := b.Counters(ctx, month)
		if err != nil {
			return err
		}
		wrong = wrong[:0]
		for _, c := range list {
			if client != "" && c.Client != client {
				continue
			}
			var sum accounting.RecipientCounter
			for _, p := range c.Recipients {
				sum.Deliveries, sum.Size, sum.Charged = sum.Deliveries+p.Deliveries, sum.Size+p.Size, sum.Charged+p.Charged
			}
			if want := (accounting.RecipientCounter{Deliveries: c.Deliveries, Size: c.Size, Charged: c.Charged}); sum != want {
				wrong = append(wrong, fmt.Sprintf("%s, %s: its recipients sum to %v, the month is %v (deliveries, size, charged)", c.Client, month, sum, want))
				continue
			}
			more, err := recipientsOf(ctx, b, &c)
			if errors.Is(err, accounting.ErrUnread) {
				continue // said with the client's account
			}
			if err != nil {
				return err
			}
			wrong = append(wrong, more...)
		}
		if len(wrong) == 0 {
			return nil
		}
		// Records that are applied meanwhile show in some counters only.
	}
	for _, w := range wrong {
		v.note("%s", w)
	}
	return nil
}

// recipientsOf compares the recipients of a month with its records, where it has
// all of them.
func recipientsOf(ctx context.Context, l accounting.Ledger, c *accounting.Counter) ([]string, error) {
	sums := map[string]accounting.RecipientCounter{}
	if _, coarse := c.Recipients[accounting.Other]; coarse {
		return nil, nil
	}
	total := int64(0)
	if err := l.RecordsOf(ctx, c.Client, c.Period, func(r accounting.Record) error {
		d, size, charged := r.Delta()
		s := sums[r.Recipient]
		sums[r.Recipient] = accounting.RecipientCounter{Deliveries: s.Deliveries + d, Size: s.Size + size, Charged: s.Charged + charged}
		total += d
		return nil
	}); err != nil {
		return nil, err
	}
	if total != c.Deliveries {
		return nil, nil // the client's periods are no months
	}
	var wrong []string
	for name, s := range sums {
		if got := c.Recipients[name]; got != s {
			wrong = append(wrong, fmt.Sprintf("%s, %s: recipient %q has %v, its records say %v (deliveries, size, charged)", c.Client, c.Period, name, got, s))
		}
	}
	return wrong, nil
}
