package storetest

import (
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

// A client that gets another tariff is under it from the next period on, where
// periods are of another kind as well.
func testChangedTariff(t *testing.T, o Open) {
	month := Tariff(t, price.Terms{PerMiB: 1 << 20})
	week := Tariff(t, price.Terms{Name: "weekly", PerMiB: 2 << 20, Period: accounting.ByWeek})
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
		"2026-W49": {Deliveries: 1, Charged: 10, Cost: 20, Currency: "RUB"},
		"2026-W50": {Deliveries: 1, Charged: 10, Cost: 20, Currency: "RUB"},
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
