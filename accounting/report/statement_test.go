package report_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// months is an account of two months: three clients, voids, entries, and two
// versions of a tariff.
func months(t *testing.T) (*embedded.Store, *price.Book, *time.Time) {
	t.Helper()
	now := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	terms := price.Terms{PerMiB: 1_500_001, PerDelivery: 20_000, Increment: 1000, Included: 1 << 20, IncludedDeliveries: 3, Timezone: "Europe/Moscow",
		Bands: []price.Band{{When: "Sa-Su 00:00-24:00", Percent: 50}, {When: "Mo-Tu,Th 22:00-06:00", Percent: 33}}}
	old := storetest.Tariff(t, terms)
	terms.PerMiB++
	book := price.NewBook(old, storetest.Tariff(t, terms))
	s, err := embedded.Open(filepath.Join(t.TempDir(), "account.db"), embedded.Options{Book: book, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	random := rand.New(rand.NewPCG(7, 7))
	for i := range 600 {
		now = now.Add(time.Duration(random.IntN(280)) * time.Minute)
		size := random.Int64N(1 << 20)
		r := storetest.Usage(i, fmt.Sprintf("c%d", i%3), "a@example.org", now, size, size)
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

func TestStatement(t *testing.T) {
	s, book, _ := months(t)
	closing := int64(0)
	for _, period := range []string{"2026-09", "2026-10", "2026-11", "2026-12"} {
		st, err := report.StatementOf(t.Context(), s, book, "c1", period)
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Sum(); err != nil {
			t.Error(err)
		}
		if st.Opening != closing {
			t.Errorf("%s opens with %d, the period before closed with %d", period, st.Opening, closing)
		}
		closing = st.Closing
		if period == "2026-11" && len(st.Usage) < 3 {
			t.Errorf("%+v", st.Usage)
		}
	}
	if a, err := s.Account(t.Context(), "c1"); err != nil || a.Balance != closing {
		t.Errorf("closes with %d, balance %+v, %v", closing, a, err)
	}
	if _, err := report.StatementOf(t.Context(), s, book, "c1", "november"); !errors.Is(err, report.ErrQuery) {
		t.Error(err)
	}
	v, err := report.Verify(t.Context(), s, "", day("2026-01-01"), day("2027-01-01"))
	if err != nil || len(v.Problems) > 0 || v.Clients != 3 || v.Records < 600 {
		t.Error(v, err)
	}
}

// A month of a tariff that begins at another time than the report's does not
// move records from one month to another.
func TestMonthsOfAnotherZone(t *testing.T) {
	tariff := storetest.Tariff(t, price.Terms{PerMiB: 1, Timezone: "Europe/Moscow"})
	book := price.NewBook(tariff)
	s, err := embedded.Open(filepath.Join(t.TempDir(), "account.db"), embedded.Options{Book: book, Now: func() time.Time { return storetest.Now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := storetest.Usage(1, "sales", "a@example.org", time.Date(2026, 10, 31, 22, 0, 0, 0, time.UTC), 10, 10)
	r.Tariff, r.TariffVersion = tariff.Name, tariff.Version()
	if err := s.Put(t.Context(), []accounting.Record{r}); err != nil {
		t.Fatal(err)
	}
	if c, err := s.CounterOf(t.Context(), "sales", "2026-11"); err != nil || c.Charged != 10 {
		t.Errorf("the tariff's month: %+v, %v", c, err)
	}
	rows, err := report.Run(t.Context(), s, report.Query{
		By: []report.Column{report.Client}, From: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC),
		ByRecords: book.Other("UTC"),
	})
	if err != nil || len(rows) != 1 || rows[0].Charged != 10 {
		t.Errorf("October of UTC: %+v, %v", rows, err)
	}
}
