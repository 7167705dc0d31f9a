package daemon

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/closing"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// A void of a record that is in an archive is parked; applied it gives back what
// the record cost, in the open period, once.
func TestArchivedVoid(t *testing.T) {
	now := time.Date(2026, 10, 30, 12, 0, 0, 0, time.UTC)
	tariff := storetest.Tariff(t, price.Terms{PerMiB: 1 << 20, PerDelivery: 5})
	dir := t.TempDir()
	s, err := embedded.Open(filepath.Join(dir, "account.db"), embedded.Options{Now: func() time.Time { return now }, Book: price.NewBook(tariff)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	sent := storetest.Usage(1, "a", "a@example.org", now, 100, 100)
	sent.Tariff, sent.TariffVersion = tariff.Name, tariff.Version()
	if err := s.Put(t.Context(), []accounting.Record{sent}); err != nil {
		t.Fatal(err)
	}
	now = now.AddDate(0, 0, 5)
	if _, err := closing.Close(t.Context(), s, closing.Query{Period: "2026-10", Now: now, By: "root", Force: true, Archive: dir, Temp: dir}); err != nil {
		t.Fatal(err)
	}
	void := accounting.VoidOf(sent, now)
	if err := s.Put(t.Context(), []accounting.Record{void}); err != nil {
		t.Fatal(err)
	}
	apply := func(want string) {
		t.Helper()
		rows, err := DecideParked(t.Context(), s, ParkedRequest{Do: ParkedApply, IDs: []string{void.ID}}, "ivan")
		if err != nil || len(rows) != 1 || rows[0].Result != want {
			t.Fatalf("%+v, %v", rows, err)
		}
	}
	apply("adjusted")
	apply("absent")
	if err := s.Put(t.Context(), []accounting.Record{void}); err != nil { // the spool brings it again
		t.Fatal(err)
	}
	apply("absent")
	a, err := s.Account(t.Context(), "a")
	if err != nil || a.Balance != 0 {
		t.Errorf("balance %d, %v", a.Balance, err)
	}
	var entries []accounting.Record
	if err := s.RecordsOf(t.Context(), "a", accounting.Month(time.Now(), time.UTC), func(r accounting.Record) error {
		entries = append(entries, r)
		return nil
	}); err != nil || len(entries) != 1 || entries[0].Amount != "105" || entries[0].By != "ivan" || entries[0].Reverses != sent.ID {
		t.Errorf("%+v, %v", entries, err)
	}
	c, err := s.CounterOf(t.Context(), "a", "2026-10")
	if err != nil || c.Cost != 105 || c.Deliveries != 1 {
		t.Errorf("the closed period: %+v, %v", c, err)
	}
}

// Voids of the currency that an account has left stay parked, with the reason, whether
// their records are in the store or in an archive, and stop no decision about others.
func TestVoidOfAnotherCurrency(t *testing.T) {
	for _, archived := range []bool{false, true} {
		now := time.Date(2026, 10, 30, 12, 0, 0, 0, time.UTC)
		rub := storetest.Tariff(t, price.Terms{Name: "rub", PerMiB: 1 << 20, Currency: "RUB"})
		usd := storetest.Tariff(t, price.Terms{Name: "usd", PerMiB: 1 << 20, Currency: "USD", Period: accounting.ByWeek})
		dir := t.TempDir()
		s, err := embedded.Open(filepath.Join(dir, "account.db"), embedded.Options{Now: func() time.Time { return now }, Book: price.NewBook(rub, usd)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		var sent, voids []accounting.Record
		for i, client := range []string{"a", "b"} { // b stays
			r := storetest.Usage(i, client, client+"@example.org", now, 100, 100)
			r.Tariff, r.TariffVersion = rub.Name, rub.Version()
			sent, voids = append(sent, r), append(voids, accounting.VoidOf(r, now))
		}
		if err := s.Put(t.Context(), sent); err != nil {
			t.Fatal(err)
		}
		now = now.AddDate(0, 0, 5)
		if archived {
			if _, err := closing.Close(t.Context(), s, closing.Query{Period: "2026-10", Now: now, By: "root", Force: true, Archive: dir, Temp: dir}); err != nil {
				t.Fatal(err)
			}
		}
		was, err := s.Plans(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		plans, err := price.ParsePlans(was)
		if err != nil {
			t.Fatal(err)
		}
		if plans, err = plans.Switch(usd.Plan(), now); err != nil {
			t.Fatal(err)
		}
		if done, err := s.SetPlans(t.Context(), "a", was, plans.String()); !done || err != nil {
			t.Fatal(done, err)
		}
		now = now.Add(time.Minute)
		if err := s.Put(t.Context(), voids); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"a": "parked"}
		if archived {
			want["b"] = "adjusted"
		}
		rows, err := DecideParked(t.Context(), s, ParkedRequest{Do: ParkedApply, All: true}, "ivan")
		if err != nil || len(rows) != len(want) {
			t.Fatalf("archived %v: %+v, %v", archived, rows, err)
		}
		for _, row := range rows {
			if row.Result != want[row.Record.Client] || row.Result == "parked" && !strings.Contains(row.Reason, "RUB") {
				t.Errorf("archived %v: %s is %s: %s", archived, row.Record.Client, row.Result, row.Reason)
			}
		}
	}
}
