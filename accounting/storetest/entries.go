package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// entry is one of a client's, now.
func entry(id, kind, client, amount, currency string) accounting.Record {
	return accounting.Record{ID: id, Kind: kind, Time: Now, Gateway: "mx1", Client: client, Amount: amount, Currency: currency, By: "root"}
}

// To a clock that is years behind, what was closed long ago is the period under
// way, and so are many behind it: nothing counts in them, of nobody.
func testClockBack(t *testing.T, o Open) {
	now := Now
	with := defaults()
	with.Now = func() time.Time { return now }
	s := open(t, o, with)
	l := s.(accounting.Ledger)
	put(t, s, Usage(1, "known", "a@example.org", Now.AddDate(0, -1, 0), 9, 9))
	const months = 30
	first := time.Date(2024, 5, 15, 0, 0, 0, 0, time.UTC)
	for i := range months {
		period := accounting.Month(first.AddDate(0, i, 0), time.UTC)
		if err := l.ClosePeriod(t.Context(), "known", period); err != nil {
			t.Fatal(err)
		}
		if err := l.SetClose(t.Context(), accounting.Close{Number: i + 1, Period: period, Hash: "x", Time: "2026-11-02T00:00:00Z", By: "root"}); err != nil {
			t.Fatal(err)
		}
	}
	now = first.AddDate(0, 3, 0)
	put(t, s, Usage(2, "known", "a@example.org", now, 50, 50), Usage(3, "new", "b@example.org", now, 60, 60))
	paid := entry("p1", accounting.Payment, "payer", "7", "")
	paid.Time = now
	if ok, err := l.Enter(t.Context(), paid); err != nil || !ok {
		t.Fatal(ok, err)
	}
	for client, want := range map[string]int64{"known": 50, "new": 60, "payer": 0} {
		for i := range months {
			period := accounting.Month(first.AddDate(0, i, 0), time.UTC)
			if c, err := l.CounterOf(t.Context(), client, period); err != nil || c.Charged+c.Paid > 0 && !(client == "known" && period == "2026-10" && c.Charged == 9) {
				t.Errorf("%s, %s was closed: %+v, %v", client, period, c, err)
			}
		}
		if c, err := l.CounterOf(t.Context(), client, "2026-11"); err != nil || c.Charged != want || client == "payer" && c.Paid != 7 {
			t.Errorf("%s: %+v, %v", client, c, err)
		}
	}
}

// What was reversed is not reversed again under another id, also when several ask
// for it at once; a reversal itself may be.
func testReversals(t *testing.T, o Open) {
	s := open(t, o, defaults())
	l := s.(accounting.Ledger)
	enter := func(id, reverses, amount string) error {
		r := entry(id, accounting.Adjust, "sales", amount, "RUB")
		r.Reverses = reverses
		_, err := l.Enter(t.Context(), r)
		return err
	}
	if err := enter("p1", "", "100"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := map[string]bool{}
	for i := range 8 {
		wg.Go(func() {
			id := fmt.Sprint("r", i%4)
			switch err := enter(id, "p1", "-100"); {
			case err == nil:
				mu.Lock()
				done[id] = true
				mu.Unlock()
			case !errors.Is(err, accounting.ErrReversed):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(done) != 1 {
		t.Errorf("reversed by %v", done)
	}
	for id := range done {
		if err := errors.Join(enter("again", id, "100"), enter("again", id, "100")); err != nil {
			t.Error(err)
		}
		if err := enter("more", id, "100"); !errors.Is(err, accounting.ErrReversed) {
			t.Error(err)
		}
	}
	if a, err := l.Account(t.Context(), "sales"); err != nil || a.Balance != 100 {
		t.Errorf("%+v, %v", a, err)
	}
}

// All money of a period is of one currency; of a payment of which it is not known,
// it follows.
func testCurrencies(t *testing.T, o Open) {
	euro := Tariff(t, price.Terms{PerMiB: 1 << 20, Currency: "EUR"})
	with := defaults()
	with.Book = price.NewBook(euro)
	s := open(t, o, with)
	l := s.(accounting.Ledger)
	if _, err := l.Enter(t.Context(), entry("p1", accounting.Payment, "sales", "100", "")); err != nil {
		t.Fatal(err)
	}
	put(t, s, under(Usage(1, "sales", "a@example.org", Now, 10, 10), euro))
	if c, err := l.CounterOf(t.Context(), "sales", "2026-11"); err != nil || c.Currency != "EUR" || c.Paid != 100 || c.Cost != 10 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := l.Enter(t.Context(), entry("p2", accounting.Payment, "sales", "1", "USD")); !errors.Is(err, accounting.ErrCurrency) {
		t.Errorf("dollars among euros: %v", err)
	}
	if ok, err := l.Enter(t.Context(), entry("p2", accounting.Payment, "sales", "1", "EUR")); err != nil || !ok {
		t.Errorf("%v, %v", ok, err)
	}
	if a, err := l.Account(t.Context(), "sales"); err != nil || a.Balance != 91 {
		t.Errorf("%+v, %v", a, err)
	}
	list, err := l.Accounts(t.Context(), []string{"nobody", "sales"})
	if err != nil || len(list) != 2 || list[0].Client != "nobody" || list[0].Balance != 0 || list[1].Balance != 91 || list[1].Currency != "EUR" || list[1].Tariff != "office" {
		t.Errorf("%+v, %v", list, err)
	}
}
