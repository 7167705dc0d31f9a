package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// What comes late to a closed period is not added to money of another currency: it is
// parked, as its void is, also where a period of its own tariff is under way, for the
// balance is one. Where that has the same currency, it counts there.
func testLateCurrency(t *testing.T, o Open) {
	rub := Tariff(t, price.Terms{Name: "rub", PerMiB: 1 << 20})
	week := Tariff(t, price.Terms{Name: "week", PerMiB: 1 << 20, Period: accounting.ByWeek})
	eur := Tariff(t, price.Terms{Name: "eur", PerMiB: 1 << 20, Currency: "EUR"})
	now := time.Date(2026, 10, 20, 12, 0, 0, 0, time.UTC)
	with := defaults()
	with.Book, with.Now = price.NewBook(rub, week, eur), func() time.Time { return now }
	s := open(t, o, with)
	l := s.(accounting.Ledger)
	was := map[string]*price.Tariff{"money": rub, "weeks": week, "same": rub}
	voidable := map[string]accounting.Record{}
	for client, tariff := range was {
		r := under(Usage(1, client, client+"@example.org", now, 1<<20, 1<<20), tariff)
		voidable[client] = r
		put(t, s, r)
	}
	turn := now
	now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	next := map[string]*price.Tariff{"money": eur, "weeks": eur, "same": rub}
	for client, tariff := range next {
		put(t, s, under(Usage(2, client, client+"@example.org", turn.AddDate(0, 0, 2), 1<<20, 1<<20), was[client]))
		plans, err := l.Plans(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		list, err := price.ParsePlans(plans)
		if err != nil {
			t.Fatal(err)
		}
		// In force since the month turned.
		since := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		if ok, err := l.SetPlans(t.Context(), client, plans, list.Now(tariff.Plan(), since).String()); err != nil || !ok {
			t.Fatal(ok, err)
		}
		for _, period := range []string{"2026-10", "2026-W43", "2026-W44"} {
			if err := l.ClosePeriod(t.Context(), client, period); err != nil {
				t.Fatal(err)
			}
		}
		put(t, s, under(Usage(4, client, client+"@example.org", now, 1<<20, 1<<20), tariff))
	}
	before := map[string]int64{}
	for client := range was {
		a, err := l.Account(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		before[client] = a.Balance
		put(t, s, under(Usage(5, client, client+"@example.org", turn.Add(time.Hour), 1<<20, 1<<20), was[client]))
		put(t, s, accounting.VoidOf(voidable[client], now))
	}
	n := 0
	if err := s.Parked(t.Context(), func(r accounting.Record, why string) error {
		if n++; r.Client == "same" || !strings.Contains(why, accounting.ErrCurrency.Error()) {
			t.Errorf("parked: %s: %s", r.ID, why)
		}
		return nil
	}); err != nil || n != 4 {
		t.Errorf("%d parked, %v", n, err)
	}
	for client, balance := range before {
		if a, err := l.Account(t.Context(), client); err != nil || a.Balance != balance {
			t.Errorf("%s: %+v, %v; want %d", client, a, err, balance)
		}
	}
	if c, err := l.CounterOf(t.Context(), "money", "2026-11"); err != nil || c.Deliveries != 1 || c.Cost != 1<<20 || c.Currency != "EUR" {
		t.Errorf("%+v, %v", c, err)
	}
}

// After a switch to another currency nothing of the one before changes the balance:
// neither a void, nor what another gateway had waiting, nor an entry or its reversal.
func testLeftCurrency(t *testing.T, o Open) {
	usd := Tariff(t, price.Terms{Name: "usd", PerMiB: 1 << 20, Currency: "USD"})
	rub := Tariff(t, price.Terms{Name: "rub", PerMiB: 1 << 20, Period: accounting.ByWeek})
	eur := Tariff(t, price.Terms{Name: "eur", PerMiB: 1 << 20, Currency: "EUR"})
	now := Now
	with := defaults()
	with.Book, with.Now = price.NewBook(usd, rub, eur), func() time.Time { return now }
	s := open(t, o, with)
	l := s.(accounting.Ledger)
	held := under(Usage(1, "sales", "a@example.org", Now, 52, 52), usd)
	put(t, s, held)
	enter := func(id, kind, amount, currency string, want error) bool {
		t.Helper()
		r := entry(id, kind, "sales", amount, currency)
		r.Time = now
		if kind == accounting.Fee {
			r.Period = "2026-11"
		}
		ok, err := l.Enter(t.Context(), r)
		if !errors.Is(err, want) {
			t.Errorf("%s of %s: %v, want %v", id, currency, err, want)
		}
		return ok
	}
	enter("paid", accounting.Payment, "52", "USD", nil)
	change := func(to *price.Tariff) {
		t.Helper()
		was, err := l.Plans(t.Context(), "sales")
		if err != nil {
			t.Fatal(err)
		}
		plans, err := price.ParsePlans(was)
		if err != nil {
			t.Fatal(err)
		}
		if done, err := l.SetPlans(t.Context(), "sales", was, plans.Now(to.Plan(), now).String()); !done || err != nil {
			t.Fatal(done, err)
		}
		now = now.Add(time.Minute)
	}
	now = Now.Add(time.Minute)
	waiting := under(Usage(2, "sales", "a@example.org", now, 8, 8), usd)
	now = Now.Add(time.Hour)
	change(rub)
	stands := func(balance int64, ids ...string) {
		t.Helper()
		if a, err := l.Account(t.Context(), "sales"); err != nil || a.Balance != balance {
			t.Errorf("balance %d, %v; want %d", a.Balance, err, balance)
		}
		is := parked(t, s)
		for _, id := range ids {
			if !strings.Contains(is[id], accounting.ErrCurrency.Error()) || !strings.Contains(is[id], "USD") && !strings.Contains(is[id], "EUR") {
				t.Errorf("%s is parked for %q", id, is[id])
			}
		}
		if len(is) != len(ids) {
			t.Errorf("parked: %v, want %v", is, ids)
		}
	}
	void := accounting.VoidOf(held, now)
	for range 2 {
		put(t, s, void, waiting, under(Usage(3, "sales", "a@example.org", now, 100, 100), rub))
	}
	stands(-100, void.ID, waiting.ID)
	enter("wrong", accounting.Payment, "5", "USD", accounting.ErrCurrency)
	enter("back", accounting.Adjust, "-52", "USD", accounting.ErrCurrency)
	enter("fee/sales/2026-11", accounting.Fee, "1", "USD", accounting.ErrCurrency)
	if enter("paid", accounting.Payment, "52", "USD", nil) {
		t.Error("what was booked before was booked again")
	}
	stands(-100, void.ID, waiting.ID)
	if c, err := l.CounterOf(t.Context(), "sales", "2026-11"); err != nil || c.Cost != 52 || c.Paid != 52 || c.Currency != "USD" || c.Fee != 0 {
		t.Errorf("%+v %v", c, err)
	}
	for _, id := range []string{void.ID, waiting.ID} {
		if err := s.ApplyParked(t.Context(), id); !errors.Is(err, accounting.ErrUnfit) {
			t.Errorf("%s: %v", id, err)
		}
	}
	// A third currency has no room in the month that was left.
	if err := price.Room(t.Context(), l, "sales", eur.Plan(), now); !errors.Is(err, price.ErrCurrency) {
		t.Error(err)
	}
	enter("even", accounting.Payment, "100", "RUB", nil)
	change(eur)
	third := under(Usage(4, "sales", "a@example.org", now, 7, 7), eur)
	put(t, s, third)
	enter("third", accounting.Payment, "7", "EUR", accounting.ErrCurrency)
	stands(0, void.ID, waiting.ID, third.ID)
	// Back in the first one all of it counts.
	change(usd)
	for _, id := range []string{void.ID, waiting.ID} {
		if err := s.ApplyParked(t.Context(), id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	stands(52-8, third.ID)
}
