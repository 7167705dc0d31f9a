package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Life is eleven weeks of clients, through the turns of summer time: mail on time and
// late, voids soon, late and first, tariffs of each kind of period and in several zones that
// are changed from the next period on or at once, prices that change, payments, fees,
// adjustments, reversals, periods that are closed, and stores that go down. What all of
// it comes to is worked out beside, by lifeModel.
type Life struct {
	Book     *price.Book
	Location *time.Location

	random   *rand.Rand
	families [][]*price.Tariff // each in the versions that follow each other
	now      time.Time
	skew     time.Duration // of the clock that the store goes by just now
	begin    time.Time
	records  int
	sent     int
	number   int
	clients  []*living
	batches  [][]accounting.Record
	unborn   []accounting.Record // their voids came first
	usage    []accounting.Record
	entries  []accounting.Record
	sealed   map[string]bool
	log      []happened
}

// living is a client: which tariff it was given when.
type living struct {
	id    string
	given []gift
}

type gift struct {
	from   time.Time
	family int // none below 0
}

// happened is one thing that was done with the store, when.
type happened struct {
	at       time.Time
	batch    int // of Life.batches; below 0: none
	seal     string
	entry    *accounting.Record
	switched *living
}

const lifeLasts = 80 * 24 * time.Hour

// NewLife makes one with about so many records.
func NewLife(t testing.TB, records int, seed uint64) *Life {
	l := &Life{
		random: rand.New(rand.NewPCG(seed, 7)), begin: time.Date(2026, 9, 20, 9, 0, 0, 0, time.UTC), records: records, sealed: map[string]bool{},
	}
	var err error
	if l.Location, err = time.LoadLocation("Europe/Berlin"); err != nil {
		t.Fatal(err)
	}
	l.now = l.begin
	week := []price.Band{{When: "Sa-Su 00:00-24:00", Percent: 33}, {When: "Mo 08:00-12:00", Percent: 0}}
	var all []*price.Tariff
	for _, terms := range []price.Terms{
		{Name: "office", PerMiB: 1_500_000, PerDelivery: 20_000, Increment: 1024, Included: 100 << 20, IncludedDeliveries: 20},
		{Name: "berlin", PerMiB: 7_777_777, PerDelivery: 1, Increment: 7, Included: 20 << 20, IncludedDeliveries: 3, Period: accounting.ByWeek, Timezone: "Europe/Berlin", Bands: week},
		{Name: "york", PerMiB: 100_000_000_001, Included: 5 << 20, Period: accounting.ByDay, Timezone: "America/New_York"},
		{Name: "kolkata", PerMiB: 33, PerDelivery: 77, Increment: 4096, Fee: 5_000_000, Timezone: "Asia/Kolkata", Bands: week},
	} {
		var one []*price.Tariff
		for range 3 {
			one = append(one, Tariff(t, terms))
			terms.PerMiB += 3
			terms.PerDelivery++
		}
		l.families, all = append(l.families, one), append(all, one...)
	}
	l.Book = price.NewBook(all...)
	for i := range 30 {
		l.clients = append(l.clients, &living{id: fmt.Sprintf("client-%d", i), given: []gift{{l.begin, i%(len(l.families)+1) - 1}}})
	}
	return l
}

// Now is the clock that the stores go by: of gateways whose clocks are hours apart, or
// of one that is set forth and back.
func (l *Life) Now() time.Time { return l.now.Add(l.skew) }

// at is what a client has been given at a time.
func (c *living) at(t time.Time) int {
	is := c.given[0].family
	for _, g := range c.given {
		if !g.from.After(t) {
			is = g.family
		}
	}
	return is
}

// mail makes a record of a time.
func (l *Life) mail(c *living, at time.Time) accounting.Record {
	l.number++
	size := 1 + l.random.Int64N(3<<20)
	// Queue ids come again, and addresses are now one client's, now another's.
	r := Usage(l.number%4096, c.id, fmt.Sprintf("u%d@example.org", l.random.IntN(40)), at, size, l.random.Int64N(size+1))
	if l.random.IntN(3) == 0 {
		r.Direction = "outbound"
	}
	if f := c.at(r.Time); f >= 0 {
		version := min(2, int(3*r.Time.Sub(l.begin)/lifeLasts))
		r = under(r, l.families[f][version])
	}
	return r
}

// batch makes the next one.
func (l *Life) batch(n int) (list []accounting.Record) {
	before := l.now.Add(-time.Duration(n) * lifeLasts / time.Duration(l.records))
	recent := func(r accounting.Record) bool { return l.now.Sub(r.Origin()) < 30*24*time.Hour }
	var fresh []accounting.Record
	for range n {
		at := before.Add(time.Duration(l.random.Int64N(int64(l.now.Sub(before)) + 1)))
		if l.random.IntN(15) == 0 {
			at = at.Add(-time.Duration(l.random.Int64N(int64(25 * 24 * time.Hour))))
		}
		if at.Before(l.begin) {
			at = l.now.Add(-time.Duration(l.random.Int64N(int64(l.now.Sub(l.begin)) + 1)))
		}
		if l.random.IntN(10) == 0 {
			at = at.Add(l.skew) // its gateway has that clock
		}
		r := l.mail(l.clients[l.random.IntN(len(l.clients))], at)
		switch k := l.random.IntN(40); {
		case k == 0:
			l.unborn = append(l.unborn, r)
			r = accounting.VoidOf(r, l.now)
		case k < 4 && len(l.usage) > 0:
			if was := l.usage[l.random.IntN(len(l.usage))]; recent(was) {
				r = accounting.VoidOf(was, l.now)
			}
		case k < 6 && len(l.usage) > 0:
			if was := l.usage[l.random.IntN(len(l.usage))]; recent(was) {
				r = was
			}
		case k < 7 && len(l.unborn) > 0:
			i := l.random.IntN(len(l.unborn))
			if recent(l.unborn[i]) && !slices.ContainsFunc(list, func(o accounting.Record) bool { return o.Voids == l.unborn[i].ID }) {
				r = l.unborn[i]
				l.unborn = slices.Delete(l.unborn, i, i+1)
			}
		default:
			fresh = append(fresh, r)
		}
		list = append(list, r)
	}
	l.usage = append(l.usage, fresh...) // voided in a later batch
	l.sent += n
	return list
}
