package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// A tariff that is to hold at once does: what was accepted before counts in the
// period before, also when it comes late; what other gateways still tell of the
// tariff before does not bring it back.
func testSwitch(t *testing.T, o Open) {
	month := Tariff(t, price.Terms{PerMiB: 1 << 20})
	dearer := Tariff(t, price.Terms{Name: "dearer", PerMiB: 3 << 20})
	week := Tariff(t, price.Terms{Name: "weekly", PerMiB: 2 << 20, Period: accounting.ByWeek, Currency: "EUR"})
	euro := Tariff(t, price.Terms{Name: "euro", Currency: "EUR"})
	now := Now
	with := defaults()
	with.Book, with.Now = price.NewBook(month, dearer, week, euro), func() time.Time { return now }
	s := open(t, o, with)
	ledger, ok := s.(accounting.Ledger)
	if !ok {
		t.Fatal("no ledger")
	}
	add := func(n int, at time.Time, tariff *price.Tariff) {
		t.Helper()
		now = at
		put(t, s, under(Usage(n, "sales", "a@example.org", at, 10, 10), tariff))
	}
	change := func(to *price.Tariff, want error) {
		t.Helper()
		was, err := ledger.Plans(t.Context(), "sales")
		if err != nil {
			t.Fatal(err)
		}
		plans, err := price.ParsePlans(was)
		if err != nil {
			t.Fatal(err)
		}
		next, err := plans.Switch(to.Plan(), now)
		if !errors.Is(err, want) {
			t.Fatalf("%v, want %v", err, want)
		}
		if err != nil {
			return
		}
		if done, err := ledger.SetPlans(t.Context(), "sales", was+"x", next.String()); done || err != nil {
			t.Errorf("over other plans: %v %v", done, err)
		}
		if done, err := ledger.SetPlans(t.Context(), "sales", was, next.String()); !done || err != nil {
			t.Errorf("%v %v", done, err)
		}
	}
	cost := func(period string, want int64, currency string) {
		t.Helper()
		if got := counter(t, s, "sales", period); got.Cost != want || got.Currency != currency {
			t.Errorf("%s: %+v, want %d %s", period, got, want, currency)
		}
	}
	add(1, Now, month)
	change(euro, price.ErrCurrency)
	change(dearer, nil)
	add(2, Now.Add(time.Second), dearer)
	add(3, Now.Add(2*time.Second), month) // a gateway that does not know yet
	add(4, Now.Add(-time.Second), month)  // late
	cost("2026-11", 10+30+30+10, "RUB")
	now = Now.Add(time.Hour)
	add(5, now, week) // from the next month on
	change(week, nil)
	add(6, now.Add(time.Second), week)
	add(7, Now.Add(time.Minute), dearer) // late
	cost("2026-11", 80+30+30, "RUB")
	cost("2026-W48", 20, "EUR")
	if got := counter(t, s, "sales", "2026-11"); got.Deliveries != 7 {
		t.Errorf("the month counts deliveries always: %+v", got)
	}
	plans, err := ledger.Plans(t.Context(), "sales")
	if err != nil {
		t.Fatal(err)
	}
	if list, err := price.ParsePlans(plans); err != nil || len(list) != 3 || list.At(Now.Add(2*time.Hour)) != list[2] {
		t.Errorf("%s: %v", plans, err)
	}
	// One that nobody has seen yet.
	first, err := price.Plans(nil).Switch(week.Plan(), now)
	if err != nil {
		t.Fatal(err)
	}
	if done, err := ledger.SetPlans(t.Context(), "new", "", first.String()); !done || err != nil {
		t.Errorf("%v %v", done, err)
	}
	if a, err := ledger.Account(t.Context(), "new"); err != nil || a.Tariff != "weekly" {
		t.Errorf("%+v %v", a, err)
	}
	if p := parked(t, s); len(p) > 0 {
		t.Error(p)
	}
}

// What a new client pays before its first message counts in the period of its tariff, as
// what it pays afterwards does.
func testFirstPayment(t *testing.T, o Open) {
	daily := Tariff(t, price.Terms{PerMiB: 1 << 20, Period: accounting.ByDay, Timezone: "Europe/Moscow"})
	with := defaults()
	with.Book = price.NewBook(daily)
	s := open(t, o, with)
	l := s.(accounting.Ledger)
	pay := func(id string) {
		t.Helper()
		for range 2 {
			if err := price.Under(t.Context(), l, "sales", daily, Now); err != nil {
				t.Fatal(err)
			}
		}
		if ok, err := l.Enter(t.Context(), entry(id, accounting.Payment, "sales", "250", "RUB")); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	pay("first")
	put(t, s, under(Usage(1, "sales", "a@example.org", Now, 10, 10), daily))
	pay("second")
	day := daily.PeriodOf(Now)
	if c, err := l.CounterOf(t.Context(), "sales", day); err != nil || c.Paid != 500 || c.Cost != 10 {
		t.Errorf("%s: %+v, %v", day, c, err)
	}
	if p, err := l.Periods(t.Context(), "sales"); err != nil || len(p) != 1 {
		t.Error(p, err)
	}
	if err := price.Under(t.Context(), l, "other", nil, Now); err != nil {
		t.Error(err)
	}
}
