package storetest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// exchange are two clients that go at once from tariff to tariff, of three currencies and
// periods of each length, with mail of two gateways, one of which is late.
type exchange struct {
	t       *testing.T
	random  *rand.Rand
	now     time.Time
	store   accounting.Store
	ledger  accounting.Ledger
	book    *price.Book
	read    ReadSheet
	tariffs []*price.Tariff
	number  int
	had     map[string]int
}

// trader is a client, and what its account should have: money by currency and period.
// Nothing here knows of tariffs' history or of a balance: a record has the tariff of its
// time, and a currency that was left is even for ever or until the client comes back.
type trader struct {
	id      string
	is      *price.Tariff
	money   map[string]map[string]int64
	of      map[string]string // period: its currency
	sealed  map[string]bool
	tariff  map[string]*price.Tariff // record: of its time
	counted map[string]string        // record: the period
	usage   []accounting.Record      // applied or parked
	waiting []accounting.Record      // in the spool of the other gateway
	parked  map[string]accounting.Record
	entries []accounting.Record
	taken   map[string]bool // entries that were reversed
}

// Exchange goes through such lives: no amount of one currency ever counts in another, and
// the statements of an account are its balance.
func Exchange(t *testing.T, open func(book *price.Book, now func() time.Time) accounting.Store, read ReadSheet, pairs int, seed uint64) {
	x := &exchange{t: t, random: rand.New(rand.NewPCG(seed, 41)), now: time.Date(2026, 10, 20, 9, 0, 0, 0, time.UTC), read: read, had: map[string]int{}}
	for i, currency := range []string{"RUB", "USD", "EUR"} {
		for _, period := range []string{accounting.ByMonth, accounting.ByWeek, accounting.ByDay} {
			// A byte costs whole millionths: what a record costs depends on no other.
			x.tariffs = append(x.tariffs, Tariff(t, price.Terms{
				Name: currency + "-" + period, PerMiB: int64(i+1) << 20, Currency: currency, Period: period,
			}))
		}
	}
	x.book = price.NewBook(x.tariffs...)
	x.store = open(x.book, func() time.Time { return x.now })
	x.ledger = x.store.(accounting.Ledger)
	for i := range pairs {
		var both []*trader
		for k := range 2 {
			c := &trader{
				id: fmt.Sprintf("client-%d-%d", i, k), is: x.tariffs[x.random.IntN(len(x.tariffs))], money: map[string]map[string]int64{}, of: map[string]string{},
				sealed: map[string]bool{}, tariff: map[string]*price.Tariff{}, counted: map[string]string{}, parked: map[string]accounting.Record{}, taken: map[string]bool{},
			}
			both = append(both, c)
			x.apply(c, x.mail(c))
		}
		for range 60 {
			x.now = x.now.Add(time.Duration(1+x.random.IntN(30*60)) * time.Minute)
			x.step(both[x.random.IntN(2)])
			for _, c := range both {
				x.check(c)
			}
		}
	}
	t.Log(x.had)
	for _, what := range []string{
		"switches to another currency", "switches refused", "parked usage", "parked void", "counted void", "applied later", "reversals", "reversals refused", "wrong entries", "moved", "late",
	} {
		if x.had[what] == 0 {
			t.Errorf("there were none of these: %s", what)
		}
	}
}

func (x *exchange) step(c *trader) {
	switch x.random.IntN(12) {
	case 0, 1:
		x.apply(c, x.mail(c))
	case 2:
		c.waiting = append(c.waiting, x.mail(c))
	case 3, 4:
		if n := len(c.waiting); n > 0 {
			r := c.waiting[x.random.IntN(n)]
			c.waiting = slices.DeleteFunc(c.waiting, func(o accounting.Record) bool { return o.ID == r.ID })
			x.had["late"]++
			x.apply(c, r)
		}
	case 5, 6:
		if n := len(c.usage); n > 0 { // held mail is deleted
			r := c.usage[x.random.IntN(n)]
			if _, ok := c.parked[r.ID]; !ok {
				c.usage = slices.DeleteFunc(c.usage, func(o accounting.Record) bool { return o.ID == r.ID })
				x.apply(c, accounting.VoidOf(r, x.now))
			}
		}
	case 7:
		x.change(c)
	case 8:
		x.enter(c)
	case 9, 10:
		x.decide(c)
	default:
		x.seal(c)
	}
}

func (x *exchange) mail(c *trader) accounting.Record {
	x.number++
	size := 1 + x.random.Int64N(1<<20)
	r := under(Usage(x.number, c.id, "a@example.org", x.now, size, size), c.is)
	c.tariff[r.ID] = c.is
	return r
}

// place is where a record of a tariff counts; false for nowhere.
func (x *exchange) place(c *trader, t *price.Tariff, period string) (string, bool) {
	if c.sealed[period] {
		period = t.PeriodOf(x.now)
		x.had["moved"]++
	}
	return period, t.Currency == c.is.Currency && (c.of[period] == "" || c.of[period] == t.Currency)
}

// count is what a record should do.
func (x *exchange) count(c *trader, r accounting.Record) bool {
	id, sign, what := r.ID, int64(-1), "usage"
	if r.Kind == accounting.Void {
		id, sign, what = r.Voids, 1, "void"
	}
	t := c.tariff[id]
	period := c.counted[id]
	if period == "" {
		period = t.PeriodOf(r.Time)
	}
	period, fits := x.place(c, t, period)
	if !fits {
		x.had["parked "+what]++
		return false
	}
	x.had["counted "+what]++
	c.counted[id] = period
	c.add(t.Currency, period, sign*r.Charged*(t.PerMiB>>20))
	return true
}

func (c *trader) add(currency, period string, amount int64) {
	if c.money[currency] == nil {
		c.money[currency] = map[string]int64{}
	}
	c.money[currency][period] += amount
	c.of[period] = currency
}

func (x *exchange) apply(c *trader, r accounting.Record) {
	for range 1 + x.random.IntN(2) { // the spool may bring it again
		put(x.t, x.store, r)
	}
	if r.Kind == accounting.Usage {
		c.usage = append(c.usage, r)
	}
	if !x.count(c, r) {
		c.parked[r.ID] = r
	}
}

// decide applies a parked record, or gives it up.
func (x *exchange) decide(c *trader) {
	for _, id := range slices.Sorted(maps.Keys(c.parked)) {
		r := c.parked[id]
		err := x.store.ApplyParked(x.t.Context(), id)
		switch {
		case x.count(c, r):
			if err != nil {
				x.t.Fatal(err)
			}
			delete(c.parked, id)
			x.had["applied later"]++
		case !errors.Is(err, accounting.ErrUnfit):
			x.t.Fatalf("%s: %v", id, err)
		case x.random.IntN(4) == 0:
			if err := x.store.DropParked(x.t.Context(), id); err != nil {
				x.t.Fatal(err)
			}
			delete(c.parked, id)
			c.usage = slices.DeleteFunc(c.usage, func(o accounting.Record) bool { return o.ID == id })
		}
	}
}
