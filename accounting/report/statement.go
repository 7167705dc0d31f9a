package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Statement is a client's account in one period. Sums of money are millionths
// of the currency unit. Opening + Paid + Adjusted - Fee - Cost + Between = Closing, and
// the amounts of Usage are Cost and Remainder together, to the last part. The closing
// balance is the opening one of what the client was in next; the period under way closes
// with the balance.
type Statement struct {
	Client   string `json:"client"`
	Name     string `json:"name,omitempty"` // for people
	Period   string `json:"period"`
	Currency string `json:"currency"`
	Closed   bool   `json:"closed"`

	Opening  int64 `json:"opening"`
	Paid     int64 `json:"paid"`
	Adjusted int64 `json:"adjusted"`
	Fee      int64 `json:"fee"`
	Cost     int64 `json:"cost"`
	Closing  int64 `json:"closing"`
	// Between is what counted in other periods while the client had left this one for
	// another tariff, and before it came back to it.
	Between int64 `json:"between,omitempty"`
	// Remainder is less than a millionth: it is never owed.
	Remainder string `json:"remainder"`

	Usage   []UsageLine `json:"usage"`
	Entries []Entry     `json:"entries"` // payments, adjustments and fees, in their order
}

// UsageLine is what was used at one price.
type UsageLine struct {
	Tariff  string `json:"tariff"`
	Version string `json:"tariff_version"`
	Band    int    `json:"band"` // of the tariff, from 1 on; 0: outside of all
	// When the band holds, and of how many percent of the price; none outside of all.
	When    string `json:"band_when,omitempty"`
	Percent int64  `json:"band_percent,omitempty"`
	// Sent: what the client sent to somebody who is nobody's.
	Sent bool `json:"sent,omitempty"`
	// Late: of a period that was closed.
	Late               bool   `json:"late,omitempty"`
	Deliveries         int64  `json:"deliveries"`
	Size               int64  `json:"size"` // bytes, as the next three
	Charged            int64  `json:"charged"`
	Priced             int64  `json:"priced"`
	Included           int64  `json:"included"`
	IncludedDeliveries int64  `json:"included_deliveries"`
	Amount             string `json:"amount"` // millionths, exactly

	amount price.Amount
}

// Entry is a payment, an adjustment or a fee.
type Entry struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Time     time.Time `json:"time"`
	Amount   int64     `json:"amount"`
	By       string    `json:"by"`
	Note     string    `json:"note"`
	Reverses string    `json:"reverses,omitempty"`
}

// tries bounds how often a statement is begun anew because the account changed
// meanwhile.
const tries = 5

// ErrMoving: the account changed all the time.
var ErrMoving = fmt.Errorf("%w: the account changes while it is read; try again", ErrQuery)

// StatementOf reads a client's account in a period. Tariffs that are yet to come by now
// change nothing.
func StatementOf(ctx context.Context, l accounting.Ledger, book *price.Book, client, period string, now time.Time) (*Statement, error) {
	from, to, err := accounting.Span(period, time.UTC)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrQuery, err)
	}
	periods, err := l.Periods(ctx, client)
	if err != nil {
		return nil, err
	}
	under, err := underWay(ctx, l, client, now)
	if err != nil {
		return nil, err
	}
	// Of the period under way there is a statement, though nothing is in it yet.
	if others := within(periods, period, from, to); len(others) > 0 && period != under {
		return nil, fmt.Errorf("%w: the account of %s has no %s, it has %s: ask for one of these", ErrQuery, client, period, few(others))
	}
	for range tries {
		before, err := l.Account(ctx, client)
		if err != nil {
			return nil, err
		}
		s, err := statement(ctx, l, book, client, period, before.Balance, now)
		if err != nil {
			return nil, err
		}
		after, err := l.Account(ctx, client)
		if err != nil {
			return nil, err
		}
		if before.Balance == after.Balance {
			if s.Currency == "" {
				s.Currency = after.Currency
			}
			return s, nil
		}
	}
	return nil, ErrMoving
}

func statement(ctx context.Context, l accounting.Ledger, book *price.Book, client, period string, balance int64, now time.Time) (*Statement, error) {
	s := &Statement{Client: client, Period: period, Usage: []UsageLine{}, Entries: []Entry{}}
	c, err := l.CounterOf(ctx, client, period)
	if err != nil {
		return nil, err
	}
	s.Paid, s.Adjusted, s.Fee, s.Cost, s.Currency, s.Closed = c.Paid, c.Adjusted, c.Fee, c.Cost, c.Currency, c.Closed
	s.Remainder = price.Amount{Rest: c.Frac}.String()
	course, err := courseOf(ctx, l, client, period, now)
	if err == nil {
		err = course.read(ctx, period)
	}
	if err != nil {
		return nil, err
	}
	s.Opening, s.Between, s.Closing = course.balances(period, balance)
	lines := map[UsageLine]*UsageLine{}
	err = l.RecordsOf(ctx, client, period, func(r accounting.Record) error {
		if r.Kind != accounting.Usage && r.Kind != accounting.Void {
			return s.enter(&r)
		}
		return add(lines, &r, book)
	})
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		line.Amount = line.amount.String()
		s.Usage = append(s.Usage, *line)
	}
	// An archive has them in another order.
	slices.SortStableFunc(s.Entries, func(a, b Entry) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	slices.SortFunc(s.Usage, func(a, b UsageLine) int {
		return cmp.Or(cmp.Compare(a.Tariff, b.Tariff), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Band, b.Band), last(a.Sent, b.Sent), last(a.Late, b.Late))
	})
	return s, nil
}

// last orders what is true behind what is not.
func last(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func (s *Statement) enter(r *accounting.Record) error {
	amount, err := strconv.ParseInt(r.Amount, 10, 64)
	if err != nil {
		return fmt.Errorf("record %q: %w", r.ID, err)
	}
	s.Entries = append(s.Entries, Entry{ID: r.ID, Kind: r.Kind, Time: r.Time, Amount: amount, By: r.By, Note: r.Note, Reverses: r.Reverses})
	return nil
}

// add adds a record to the line of its price.
func add(lines map[UsageLine]*UsageLine, r *accounting.Record, book *price.Book) error {
	if r.Effect == accounting.NoEffect {
		return nil
	}
	key := UsageLine{Tariff: r.Tariff, Version: r.TariffVersion, Sent: r.Payer == accounting.BySender, Late: r.Effect == accounting.Adjustment}
	if t := book.Find(r.TariffVersion); t != nil {
		if key.Band = t.Band(r.Origin()); key.Band > 0 {
			key.When, key.Percent = t.Bands[key.Band-1].When, t.Bands[key.Band-1].Percent
		}
	}
	settled, err := price.SettledOf(r)
	if err != nil {
		return err
	}
	if r.Kind == accounting.Void {
		settled = settled.Neg()
	}
	line := lines[key]
	if line == nil {
		line = new(key)
		lines[key] = line
	}
	deliveries, size, charged := r.Delta()
	line.Deliveries, line.Size, line.Charged = line.Deliveries+deliveries, line.Size+size, line.Charged+charged
	line.Priced, line.Included = line.Priced+settled.Priced, line.Included+settled.Included
	line.IncludedDeliveries += settled.IncludedDeliveries
	line.amount = line.amount.Add(settled.Amount)
	return nil
}

// Sum checks that a statement adds up to the last part; an error says what does
// not.
func (s *Statement) Sum() error {
	var usage price.Amount
	for _, line := range s.Usage {
		a, err := price.ParseAmount(line.Amount)
		if err != nil {
			return err
		}
		usage = usage.Add(a)
	}
	rest, err := price.ParseAmount(s.Remainder)
	if err != nil {
		return err
	}
	if cost := rest.Add(price.Amount{Whole: s.Cost}); cost != usage {
		return fmt.Errorf("%s, %s: the records cost %s, the account says %s", s.Client, s.Period, usage, cost)
	}
	paid, adjusted, fee := s.entries()
	if paid != s.Paid || adjusted != s.Adjusted || fee != s.Fee {
		return fmt.Errorf("%s, %s: entries are %d, %d, %d millionths, the account says %d, %d, %d", s.Client, s.Period, paid, adjusted, fee, s.Paid, s.Adjusted, s.Fee)
	}
	if s.Opening+s.Paid+s.Adjusted-s.Fee-s.Cost+s.Between != s.Closing {
		return fmt.Errorf("%s, %s: the balance does not add up", s.Client, s.Period)
	}
	return nil
}

// entries are the sums of payments, adjustments and fees.
func (s *Statement) entries() (paid, adjusted, fee int64) {
	for _, e := range s.Entries {
		switch e.Kind {
		case accounting.Payment:
			paid += e.Amount
		case accounting.Adjust:
			adjusted += e.Amount
		case accounting.Fee:
			fee += e.Amount
		}
	}
	return paid, adjusted, fee
}
