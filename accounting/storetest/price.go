package storetest

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

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
