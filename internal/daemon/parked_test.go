package daemon

import (
	"path/filepath"
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
