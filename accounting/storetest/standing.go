package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// An entry is booked once for its id, wherever it is asked for, and for ever.
func testEntries(t *testing.T, o Open) {
	tariff := Tariff(t, price.Terms{PerMiB: 1 << 20})
	now := Now
	with := defaults()
	with.Book, with.Now = price.NewBook(tariff), func() time.Time { return now }
	s := open(t, o, with)
	l := s.(accounting.Ledger)
	put(t, s, under(Usage(1, "sales", "a@example.org", Now, 10, 10), tariff))
	entry := func(kind, id, amount string) accounting.Record {
		return accounting.Record{ID: id, Kind: kind, Time: now, Gateway: "mx1", Client: "sales", Amount: amount, By: "root", Note: "because", Currency: "RUB"}
	}
	enter := func(r accounting.Record, want bool) {
		t.Helper()
		if got, err := l.Enter(t.Context(), r); err != nil || got != want {
			t.Fatalf("%s: %v, %v", r.ID, got, err)
		}
	}
	enter(entry(accounting.Payment, "p1", "1000000"), true)
	enter(entry(accounting.Payment, "p1", "1000000"), false)
	enter(entry(accounting.Adjust, "a1", "-30"), true)
	fee := entry(accounting.Fee, "fee/sales/2026-11", "500")
	fee.Period = "2026-11"
	enter(fee, true)
	now = now.AddDate(0, 0, 100)
	enter(entry(accounting.Payment, "p1", "1000000"), false)
	if _, err := l.Enter(t.Context(), entry(accounting.Payment, "p1", "1000001")); !errors.Is(err, accounting.ErrConflict) {
		t.Errorf("another amount: %v", err)
	}
	if _, err := l.Enter(t.Context(), entry(accounting.Payment, "p2", "x")); err == nil {
		t.Error("no amount")
	}
	c := counter(t, s, "sales", "2026-11")
	if c.Paid != 1000000 || c.Adjusted != -30 || c.Fee != 500 || c.Cost != 10 {
		t.Errorf("%+v", c)
	}
	if a, err := l.Account(t.Context(), "sales"); err != nil || a.Balance != 1000000-30-500-10 || a.Tariff != "office" || a.Currency != "RUB" {
		t.Errorf("%+v, %v", a, err)
	}
	if list := all(t, s, "sales", Now, Now.Add(time.Hour)); len(list) != 4 || list[1].By != "root" || list[1].Note != "because" {
		t.Errorf("%+v", list)
	}
	if c := counter(t, s, "sales", "2027-03"); c.Paid != 0 {
		t.Errorf("%+v", c)
	}
}

// Who is told of a client's account hears of it after each change.
func testStanding(t *testing.T, o Open) {
	tariff := Tariff(t, price.Terms{PerMiB: 1 << 20})
	var last accounting.Standing
	with := defaults()
	with.Book = price.NewBook(tariff)
	with.Standing = func(list []accounting.Standing) { last = list[len(list)-1] }
	s := open(t, o, with)
	r := under(Usage(1, "sales", "a@example.org", Now, 10, 10), tariff)
	put(t, s, r)
	if last.Change == [2]uint64{} {
		t.Error("the change has no number")
	}
	before := last
	last.Change = [2]uint64{}
	want := accounting.Standing{Client: "sales", Balance: -10, Period: "2026-11", Zone: "UTC", Used: 10, Day: "2026-11-23", UsedDay: 10}
	if last != want {
		t.Errorf("%+v", last)
	}
	put(t, s, accounting.VoidOf(r, Now))
	want.Balance, want.Used, want.UsedDay = 0, 0, 0
	if !before.Before(last) {
		t.Errorf("%v is not after %v", last, before)
	}
	read, err := s.(accounting.Ledger).Standings(t.Context(), []accounting.Standing{{Client: "sales", Period: "2026-11", Day: "2026-11-23"}})
	if err != nil || len(read) != 1 || read[0] != last {
		t.Errorf("read %+v, %v; told %+v", read, err, last)
	}
	last.Change = [2]uint64{}
	if last != want {
		t.Errorf("after the void: %+v", last)
	}
}

// A tariff that is to come has periods of other kinds; what is used counts in
// those of the one in force until then, whichever is asked for.
func testStandingOfPending(t *testing.T, o Open) {
	month := Tariff(t, price.Terms{PerMiB: 1 << 20})
	daily := Tariff(t, price.Terms{Name: "daily", Period: accounting.ByDay, Timezone: "Asia/Tokyo"})
	now := Now
	with := defaults()
	with.Book, with.Now = price.NewBook(month, daily), func() time.Time { return now }
	s := open(t, o, with)
	put(t, s, under(Usage(1, "sales", "a@example.org", Now, 10, 10), month))
	put(t, s, under(Usage(2, "sales", "a@example.org", Now, 10, 10), daily))
	client := &accounting.Client{ID: "sales", Tariff: "daily", Period: accounting.ByDay, Zone: daily.Zone(), Quota: 20}
	read := func(want accounting.Standing, block accounting.Block) {
		t.Helper()
		list, err := s.(accounting.Ledger).Standings(t.Context(), []accounting.Standing{
			{Client: "sales", Period: client.PeriodAt(now), Day: client.DayAt(now)}, {Client: "nobody", Period: "2026-W48", Day: "2026-11-23"}, {Client: "sales"},
		})
		if err != nil || len(list) != 3 || list[0].Period != want.Period || list[0].Used != want.Used || list[1].Period != "2026-W48" || list[2].Period != "" {
			t.Fatalf("%+v, %v; want %+v", list, err, want)
		}
		if got := client.StandingBlocks(list[0], now); got != block {
			t.Errorf("%s: blocks %v, want %v", now, got, block)
		}
	}
	read(accounting.Standing{Period: "2026-11", Used: 20}, accounting.OverQuota)
	now = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	read(accounting.Standing{Period: "2026-12-01"}, 0)
}
