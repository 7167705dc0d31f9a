package storetest

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// change has another tariff hold from now on; where that is another currency the balance
// is settled before.
func (x *exchange) change(c *trader) {
	t := x.t
	to := x.tariffs[x.random.IntN(len(x.tariffs))]
	has := c.of[to.PeriodOf(x.now)]
	if to.Currency != c.is.Currency {
		if sum := c.sum(c.is.Currency); sum != 0 {
			x.reckon(c, accounting.Adjust, -sum, c.is.Currency, "", nil)
			has = c.of[to.PeriodOf(x.now)]
		}
	}
	was, err := x.ledger.Plans(t.Context(), c.id)
	if err != nil {
		t.Fatal(err)
	}
	plans, err := price.ParsePlans(was)
	if err != nil {
		t.Fatal(err)
	}
	next, err := plans.Switch(to.Plan(), x.now)
	if err == nil {
		err = price.Room(t.Context(), x.ledger, c.id, to.Plan(), x.now)
	}
	wrong := has != "" && has != to.Currency
	if to.Currency != c.is.Currency && c.is.PeriodOf(x.now) == to.PeriodOf(x.now) {
		wrong = true
	}
	if errors.Is(err, price.ErrCurrency) != wrong || err != nil && !wrong {
		t.Fatalf("%s from %s to %s: %v, want refused %v", c.id, c.is.Name, to.Name, err, wrong)
	}
	if wrong {
		x.had["switches refused"]++
		return
	}
	if ok, err := x.ledger.SetPlans(t.Context(), c.id, was, next.String()); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if to.Currency != c.is.Currency {
		x.had["switches to another currency"]++
	}
	c.is = to
	x.now = x.now.Add(time.Minute)
}

// reckon books an entry.
func (x *exchange) reckon(c *trader, kind string, amount int64, currency, reverses string, want error) {
	x.t.Helper()
	x.number++
	r := entry("e"+strconv.Itoa(x.number), kind, c.id, strconv.FormatInt(amount, 10), currency)
	r.Time, r.Reverses = x.now.UTC(), reverses
	ok, err := x.ledger.Enter(x.t.Context(), r)
	if ok != (want == nil) || !errors.Is(err, want) {
		x.t.Fatalf("%+v: %v %v, want %v", r, ok, err, want)
	}
	if !ok {
		return
	}
	if kind == accounting.Fee {
		amount = -amount
	}
	c.add(currency, c.is.PeriodOf(x.now), amount)
	if c.entries = append(c.entries, r); reverses != "" {
		c.taken[reverses] = true
	}
}

func (x *exchange) enter(c *trader) {
	kind := []string{accounting.Payment, accounting.Adjust, accounting.Fee}[x.random.IntN(3)]
	amount := 1 + x.random.Int64N(1e9)
	switch k := x.random.IntN(4); {
	case k == 0:
		other := x.tariffs[x.random.IntN(len(x.tariffs))].Currency
		if other != c.is.Currency {
			x.had["wrong entries"]++
			x.reckon(c, kind, amount, other, "", accounting.ErrCurrency)
		}
	case k < 3 && len(c.entries) > 0:
		was := c.entries[x.random.IntN(len(c.entries))]
		if was.Kind == accounting.Fee {
			return
		}
		amount, err := strconv.ParseInt(was.Amount, 10, 64)
		if err != nil {
			x.t.Fatal(err)
		}
		want := error(nil)
		switch {
		case c.taken[was.ID]:
			want = accounting.ErrReversed
		case was.Currency != c.is.Currency:
			want = accounting.ErrCurrency
			x.had["reversals refused"]++
		default:
			x.had["reversals"]++
		}
		x.reckon(c, was.Kind, -amount, was.Currency, was.ID, want)
	default:
		x.reckon(c, kind, amount, c.is.Currency, "", nil)
	}
}

// seal closes a period that is over.
func (x *exchange) seal(c *trader) {
	for _, period := range slices.Sorted(maps.Keys(c.of)) {
		if _, end, err := accounting.Span(period, time.UTC); err == nil && end.Before(x.now) && !c.sealed[period] {
			if err := x.ledger.ClosePeriod(x.t.Context(), c.id, period); err != nil {
				x.t.Fatal(err)
			}
			c.sealed[period] = true
			return
		}
	}
}

func (c *trader) sum(currency string) (sum int64) {
	for _, amount := range c.money[currency] {
		sum += amount
	}
	return sum
}

func (x *exchange) check(c *trader) {
	t := x.t
	t.Helper()
	account, err := x.ledger.Account(t.Context(), c.id)
	if err != nil || account.Balance != c.sum(c.is.Currency) || account.Currency != c.is.Currency {
		t.Fatalf("%s: %+v, %v; want %d %s", c.id, account, err, c.sum(c.is.Currency), c.is.Currency)
	}
	for currency := range c.money {
		if sum := c.sum(currency); currency != c.is.Currency && sum != 0 {
			t.Fatalf("%s: %d %s were left", c.id, sum, currency)
		}
	}
	all := int64(0)
	for period, currency := range c.of {
		n, err := x.ledger.CounterOf(t.Context(), c.id, period)
		if err != nil || n.Currency != currency || n.Paid+n.Adjusted-n.Fee-n.Cost != c.money[currency][period] {
			t.Fatalf("%s, %s: %+v, %v; want %d %s", c.id, period, n, err, c.money[currency][period], currency)
		}
		s, err := x.read(x.ledger, x.book, c.id, period, x.now)
		if err != nil || s.Own != c.money[currency][period] || s.Opening+s.Own+s.Between != s.Closing {
			t.Fatalf("%s, %s: %+v, %v; want %d", c.id, period, s, err, c.money[currency][period])
		}
		all += s.Own
	}
	if all != account.Balance {
		t.Fatalf("%s: statements come to %d, the balance is %d", c.id, all, account.Balance)
	}
	// Of the period under way there is a statement, also when nothing is in it yet.
	under := c.is.PeriodOf(x.now)
	if s, err := x.read(x.ledger, x.book, c.id, under, x.now); err != nil || s.Closing != account.Balance {
		t.Fatalf("%s, %s under way: %+v, %v; want %d", c.id, under, s, err, account.Balance)
	}
	is := map[string]bool{}
	if err := x.store.Parked(t.Context(), func(r accounting.Record, why string) error {
		if r.Client == c.id {
			is[r.ID] = true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for id := range c.parked {
		if !is[id] {
			t.Fatalf("%s is not parked", id)
		}
	}
	if len(is) != len(c.parked) {
		t.Fatalf("%s: parked %v, want %v", c.id, is, c.parked)
	}
}
