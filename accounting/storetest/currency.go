package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// What comes late to a closed period is not added to money of another currency: it is
// parked, as its void is. Where the period under way has another name, or the same
// currency, it counts there.
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
		if n++; r.Client != "money" || !strings.Contains(why, accounting.ErrCurrency.Error()) {
			t.Errorf("parked: %s: %s", r.ID, why)
		}
		return nil
	}); err != nil || n != 2 {
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
