package report

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// BlockSource tells of recipients that were refused, deferred, discarded or
// held in [from, to).
type BlockSource interface {
	Blocks(ctx context.Context, from, to time.Time, fn func(Block)) error
}

// Block is one of them.
type Block struct {
	Time      time.Time
	Client    string // "" for nobody's
	Recipient string // folded
	Gateway   string
	Reason    string // one of few
}

// sums are rows in the making, by their columns and currency.
type sums struct {
	q    Query
	rows map[Row]*Row
}

func newSums(q Query) *sums { return &sums{q: q, rows: map[Row]*Row{}} }

func (r *Row) cost() price.Amount { return price.Amount{Whole: r.Cost, Rest: r.Frac} }

// key has the columns asked for, and nothing else.
func (s *sums) key(r *Row) Row {
	var key Row
	for _, c := range s.q.By {
		*key.column(c) = r.text(c)
	}
	return key
}

// sum adds a row whose columns are all filled.
func (s *sums) sum(r *Row) {
	key := s.key(r)
	key.Currency = r.Currency
	row := s.rows[key]
	if row == nil {
		row = new(key)
		s.rows[key] = row
	}
	row.add(r)
}

func (s *sums) add(ctx context.Context, store accounting.Store) error {
	if !s.q.ByRecords && s.q.byMonth() {
		whole, err := s.addCounters(ctx, store)
		if err != nil || whole {
			return err
		}
		clear(s.rows)
	}
	return s.addRecords(ctx, store)
}

func (s *sums) addRecords(ctx context.Context, store accounting.Store) error {
	from, to := s.q.Span()
	return store.Records(ctx, s.q.Client, from, to, func(r accounting.Record) error {
		if r.Kind == accounting.Fee && s.q.alone() {
			amount, err := strconv.ParseInt(r.Amount, 10, 64)
			if err != nil {
				return fmt.Errorf("%s: amount: %w", r.ID, err)
			}
			s.sum(&Row{Client: r.Client, Currency: r.Currency, Fee: amount})
			return nil
		}
		if r.Kind != accounting.Usage && r.Kind != accounting.Void || r.Effect == accounting.NoEffect {
			return nil
		}
		settled, err := price.SettledOf(&r)
		if err != nil {
			return err
		}
		if r.Kind == accounting.Void {
			settled = settled.Neg()
		}
		row := Row{
			Client: r.Client, Recipient: r.Recipient, Domain: domainOf(r.Recipient), Day: accounting.Day(r.Falls(), s.q.Location),
			Gateway: r.Gateway, Tariff: r.Tariff, Currency: r.Currency,
			Included: settled.Included, Cost: settled.Amount.Whole, Frac: settled.Amount.Rest,
		}
		row.Deliveries, row.Size, row.Charged = r.Delta()
		s.sum(&row)
		return nil
	})
}

// addCounters adds the store's counters. It reports false when they are too
// coarse: a client had more recipients than the store counts one by one, or
// what a recipient cost is asked for.
func (s *sums) addCounters(ctx context.Context, store accounting.Store) (bool, error) {
	parts := slices.Contains(s.q.By, Recipient) || slices.Contains(s.q.By, Domain)
	from, to := s.q.Span()
	for _, month := range accounting.Months(from, to, s.q.Location) {
		list, err := store.Counters(ctx, month)
		if err != nil {
			return false, err
		}
		for _, c := range list {
			if s.q.Client != "" && c.Client != s.q.Client {
				continue
			}
			if !parts {
				row := Row{
					Client: c.Client, Deliveries: c.Deliveries, Size: c.Size, Charged: c.Charged,
					Included: c.Included, Cost: c.Cost, Frac: c.Frac, Currency: c.Currency,
				}
				if s.q.alone() {
					row.Fee = c.Fee
				}
				s.sum(&row)
				continue
			}
			if _, coarse := c.Recipients[accounting.Other]; coarse || c.Priced != 0 || c.Cost != 0 || c.Frac != 0 {
				return false, nil
			}
			for name, p := range c.Recipients {
				s.sum(&Row{
					Client: c.Client, Recipient: name, Domain: domainOf(name), Deliveries: p.Deliveries, Size: p.Size, Charged: p.Charged,
					Currency: c.Currency,
				})
			}
		}
	}
	return true, nil
}

func domainOf(recipient string) string { return recipient[strings.LastIndexByte(recipient, '@')+1:] }

// mostBlocked bounds the rows that only blocks have made: the names in them are
// whatever strangers have tried.
const mostBlocked = 100_000

// block counts what was refused.
func (s *sums) block(b Block) {
	if s.q.Client != "" && b.Client != s.q.Client {
		return
	}
	row := Row{
		Client: b.Client, Recipient: b.Recipient, Domain: domainOf(b.Recipient), Day: accounting.Day(b.Time, s.q.Location),
		Gateway: b.Gateway, Reason: b.Reason, Blocks: 1,
	}
	if s.rows[s.key(&row)] == nil && len(s.rows) >= mostBlocked {
		row.Recipient, row.Domain = accounting.Other, accounting.Other
	}
	s.sum(&row)
}
