package storetest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Months fills a store with an account of two months: three clients, voids,
// entries, and two versions of a tariff. The store is opened with the book and
// the clock that it is given; the clock ends after both months.
func Months[S interface {
	accounting.Store
	accounting.Ledger
}](t *testing.T, open func(book *price.Book, now func() time.Time) S) (S, *price.Book, *time.Time) {
	t.Helper()
	now := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	terms := price.Terms{PerMiB: 1_500_001, PerDelivery: 20_000, Increment: 1000, Included: 1 << 20, IncludedDeliveries: 3, Timezone: "Europe/Moscow",
		Bands: []price.Band{{When: "Sa-Su 00:00-24:00", Percent: 50}, {When: "Mo-Tu,Th 22:00-06:00", Percent: 33}}}
	old := Tariff(t, terms)
	terms.PerMiB++
	book := price.NewBook(old, Tariff(t, terms))
	s := open(book, func() time.Time { return now })
	random := rand.New(rand.NewPCG(7, 7))
	for i := range 600 {
		now = now.Add(time.Duration(random.IntN(280)) * time.Minute)
		size := random.Int64N(1 << 20)
		r := Usage(i, fmt.Sprintf("c%d", i%3), "a@example.org", now, size, size)
		if i%3 > 0 {
			v := book.All()[i/300]
			r.Tariff, r.TariffVersion = v.Name, v.Version()
		}
		batch := []accounting.Record{r}
		if i%7 == 0 {
			batch = append(batch, accounting.VoidOf(r, now))
		}
		if err := s.Put(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		if i%50 == 0 {
			kind := []string{accounting.Payment, accounting.Adjust, accounting.Fee}[i/50%3]
			if _, err := s.Enter(t.Context(), accounting.Record{ID: "e" + strconv.Itoa(i), Kind: kind, Time: now, Gateway: "mx1", Client: "c1", Amount: strconv.Itoa(1000 * (i + 1)), Currency: "RUB", By: "root"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	now = time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)
	return s, book, &now
}

// Who was not known when a period was closed opens no account in it: what comes
// late counts in the open one, and its void takes it back there.
func testLateStranger(t *testing.T, o Open) {
	s := open(t, o, defaults())
	l := s.(accounting.Ledger)
	october := time.Date(2026, 10, 30, 12, 0, 0, 0, time.UTC)
	if err := l.SetClose(t.Context(), accounting.Close{Number: 1, Period: "2026-10", Hash: "x", Time: "2026-11-02T00:00:00Z", By: "root"}); err != nil {
		t.Fatal(err)
	}
	late := Usage(1, "stranger", "a@example.org", october, 50, 50)
	early := Usage(2, "other", "b@example.org", october, 60, 60) // its void comes first
	put(t, s, late, accounting.VoidOf(early, Now), early)
	for _, client := range []string{"stranger", "other"} {
		if err := l.RecordsOf(t.Context(), client, "2026-10", func(r accounting.Record) error {
			t.Errorf("%s got a line in a closed period: %+v", client, r)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if c := counter(t, s, "stranger", "2026-11"); c.Deliveries != 1 || c.Charged != 50 {
		t.Errorf("the open period: %+v", c)
	}
	if c := counter(t, s, "stranger", "2026-10"); c.Deliveries != 0 {
		t.Errorf("the closed period: %+v", c)
	}
	effect := ""
	if err := l.RecordsOf(t.Context(), "stranger", "2026-11", func(r accounting.Record) error {
		effect = r.Effect
		return nil
	}); err != nil || effect != accounting.Adjustment {
		t.Errorf("effect %q, %v", effect, err)
	}
	put(t, s, accounting.VoidOf(late, Now), late)
	if c := counter(t, s, "stranger", "2026-11"); c.Deliveries != 0 || c.Charged != 0 {
		t.Errorf("after its void: %+v", c)
	}
}
