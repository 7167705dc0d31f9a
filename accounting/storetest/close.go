package storetest

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// What was closed stays as it is, to the last line; and when its records are in
// an archive, all but they stays.
func testSealed(t *testing.T, o Open) {
	s := open(t, o, defaults())
	l := s.(accounting.Ledger)
	october := time.Date(2026, 10, 30, 12, 0, 0, 0, time.UTC)
	kept := Usage(1, "sales", "a@example.org", october, 1000, 1000)
	put(t, s, kept, Usage(2, "sales", "b@example.org", Now, 7, 7), Usage(3, "dev", "d@example.org", october, 5, 5))
	recordsOf := func(client, period string) (list []accounting.Record) {
		t.Helper()
		if err := l.RecordsOf(t.Context(), client, period, func(r accounting.Record) error {
			list = append(list, r)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return list
	}
	if err := l.DropRecords(t.Context(), "sales", "2026-10"); err == nil {
		t.Fatal("the records of an open period were dropped")
	}
	for _, client := range []string{"sales", "dev"} {
		if err := l.ClosePeriod(t.Context(), client, "2026-10"); err != nil {
			t.Fatal(err)
		}
	}
	records, count := recordsOf("sales", "2026-10"), counter(t, s, "sales", "2026-10")
	late := Usage(4, "sales", "a@example.org", october, 50, 50)
	early := Usage(5, "sales", "a@example.org", october, 60, 60) // its void comes first
	put(t, s, late, accounting.VoidOf(early, Now), early, accounting.VoidOf(kept, Now), accounting.VoidOf(late, Now))
	put(t, s, accounting.VoidOf(early, Now), early, accounting.VoidOf(kept, Now))
	check := func() {
		t.Helper()
		if got := counter(t, s, "sales", "2026-10"); !reflect.DeepEqual(got, count) {
			t.Errorf("the closed period is %+v, was %+v", got, count)
		}
		if p := counter(t, s, "sales", "2026-11"); p.Deliveries != 0 || p.Charged != 7-1000 {
			t.Errorf("the open period: %+v", p)
		}
		if p := parked(t, s); len(p) > 0 {
			t.Errorf("parked: %v", p)
		}
	}
	check()
	if got := recordsOf("sales", "2026-10"); !reflect.DeepEqual(got, records) {
		t.Errorf("the closed period got lines: %+v, were %+v", got, records)
	}
	if got := len(recordsOf("sales", "2026-11")); got != 6 {
		t.Errorf("the open period has %d records", got)
	}
	for range 2 {
		for _, client := range []string{"sales", "dev"} {
			if err := l.DropRecords(t.Context(), client, "2026-10"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o, defaults())
	l = s.(accounting.Ledger)
	check()
	if got := recordsOf("sales", "2026-10"); len(got) > 0 {
		t.Errorf("records that were dropped: %+v", got)
	}
	if clients, err := l.Clients(t.Context()); err != nil || !slices.Equal(clients, []string{"dev", "sales"}) {
		t.Errorf("clients %q, %v", clients, err)
	}
	for client, want := range map[string][]string{"sales": {"2026-10", "2026-11"}, "dev": {"2026-10"}} {
		if got, err := l.Periods(t.Context(), client); err != nil || !slices.Equal(got, want) {
			t.Errorf("periods of %s: %q, %v", client, got, err)
		}
	}
	if got := len(all(t, s, "", october.AddDate(0, -1, 0), Now.AddDate(0, 1, 0))); got != 6 {
		t.Errorf("%d records", got)
	}
	// What a dropped record added is not known any more: its void waits for
	// somebody's decision.
	put(t, s, accounting.VoidOf(Usage(3, "dev", "d@example.org", october, 5, 5), Now))
	if p := parked(t, s); len(p) != 1 {
		t.Errorf("parked: %v", p)
	}
	if got := counter(t, s, "dev", "2026-10"); got.Deliveries != 1 || got.Charged != 5 {
		t.Errorf("%+v", got)
	}
}
