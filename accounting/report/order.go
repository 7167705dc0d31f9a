package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// course is a client's account in the order of time.
type course struct {
	l       accounting.Ledger
	client  string
	runs    []price.Run
	changes []int64 // of the balance in each run; read from the first that was asked for on
}

// courseOf reads what an account went through up to now. A period that it does not have
// stands where it would.
func courseOf(ctx context.Context, l accounting.Ledger, client, period string, now time.Time) (*course, error) {
	periods, err := l.Periods(ctx, client)
	if err != nil {
		return nil, err
	}
	text, err := l.Plans(ctx, client)
	if err != nil {
		return nil, err
	}
	plans, err := price.ParsePlans(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", accounting.ErrUnreadable, err)
	}
	if !slices.Contains(periods, period) {
		periods = accounting.SortPeriods(append(slices.Clone(periods), period))
	}
	c := &course{l: l, client: client}
	if len(plans) == 0 { // months, and nothing else ever
		for _, p := range periods {
			c.runs = append(c.runs, price.Run{Period: p})
		}
		return c, nil
	}
	runs, others := plans.Runs(periods, now)
	for _, other := range others {
		at, err := c.first(ctx, other)
		if err != nil {
			return nil, err
		}
		place := slices.IndexFunc(runs, func(r price.Run) bool { return r.From > at })
		if place < 0 {
			place = len(runs)
		}
		// What came late and was moved into a period that the client was not in stands before
		// the one that it was in: that, while under way, closes with the balance.
		if place > 0 && runs[place-1].Period == plans.PeriodAt(time.UnixMilli(at)) {
			place--
		}
		runs = slices.Insert(runs, place, price.Run{Period: other, From: at})
	}
	c.runs = runs
	return c, nil
}

// first is when the first record of a period was made, in Unix milliseconds: when that
// began, where there is none.
func (c *course) first(ctx context.Context, period string) (int64, error) {
	from, _, err := accounting.Span(period, time.UTC)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrQuery, err)
	}
	at, found := from.UnixMilli(), errors.New("found")
	err = c.l.RecordsOf(ctx, c.client, period, func(r accounting.Record) error {
		// What came late is of a time long before.
		if at = r.Time.UnixMilli(); r.Effect == accounting.Adjustment {
			at = max(at, from.UnixMilli())
		}
		return found
	})
	if errors.Is(err, found) {
		err = nil
	}
	return at, err
}

// read reads what changed the balance since a period began.
func (c *course) read(ctx context.Context, period string) error {
	for {
		begin := slices.IndexFunc(c.runs, func(r price.Run) bool { return r.Period == period })
		c.changes = make([]int64, len(c.runs))
		again := false
		done := map[string]bool{}
		for i := begin; i < len(c.runs) && !again; i++ {
			if p := c.runs[i].Period; !done[p] {
				done[p] = true
				var err error
				if again, err = c.change(ctx, p); err != nil {
					return err
				}
			}
		}
		if !again {
			return nil
		}
	}
}

// change reads what one period did to the balance, in each of its runs. It tells whether
// a run was none, and was taken away.
func (c *course) change(ctx context.Context, period string) (again bool, err error) {
	counter, err := c.l.CounterOf(ctx, c.client, period)
	if err != nil {
		return false, err
	}
	whole := counter.Paid + counter.Adjusted - counter.Fee - counter.Cost
	var mine []int
	for i, r := range c.runs {
		if r.Period == period {
			mine = append(mine, i)
		}
	}
	if len(mine) == 1 {
		c.changes[mine[0]] = whole
		return false, nil
	}
	parts, used, err := c.split(ctx, period, mine)
	if err != nil {
		return false, err
	}
	if c.runs[mine[0]].Before && !used[0] {
		c.runs = price.Joined(slices.Delete(c.runs, mine[0], mine[0]+1))
		return true, nil
	}
	for k, i := range mine {
		c.changes[i] = parts[k]
		if whole -= parts[k]; k == len(mine)-1 {
			c.changes[i] += whole // the sums of records are another matter: see Sum
		}
	}
	return false, nil
}

// split shares what a period did to the balance out to its runs, by when each record was
// made, and tells which of them have any.
func (c *course) split(ctx context.Context, period string, mine []int) (parts []int64, used []bool, err error) {
	entries, usage := make([]int64, len(mine)), make([]price.Amount, len(mine))
	used = make([]bool, len(mine))
	latest := int64(0) // of what came in time: what comes late follows it
	err = c.l.RecordsOf(ctx, c.client, period, func(r accounting.Record) error {
		at := r.Time.UnixMilli()
		if r.Effect == accounting.Adjustment && r.Kind != accounting.Void && latest > 0 {
			at = latest
		}
		latest = max(latest, at)
		run := 0
		for k, i := range mine {
			if c.runs[i].From <= at {
				run = k
			}
		}
		used[run] = true
		switch r.Kind {
		case accounting.Usage, accounting.Void:
			if r.Effect == accounting.NoEffect {
				return nil
			}
			settled, err := price.SettledOf(&r)
			if r.Kind == accounting.Void {
				settled = settled.Neg()
			}
			usage[run] = usage[run].Add(settled.Amount)
			return err
		}
		amount, err := strconv.ParseInt(r.Amount, 10, 64)
		if err != nil {
			return fmt.Errorf("record %q: %w", r.ID, err)
		}
		if r.Kind == accounting.Fee {
			amount = -amount
		}
		entries[run] += amount
		return nil
	})
	// Whole millionths are owed, of all that was used until then.
	var until price.Amount
	for k := range mine {
		before := until.Whole
		until = until.Add(usage[k])
		parts = append(parts, entries[k]-(until.Whole-before))
	}
	return parts, used, err
}

// balances are those at the begin and at the end of a period, and what other periods
// changed between its runs. Balance is the one now.
func (c *course) balances(period string, balance int64) (opening, between, closing int64) {
	first, last := -1, -1
	for i, r := range c.runs {
		if r.Period == period {
			last = i
			if first < 0 {
				first = i
			}
		}
	}
	closing = balance
	for i := len(c.runs) - 1; i > last; i-- {
		closing -= c.changes[i]
	}
	opening = closing
	for i := last; i >= first; i-- {
		opening -= c.changes[i]
		if c.runs[i].Period != period {
			between += c.changes[i]
		}
	}
	return opening, between, closing
}
