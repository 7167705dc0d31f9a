package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// A balance stands once, in its currency; deliveries without a price do not stand
// beside money that is not for them.
func TestCurrenciesApart(t *testing.T) {
	month := storetest.Tariff(t, price.Terms{PerMiB: 1 << 20})
	daily := storetest.Tariff(t, price.Terms{Name: "daily", Currency: "EUR", PerMiB: 3 << 20, Period: accounting.ByDay})
	s := newStore(t, time.UTC, 0, month, daily)
	at := time.Date(2026, 11, 15, 12, 0, 0, 0, time.UTC)
	n := 0
	put := func(client string, at time.Time, tariff *price.Tariff) {
		t.Helper()
		n++
		r := storetest.Usage(n, client, "a@example.org", at, 10, 10)
		if tariff != nil {
			r.Tariff, r.TariffVersion = tariff.Name, tariff.Version()
		}
		if err := s.Put(t.Context(), []accounting.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	put("free", at, nil)
	put("plant", at, daily)
	put("sales", at, month)
	plans := price.Plans(nil).Now(month.Plan(), at.Add(-time.Hour))
	was, err := s.Plans(t.Context(), "sales")
	if err != nil {
		t.Fatal(err)
	}
	if done, err := s.SetPlans(t.Context(), "sales", was, plans.Now(daily.Plan(), at.Add(time.Hour)).String()); err != nil || !done {
		t.Fatal(done, err)
	}
	text := func(rows []Row) string {
		var list []string
		for _, r := range rows {
			line := fmt.Sprintf("%s%s %d %d %s", r.Client, r.Domain, r.Deliveries, r.Cost, r.Currency)
			if r.Balance != nil {
				line += fmt.Sprintf(" has %d", *r.Balance)
			}
			list = append(list, line)
		}
		return strings.Join(list, ", ")
	}
	run := func(top int, by ...Column) []Row {
		t.Helper()
		rows, err := Run(t.Context(), s, Query{By: by, From: at.AddDate(0, 0, -14), To: at.AddDate(0, 0, 14), ByRecords: true, Top: top})
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	check := func(what string, got []Row, want string) {
		t.Helper()
		if text(got) != want {
			t.Errorf("%s: %s, want %s", what, text(got), want)
		}
	}
	// Its mail was in roubles, its account is in euro.
	check("before", run(0, Client), "free 1 0  has 0, plant 1 30 EUR has -30, sales 1 10 RUB, sales 0 0 EUR has -10")
	put("sales", at.Add(2*time.Hour), daily)
	rows := run(0, Client)
	check("by client", rows, "free 1 0  has 0, plant 1 30 EUR has -30, sales 1 30 EUR has -40, sales 1 10 RUB")
	check("totals", Totals(rows), " 2 60 EUR,  1 10 RUB,  1 0 ")
	check("by domain", run(0, Domain), "example.org 1 0 , example.org 2 60 EUR, example.org 1 10 RUB")
}
