package storetest

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Tariff makes one; what the terms leave out is "office" in roubles, by the
// byte and the month of UTC.
func Tariff(t testing.TB, terms price.Terms) *price.Tariff {
	t.Helper()
	for into, value := range map[*string]string{&terms.Name: "office", &terms.Currency: "RUB", &terms.Period: accounting.ByMonth, &terms.Timezone: "UTC"} {
		if *into == "" {
			*into = value
		}
	}
	if terms.Increment == 0 {
		terms.Increment = 1
	}
	tariff, err := price.New(terms)
	if err != nil {
		t.Fatal(err)
	}
	return tariff
}

// under puts a record under a tariff.
func under(r accounting.Record, t *price.Tariff) accounting.Record {
	r.Tariff, r.TariffVersion = t.Name, t.Version()
	return r
}

// model is what a client's period must say, made apart from the product's
// arithmetic: of fractions.
type model struct {
	deliveries, charged, priced, included, free int64
	cost                                        *big.Rat // millionths
}

// apply adds a record, and returns what it cost.
func (m *model) apply(r *accounting.Record, terms price.Terms, percent int64) (priced, included, free int64, amount *big.Rat) {
	priced = r.Charged
	for priced%terms.Increment != 0 {
		priced++
	}
	paid := priced
	if left := terms.Included - m.included; left > 0 {
		paid -= min(paid, left)
	}
	amount = big.NewRat(terms.PerMiB, 1<<20)
	amount.Mul(amount, big.NewRat(paid, 1))
	if m.free < terms.IncludedDeliveries {
		free = 1
	} else {
		amount.Add(amount, big.NewRat(terms.PerDelivery, 1))
	}
	amount.Mul(amount, big.NewRat(percent, 100))
	m.add(1, r.Charged, priced, priced-paid, free, amount)
	return priced, priced - paid, free, amount
}

func (m *model) add(deliveries, charged, priced, included, free int64, amount *big.Rat) {
	m.deliveries, m.charged, m.priced = m.deliveries+deliveries, m.charged+charged, m.priced+priced
	m.included, m.free = m.included+included, m.free+free
	if m.cost == nil {
		m.cost = new(big.Rat)
	}
	m.cost.Add(m.cost, amount)
}

// split is a cost in whole millionths, rounded down, and parts of one.
func (m *model) split() (whole, parts int64) {
	if m.cost == nil {
		return 0, 0
	}
	n := new(big.Int).Mul(m.cost.Num(), big.NewInt(price.Parts))
	n.Quo(n, m.cost.Denom())
	w, p := new(big.Int).DivMod(n, big.NewInt(price.Parts), new(big.Int))
	return w.Int64(), p.Int64()
}

func (m *model) check(t *testing.T, what string, c accounting.Counter) {
	t.Helper()
	whole, parts := m.split()
	if c.Deliveries != m.deliveries || c.Charged != m.charged || c.Priced != m.priced || c.Included != m.included ||
		c.IncludedDeliveries != m.free || c.Cost != whole || c.Frac != parts {
		t.Fatalf("%s: got %+v\nwant %+v, cost %d and %d parts", what, c, m, whole, parts)
	}
}

// counter of a client, or one with nothing in it.
func counter(t *testing.T, s accounting.Store, client, period string) accounting.Counter {
	t.Helper()
	for _, c := range counters(t, s, period) {
		if c.Client == client {
			return c
		}
	}
	return accounting.Counter{Client: client, Period: period}
}

// Whatever records and voids come, in whatever order, batches and how often:
// sums are those of the model in the order of application, which the list of
// records tells.
func testPrices(t *testing.T, o Open) {
	const seed = 20261128
	random := rand.New(rand.NewPCG(seed, seed))
	terms := []price.Terms{
		{PerMiB: 1_500_000, PerDelivery: 20_000, Increment: 1024, Included: 3 << 30, IncludedDeliveries: 20},
		{PerMiB: 7, PerDelivery: 1, Included: 1 << 20, Bands: []price.Band{{When: "Sa-Su 00:00-24:00", Percent: 33}, {When: "Mo 08:00-12:00", Percent: 0}}},
		{PerMiB: 100_000_000_001, Increment: 7, Included: 5_000, Bands: []price.Band{{When: "Mo-Fr 00:00-24:00", Percent: 1000}}},
		{Name: "free"},
	}
	var tariffs []*price.Tariff
	byVersion := map[string]price.Terms{}
	for i := range terms {
		if terms[i].Name == "" {
			terms[i].Name = fmt.Sprintf("t%d", i)
		}
		// Two versions of each, which share a client's periods.
		for range 2 {
			tariff := Tariff(t, terms[i])
			tariffs, byVersion[tariff.Version()] = append(tariffs, tariff), tariff.Terms
			terms[i].PerDelivery++
		}
	}
	with := defaults()
	with.Book = price.NewBook(tariffs...)
	s := open(t, o, with)
	var records []accounting.Record
	for i := range 600 {
		client := random.IntN(4)
		size := random.Int64N(1 << uint(1+random.IntN(33)))
		r := Usage(i, fmt.Sprintf("c%d", client), fmt.Sprintf("u%d@example.org", random.IntN(9)), Now.Add(-time.Duration(random.IntN(500))*time.Hour), size, random.Int64N(size+1))
		r = under(r, tariffs[2*client+random.IntN(2)])
		records = append(records, r)
		if random.IntN(4) == 0 {
			records = append(records, accounting.VoidOf(r, r.Time.Add(time.Duration(random.IntN(400))*time.Second)))
		}
	}
	for range 3 {
		random.Shuffle(len(records), func(i, k int) { records[i], records[k] = records[k], records[i] })
		for at := 0; at < len(records); {
			end := min(at+1+random.IntN(60), len(records))
			put(t, s, records[at:end]...)
			at = end
		}
	}
	if p := parked(t, s); len(p) > 0 {
		t.Fatalf("parked: %v", p)
	}
	n := 0
	for _, client := range []string{"c0", "c1", "c2", "c3"} {
		models := map[string]*model{}
		added := map[string]accounting.Record{}
		for _, r := range all(t, s, client, Now.AddDate(0, -2, 0), Now.Add(time.Hour)) {
			n++
			period := r.Origin().Format("2006-01")
			m := models[period]
			if m == nil {
				m = &model{}
				models[period] = m
			}
			switch {
			case r.Effect == accounting.NoEffect:
			case r.Kind == accounting.Usage:
				t2 := byVersion[r.TariffVersion]
				percent := int64(100)
				for _, b := range t2.Bands {
					if schedule, err := accounting.ParseSchedule(b.When); err != nil || schedule.Contains(r.Time.UTC()) {
						percent = b.Percent
					}
				}
				priced, included, free, amount := m.apply(&r, t2, percent)
				got, ok := new(big.Rat).SetString(r.Amount)
				if !ok || got.Cmp(amount) != 0 || r.Priced != priced || r.Included != included || r.IncludedDelivery != free || r.Currency != "RUB" {
					t.Fatalf("%+v\nwant priced %d, included %d, %d, amount %s", r, priced, included, free, amount.FloatString(22))
				}
				added[r.ID] = r
			default:
				was := added[r.Voids]
				amount, _ := new(big.Rat).SetString(was.Amount)
				if r.Amount != was.Amount || r.Priced != was.Priced {
					t.Fatalf("%+v voids %+v", r, was)
				}
				m.add(-1, -was.Charged, -was.Priced, -was.Included, -was.IncludedDelivery, amount.Neg(amount))
			}
		}
		for period, m := range models {
			m.check(t, client+" "+period, counter(t, s, client, period))
		}
	}
	if n != len(records) {
		t.Errorf("%d records are listed, want %d", n, len(records))
	}
}

// Records of which the included volume covers a part, with products beyond
// what a double holds.
func testStraddling(t *testing.T, o Open) {
	for i, terms := range []price.Terms{
		{PerMiB: 1, Included: 1},
		{PerMiB: 9_999_999, PerDelivery: 999_999_999, Included: 1<<53 - 12345, Bands: []price.Band{{When: "Mo-Su 00:00-24:00", Percent: 1000}}},
		{PerMiB: 123_456_789_012_345, PerDelivery: 1, Included: 777_777_777},
		{PerMiB: 104_857_600, Included: 99},
	} {
		tariff := Tariff(t, terms)
		with := defaults()
		with.Book = price.NewBook(tariff)
		s := open(t, o, with)
		client := fmt.Sprintf("c%d", i)
		m := &model{}
		percent := int64(100)
		if len(terms.Bands) > 0 {
			percent = terms.Bands[0].Percent
		}
		left := terms.Included
		for k, n := range []int64{min(left, left/2+1), left - min(left, left/2+1) + 1234567, 3, 1 << 20} {
			r := under(Usage(100*i+k, client, "a@example.org", Now, n, n), tariff)
			_, _, _, amount := m.apply(&r, tariff.Terms, percent)
			put(t, s, r)
			list := all(t, s, client, Now, Now.Add(time.Hour))
			if got, ok := new(big.Rat).SetString(list[len(list)-1].Amount); !ok || got.Cmp(amount) != 0 {
				t.Errorf("%s: record %d costs %s, want %s", client, k, list[len(list)-1].Amount, amount.FloatString(22))
			}
			m.check(t, client, counter(t, s, client, "2026-11"))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A record that is followed by its void, whatever came in between, leaves
// every sum as if neither had been.
func testVoidedPrice(t *testing.T, o Open) {
	tariff := Tariff(t, price.Terms{PerMiB: 1_500_001, PerDelivery: 33, Increment: 3, Included: 1000, IncludedDeliveries: 2})
	with := defaults()
	with.Book = price.NewBook(tariff)
	s := open(t, o, with)
	var kept accounting.Record
	for i := range 40 {
		r := under(Usage(i, "sales", "a@example.org", Now.Add(time.Duration(i)*time.Second), int64(100*i+7), int64(100*i+7)), tariff)
		before := counters(t, s, "2026-11")
		put(t, s, r)
		if i%2 == 0 {
			put(t, s, accounting.VoidOf(r, Now.Add(time.Hour)))
			if after := counters(t, s, "2026-11"); i > 2 && !reflect.DeepEqual(before, after) {
				t.Fatalf("record %d and its void:\ngot  %+v\nwant %+v", i, after, before)
			}
			continue
		}
		if i == 21 {
			kept = r
		}
	}
	// What was priced since is not priced anew: the sum of exact amounts holds.
	put(t, s, accounting.VoidOf(kept, Now.Add(time.Hour)))
	sum := new(big.Rat)
	for _, r := range all(t, s, "sales", Now, Now.Add(time.Hour)) {
		a, ok := new(big.Rat).SetString(r.Amount)
		if !ok {
			t.Fatalf("%+v", r)
		}
		if r.Kind == accounting.Void {
			a.Neg(a)
		}
		sum.Add(sum, a)
	}
	c := counter(t, s, "sales", "2026-11")
	if got := big.NewRat(c.Cost*price.Parts+c.Frac, price.Parts); got.Cmp(sum) != 0 {
		t.Errorf("%+v, want %s", c, sum.FloatString(22))
	}
}

// A client that gets another tariff is under it from the next period on, where
// periods are of another kind as well.
func testChangedTariff(t *testing.T, o Open) {
	month := Tariff(t, price.Terms{PerMiB: 1 << 20})
	week := Tariff(t, price.Terms{Name: "weekly", PerMiB: 2 << 20, Period: accounting.ByWeek, Currency: "EUR"})
	now := Now
	with := defaults()
	with.Book, with.Now = price.NewBook(month, week), func() time.Time { return now }
	s := open(t, o, with)
	at := func(d int) time.Time { return Now.AddDate(0, 0, d) }
	add := func(n, day int, tariff *price.Tariff) {
		t.Helper()
		now = at(day)
		put(t, s, under(Usage(n, "sales", "a@example.org", at(day), 10, 10), tariff))
	}
	add(1, 0, month)
	add(2, 1, week)  // Tuesday of November: the month goes on
	add(3, 8, week)  // the 1st of December
	add(4, 14, week) // Monday
	late := Usage(5, "sales", "a@example.org", at(-1), 10, 10)
	put(t, s, under(late, month))
	for period, want := range map[string]accounting.Counter{
		"2026-11":  {Deliveries: 3, Charged: 30, Cost: 30, Currency: "RUB"},
		"2026-W49": {Deliveries: 1, Charged: 10, Cost: 20, Currency: "EUR"},
		"2026-W50": {Deliveries: 1, Charged: 10, Cost: 20, Currency: "EUR"},
		"2026-12":  {Deliveries: 2, Charged: 20, Cost: 0, Currency: ""}, // money is the weeks'

	} {
		got := counter(t, s, "sales", period)
		if got.Deliveries != want.Deliveries || got.Charged != want.Charged || got.Cost != want.Cost || want.Currency != "" && got.Currency != want.Currency {
			t.Errorf("%s: %+v, want %+v", period, got, want)
		}
	}
	list := all(t, s, "sales", at(-2), at(20))
	if len(list) != 5 {
		t.Fatalf("%v", recordIDs(list))
	}
	for _, r := range list {
		if want := month.Name; (r.Time.Month() == time.November) != (r.Tariff == want) {
			t.Errorf("%s of %s is under %s", r.ID, r.Time, r.Tariff)
		}
	}
	put(t, s, accounting.VoidOf(list[0], at(14)))
	if p := parked(t, s); len(p) > 0 {
		t.Error(p)
	}
}

// A record under terms that nobody knows waits for the operator, never is it
// priced wrongly.
func testUnknownTerms(t *testing.T, o Open) {
	s := open(t, o, defaults())
	r := Usage(1, "sales", "a@example.org", Now, 10, 10)
	r.Tariff, r.TariffVersion = "office", "0123456789abcdef"
	dear := Tariff(t, price.Terms{PerMiB: price.MaxMoney})
	with := defaults()
	with.Book = price.NewBook(dear)
	put(t, s, r)
	if p := parked(t, s); len(p) != 1 {
		t.Fatalf("parked: %v", p)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o, with)
	put(t, s, under(Usage(2, "big", "a@example.org", Now, 1<<52, 1<<52), dear))
	if p := parked(t, s); len(p) != 2 || len(counters(t, s, "2026-11")) != 0 {
		t.Errorf("parked: %v; %+v", p, counters(t, s, "2026-11"))
	}
}

// The store keeps the terms that records name: whoever opens it later prices
// by them.
func testKeptTerms(t *testing.T, o Open) {
	tariff := Tariff(t, price.Terms{PerMiB: 1 << 20})
	with := defaults()
	with.Book = price.NewBook(tariff)
	s := open(t, o, with)
	put(t, s, under(Usage(1, "sales", "a@example.org", Now, 10, 10), tariff))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o, defaults())
	put(t, s, under(Usage(2, "sales", "a@example.org", Now, 10, 10), tariff))
	if c := counter(t, s, "sales", "2026-11"); c.Cost != 20 {
		t.Errorf("%+v; parked %v", c, parked(t, s))
	}
}

// An entry is booked once for its id, wherever it is asked for, and for ever.
func testEntries(t *testing.T, o Open) {
	tariff := Tariff(t, price.Terms{PerMiB: 1 << 20})
	now := Now
	with := defaults()
	with.Book, with.Now = price.NewBook(tariff), func() time.Time { return now }
	s := open(t, o, with)
	l := s.(accounting.Ledger)
	put(t, s, under(Usage(1, "sales", "a@example.org", Now, 10, 10), tariff))
	entry := func(kind, id, amount string) accounting.Record {
		return accounting.Record{ID: id, Kind: kind, Time: now, Gateway: "mx1", Client: "sales", Amount: amount, By: "root", Note: "because", Currency: "RUB"}
	}
	enter := func(r accounting.Record, want bool) {
		t.Helper()
		if got, err := l.Enter(t.Context(), r); err != nil || got != want {
			t.Fatalf("%s: %v, %v", r.ID, got, err)
		}
	}
	enter(entry(accounting.Payment, "p1", "1000000"), true)
	enter(entry(accounting.Payment, "p1", "1000000"), false)
	enter(entry(accounting.Adjust, "a1", "-30"), true)
	fee := entry(accounting.Fee, "fee/sales/2026-11", "500")
	fee.Period = "2026-11"
	enter(fee, true)
	now = now.AddDate(0, 0, 100)
	enter(entry(accounting.Payment, "p1", "1000000"), false)
	if _, err := l.Enter(t.Context(), entry(accounting.Payment, "p1", "1000001")); !errors.Is(err, accounting.ErrConflict) {
		t.Errorf("another amount: %v", err)
	}
	if _, err := l.Enter(t.Context(), entry(accounting.Payment, "p2", "x")); err == nil {
		t.Error("no amount")
	}
	c := counter(t, s, "sales", "2026-11")
	if c.Paid != 1000000 || c.Adjusted != -30 || c.Fee != 500 || c.Cost != 10 {
		t.Errorf("%+v", c)
	}
	if a, err := l.Account(t.Context(), "sales"); err != nil || a.Balance != 1000000-30-500-10 || a.Tariff != "office" || a.Currency != "RUB" {
		t.Errorf("%+v, %v", a, err)
	}
	if list := all(t, s, "sales", Now, Now.Add(time.Hour)); len(list) != 4 || list[1].By != "root" || list[1].Note != "because" {
		t.Errorf("%+v", list)
	}
	if c := counter(t, s, "sales", "2027-03"); c.Paid != 0 {
		t.Errorf("%+v", c)
	}
}

// Who is told of a client's account hears of it after each change.
func testStanding(t *testing.T, o Open) {
	tariff := Tariff(t, price.Terms{PerMiB: 1 << 20})
	var last accounting.Standing
	with := defaults()
	with.Book = price.NewBook(tariff)
	with.Standing = func(list []accounting.Standing) { last = list[len(list)-1] }
	s := open(t, o, with)
	r := under(Usage(1, "sales", "a@example.org", Now, 10, 10), tariff)
	put(t, s, r)
	if last.Change == [2]uint64{} {
		t.Error("the change has no number")
	}
	before := last
	last.Change = [2]uint64{}
	want := accounting.Standing{Client: "sales", Balance: -10, Period: "2026-11", Used: 10, Day: "2026-11-23", UsedDay: 10}
	if last != want {
		t.Errorf("%+v", last)
	}
	put(t, s, accounting.VoidOf(r, Now))
	want.Balance, want.Used, want.UsedDay = 0, 0, 0
	if !before.Before(last) {
		t.Errorf("%v is not after %v", last, before)
	}
	read, err := s.(accounting.Ledger).Standings(t.Context(), []accounting.Standing{{Client: "sales", Period: "2026-11", Day: "2026-11-23"}})
	if err != nil || len(read) != 1 || read[0] != last {
		t.Errorf("read %+v, %v; told %+v", read, err, last)
	}
	last.Change = [2]uint64{}
	if last != want {
		t.Errorf("after the void: %+v", last)
	}
}
