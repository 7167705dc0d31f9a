package report

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Books are a store and what it has besides records of mail.
type Books interface {
	accounting.Store
	accounting.Ledger
}

// Verification is what a recomputation found.
type Verification struct {
	Clients  int      `json:"clients"`
	Periods  int      `json:"periods"` // of all clients together
	Records  int64    `json:"records"`
	Seals    int      `json:"seals"`    // of closed periods, compared by who asks
	Problems []string `json:"problems"` // what does not agree; empty when all does
}

// mostProblems bounds what is told of a store that is wrong all over.
const mostProblems = 1000

func (v *Verification) note(format string, args ...any) {
	if len(v.Problems) < mostProblems {
		v.Problems = append(v.Problems, fmt.Sprintf(format, args...))
	}
}

// Verify recomputes from their records the accounts of a client, or with "" of
// all, in each period that has a part of [from, to), whole: its counters, what
// each recipient was charged, the shares of each message, and the balance over
// all periods.
func Verify(ctx context.Context, b Books, client string, from, to time.Time) (*Verification, error) {
	v := &Verification{Problems: []string{}}
	clients := []string{client}
	if client == "" {
		var err error
		if clients, err = b.Clients(ctx); err != nil {
			return nil, err
		}
	}
	months := map[string]bool{}
	compared := map[[2]string]bool{} // client, month
	shares := shares{}
	for _, c := range clients {
		periods, err := b.Periods(ctx, c)
		if err != nil {
			return nil, err
		}
		v.Clients++
		for _, p := range periods {
			if !accounting.Touches(p, from, to) {
				continue
			}
			v.Periods++
			compared[[2]string{c, p}] = true
			for _, m := range accounting.MonthsOf(p) {
				months[m] = true
			}
			a := recount{client: c, period: p, periods: periods, from: from, to: to}
			if err := v.still(ctx, b, &a); errors.Is(err, accounting.ErrUnread) {
				v.note("%s", err) // and no sum of it can be compared
				continue
			} else if err != nil {
				return nil, err
			}
			shares.add(a.shares)
		}
		if err := v.balance(ctx, b, c, periods); err != nil {
			return nil, err
		}
	}
	// The month is counted always, also of a client whose periods are days or weeks.
	for _, m := range accounting.Months(from.Add(-accounting.FarthestZone), to.Add(accounting.FarthestZone), time.UTC) {
		months[m] = true
	}
	for m := range months {
		if err := v.recipients(ctx, b, client, m); err != nil {
			return nil, err
		}
		if err := v.uncompared(ctx, b, client, m, compared); err != nil {
			return nil, err
		}
	}
	// Of one client, or a part of the time, shares of others are missing.
	if client == "" {
		for _, p := range shares.problems() {
			v.note("%s", p)
		}
	}
	slices.Sort(v.Problems)
	return v, nil
}

// uncompared recounts a month of the clients that have counters in it and none of
// whose periods it is.
func (v *Verification) uncompared(ctx context.Context, b Books, client, month string, compared map[[2]string]bool) error {
	list, err := b.Counters(ctx, month)
	if err != nil {
		return err
	}
	for _, c := range list {
		if compared[[2]string{c.Client, month}] || client != "" && client != c.Client {
			continue
		}
		periods, err := b.Periods(ctx, c.Client)
		if err != nil {
			return err
		}
		if err := v.still(ctx, b, &recount{client: c.Client, period: month, periods: periods}); errors.Is(err, accounting.ErrUnread) {
			v.note("%s", err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// recount is a client's account in a period, counted from its records.
type recount struct {
	client, period string
	periods        []string  // all of the client
	from, to       time.Time // what was asked for

	records  int64
	problems []string
	shares   []share
}

// still recounts an account until it did not change meanwhile, and takes note of
// what was found then.
func (v *Verification) still(ctx context.Context, l accounting.Ledger, a *recount) error {
	for range tries {
		before, err := l.CounterOf(ctx, a.client, a.period)
		if err != nil {
			return err
		}
		if err := a.count(ctx, l, &before); err != nil {
			return err
		}
		after, err := l.CounterOf(ctx, a.client, a.period)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(before, after) {
			continue
		}
		for _, p := range a.problems {
			v.note("%s, %s: %s", a.client, a.period, p)
		}
		v.Records += a.records
		return nil
	}
	return fmt.Errorf("%s, %s: %w", a.client, a.period, ErrMoving)
}

// count compares the records with the counters.
func (a *recount) count(ctx context.Context, l accounting.Ledger, c *accounting.Counter) error {
	a.records, a.problems, a.shares = 0, nil, nil
	lines := map[UsageLine]*UsageLine{}
	var entries Statement
	if err := l.RecordsOf(ctx, a.client, a.period, func(r accounting.Record) error {
		a.records++
		if r.Kind != accounting.Usage && r.Kind != accounting.Void {
			return entries.enter(&r)
		}
		if problem := shareProblem(&r); problem != "" {
			a.problems = append(a.problems, problem)
		}
		if r.Share == accounting.ShareSplit && r.Kind == accounting.Usage {
			a.shares = append(a.shares, shareOf(&r, a.from, a.to))
		}
		r.Tariff, r.TariffVersion = "", ""
		return add(lines, &r, price.NewBook())
	}); err != nil {
		return err
	}
	var sum UsageLine
	for _, line := range lines {
		sum.Deliveries, sum.Size, sum.Charged = sum.Deliveries+line.Deliveries, sum.Size+line.Size, sum.Charged+line.Charged
		sum.Priced, sum.Included, sum.IncludedDeliveries = sum.Priced+line.Priced, sum.Included+line.Included, sum.IncludedDeliveries+line.IncludedDeliveries
		sum.amount = sum.amount.Add(line.amount)
	}
	var other elsewhere
	if accounting.KindOf(a.period) == accounting.ByMonth {
		var err error
		if other, err = readElsewhere(ctx, l, a.client, a.period, a.periods); err != nil {
			return err
		}
	}
	for i, one := range []struct {
		name      string
		got, want int64
	}{
		{"deliveries", c.Deliveries, sum.Deliveries}, {"size", c.Size, sum.Size}, {"charged", c.Charged, sum.Charged},
	} {
		low, high := one.want+other.low[i], one.want+other.high[i]
		if one.got < low || one.got > high {
			want := strconv.FormatInt(low, 10)
			if low != high {
				want += fmt.Sprintf(" to %d", high)
			}
			a.problems = append(a.problems, fmt.Sprintf("%s is %d, its records say %s", one.name, one.got, want))
		}
	}
	paid, adjusted, fee := entries.entries()
	for _, one := range []struct {
		name      string
		got, want int64
	}{
		{"priced", c.Priced, sum.Priced}, {"included", c.Included, sum.Included}, {"included_deliveries", c.IncludedDeliveries, sum.IncludedDeliveries},
		{"cost", c.Cost, sum.amount.Whole}, {"frac", c.Frac, sum.amount.Rest}, {"paid", c.Paid, paid}, {"adjusted", c.Adjusted, adjusted}, {"fee", c.Fee, fee},
	} {
		if one.got != one.want {
			a.problems = append(a.problems, fmt.Sprintf("%s is %d, its records say %d", one.name, one.got, one.want))
		}
	}
	return nil
}

// balance adds up all periods of a client.
func (v *Verification) balance(ctx context.Context, l accounting.Ledger, client string, periods []string) error {
	for range tries {
		before, err := l.Account(ctx, client)
		if err != nil {
			return err
		}
		sum := int64(0)
		for _, p := range periods {
			c, err := l.CounterOf(ctx, client, p)
			if err != nil {
				return err
			}
			sum += c.Paid + c.Adjusted - c.Fee - c.Cost
		}
		after, err := l.Account(ctx, client)
		if err != nil {
			return err
		}
		if before.Balance != after.Balance {
			continue
		}
		if sum != before.Balance {
			v.note("%s: the balance is %d millionths, its periods say %d", client, before.Balance, sum)
		}
		return nil
	}
	return fmt.Errorf("%s: %w", client, ErrMoving)
}
