package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Sheet is what a statement says of a client's balance in a period.
type Sheet struct{ Opening, Own, Between, Closing int64 }

// visit is a time through which the client was in one period, and what changed its
// balance then.
type visit struct {
	period string
	from   time.Time
	change int64
}

// courses are clients that go from tariff to tariff, at once and with the next period,
// whose periods are of any length in zones more than a day from each other.
type courses struct {
	t        *testing.T
	random   *rand.Rand
	now      time.Time
	store    accounting.Store
	ledger   accounting.Ledger
	read     ReadSheet
	book     *price.Book
	tariffs  []*price.Tariff
	client   string
	is       *price.Tariff // what records tell; nil: none
	since    time.Time     // when it first had one
	visits   []visit
	usage    []accounting.Record
	number   int
	late     bool
	returned int // to a period that it had left
}

// ReadSheet reads a statement.
type ReadSheet func(l accounting.Ledger, book *price.Book, client, period string, now time.Time) (Sheet, error)

// Courses goes through lives of clients, and asks for all their statements after each
// thing that happens: each opens with what the one before in time closed with, the last
// closes with the balance, and one that was given out changes by what is booked into its
// period, or into one before, alone.
func Courses(t *testing.T, open func(book *price.Book, now func() time.Time) accounting.Store, read ReadSheet, clients int, seed uint64) {
	c := &courses{t: t, random: rand.New(rand.NewPCG(seed, 40)), read: read, now: time.Date(2026, 10, 20, 9, 0, 0, 0, time.UTC)}
	for i, p := range []struct{ period, zone string }{
		{accounting.ByMonth, "UTC"}, {accounting.ByDay, "Europe/Moscow"}, {accounting.ByWeek, "Asia/Tokyo"}, {accounting.ByDay, "Pacific/Kiritimati"},
		{accounting.ByMonth, "America/New_York"}, {accounting.ByWeek, "Pacific/Midway"}, {accounting.ByDay, "UTC"},
	} {
		for _, odd := range []int64{0, 7} { // with odd ones whole millionths are rare
			c.tariffs = append(c.tariffs, Tariff(t, price.Terms{Name: fmt.Sprint("t", i, "-", odd), PerMiB: 1<<20 + odd, Period: p.period, Timezone: p.zone}))
		}
	}
	c.book = price.NewBook(c.tariffs...)
	c.store = open(c.book, func() time.Time { return c.now })
	c.ledger = c.store.(accounting.Ledger)
	for i := range clients {
		c.live(fmt.Sprint("client-", i), i%2 == 0, 30)
	}
	if c.returned == 0 {
		t.Error("nobody came back to a period that was left")
	}
}

// live is the life of one client.
func (c *courses) live(client string, late bool, steps int) {
	c.client, c.late, c.is, c.visits, c.usage, c.since = client, late, nil, nil, nil, time.Time{}
	if c.random.IntN(3) == 0 { // while it has no tariff yet
		c.look()
		c.booked(func() { c.enter() }, c.now)
	} else {
		c.is = c.some()
		c.use(c.now)
	}
	for range steps {
		c.pass(time.Duration(1+c.random.IntN(48*60)) * time.Minute / time.Duration(1+19*c.random.IntN(2)))
		switch c.random.IntN(8) {
		case 0, 1:
			c.atOnce(c.some())
		case 2:
			c.is = c.some()
			c.use(c.now)
		case 3, 4:
			c.booked(func() { c.enter() }, c.now)
		case 5:
			if c.late && !c.since.IsZero() && c.is != nil {
				if at := c.now.Add(-time.Duration(c.random.IntN(60)) * time.Hour); at.After(c.since) {
					c.use(at)
				}
			}
		case 6:
			if n := len(c.usage); n > 0 && c.late {
				was := c.usage[c.random.IntN(n)]
				c.usage = slices.DeleteFunc(c.usage, func(r accounting.Record) bool { return r.ID == was.ID })
				c.booked(func() { put(c.t, c.store, accounting.VoidOf(was, c.now)) }, c.now)
			}
		default:
			if c.is != nil {
				c.use(c.now)
			}
		}
		c.check()
	}
}

// some is a tariff. Amounts are whole where records come late: of fractions it cannot be
// said in which run a millionth was full.
func (c *courses) some() *price.Tariff {
	i := c.random.IntN(len(c.tariffs) / 2)
	if c.late {
		return c.tariffs[2*i]
	}
	return c.tariffs[2*i+1]
}

// pass lets time go by, and looks in which period the client is at each full hour, where
// periods end.
func (c *courses) pass(d time.Duration) {
	for end := c.now.Add(d); c.now.Before(end); c.look() {
		if c.now = c.now.Add(time.Hour).Truncate(time.Hour); c.now.After(end) {
			c.now = end
		}
	}
}

func (c *courses) plans() price.Plans {
	c.t.Helper()
	text, err := c.ledger.Plans(c.t.Context(), c.client)
	if err != nil {
		c.t.Fatal(err)
	}
	plans, err := price.ParsePlans(text)
	if err != nil {
		c.t.Fatal(err)
	}
	return plans
}

// look notes in which period the client is.
func (c *courses) look() {
	period := c.plans().PeriodAt(c.now)
	if period == "" {
		period = accounting.Month(c.now, time.UTC)
	}
	if n := len(c.visits); n == 0 || c.visits[n-1].period != period {
		if slices.ContainsFunc(c.visits, func(v visit) bool { return v.period == period }) {
			c.returned++
		}
		c.visits = append(c.visits, visit{period: period, from: c.now})
	}
}

// use puts a usage record.
func (c *courses) use(at time.Time) {
	c.number++
	size := 1 + c.random.Int64N(1<<20)
	r := under(Usage(c.number, c.client, "a@example.org", at, size, size), c.is)
	c.usage = append(c.usage, r)
	c.booked(func() { put(c.t, c.store, r) }, at)
	if c.since.IsZero() {
		c.since = c.now
	}
}

func (c *courses) enter() {
	c.number++
	kind := []string{accounting.Payment, accounting.Adjust, accounting.Fee}[c.random.IntN(3)]
	r := entry("e"+strconv.Itoa(c.number), kind, c.client, strconv.FormatInt(1+c.random.Int64N(1e9), 10), "RUB")
	r.Time = c.now.UTC()
	if ok, err := c.ledger.Enter(c.t.Context(), r); !ok || err != nil {
		c.t.Fatal(ok, err)
	}
}

// atOnce has another tariff hold now.
func (c *courses) atOnce(to *price.Tariff) {
	c.t.Helper()
	was := c.plans()
	next, err := was.Switch(to.Plan(), c.now)
	if err != nil {
		c.t.Fatal(err)
	}
	if ok, err := c.ledger.SetPlans(c.t.Context(), c.client, was.String(), next.String()); !ok || err != nil {
		c.t.Fatal(ok, err)
	}
	if c.is = to; c.since.IsZero() {
		c.since = c.now
	}
	c.look()
	c.pass(time.Minute)
}

// booked notes what something of a time changed: the balance, in one period.
func (c *courses) booked(do func(), at time.Time) {
	c.t.Helper()
	before, was := c.sums()
	do()
	c.look() // the first record puts a client under its tariff
	after, is := c.sums()
	for period, sum := range after {
		if sum == before[period] {
			continue
		}
		for i := len(c.visits) - 1; ; i-- {
			if i < 0 {
				c.t.Fatalf("%s was never in %s: %+v", c.client, period, c.visits)
			}
			// To the hour: what ends a visit is a full one, or a change at once.
			if v := &c.visits[i]; v.period == period && !v.from.After(at) {
				v.change += sum - before[period]
				was += sum - before[period]
				break
			}
		}
	}
	if is != was {
		c.t.Fatalf("balance %d, want %d", is, was)
	}
	c.pass(time.Minute)
}

// sums are what each period did to the balance, and that.
func (c *courses) sums() (of map[string]int64, balance int64) {
	c.t.Helper()
	periods, err := c.ledger.Periods(c.t.Context(), c.client)
	if err != nil {
		c.t.Fatal(err)
	}
	of = map[string]int64{}
	for _, p := range periods {
		n, err := c.ledger.CounterOf(c.t.Context(), c.client, p)
		if err != nil {
			c.t.Fatal(err)
		}
		of[p] = n.Paid + n.Adjusted - n.Fee - n.Cost
	}
	a, err := c.ledger.Account(c.t.Context(), c.client)
	if err != nil {
		c.t.Fatal(err)
	}
	return of, a.Balance
}

// check compares all statements with what happened.
func (c *courses) check() {
	c.t.Helper()
	of, balance := c.sums()
	for period := range of {
		want, sum := Sheet{}, int64(0)
		begun := false
		for _, v := range c.visits {
			switch {
			case v.period == period && !begun:
				begun, want.Opening, want.Own = true, sum, v.change
			case v.period == period:
				want.Between = sum - want.Opening - want.Own
				want.Own += v.change
			}
			if sum += v.change; v.period == period {
				want.Closing = sum
			}
		}
		got, err := c.read(c.ledger, c.book, c.client, period, c.now)
		if err != nil || got != want {
			c.t.Fatalf("at %s, %s of %s: %+v, %v; want %+v\nvisits %+v\nplans\n%s", c.now, period, c.client, got, err, want, c.visits, c.plans())
		}
		if period == c.visits[len(c.visits)-1].period && got.Closing != balance {
			c.t.Fatalf("%s of %s is under way and closes with %d, the balance is %d", period, c.client, got.Closing, balance)
		}
	}
}
