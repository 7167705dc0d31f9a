package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

func moscow(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func newStore(t testing.TB, loc *time.Location, recipients int, tariffs ...*price.Tariff) *embedded.Store {
	t.Helper()
	s, err := embedded.Open(filepath.Join(t.TempDir(), "account.db"), embedded.Options{
		Book: price.NewBook(tariffs...), Location: loc, Recipients: recipients, SeenDays: 400, Now: func() time.Time { return storetest.Now.AddDate(0, 1, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func date(s string) time.Time {
	t, _, err := ParseDays(s, time.Now())
	if err != nil {
		panic(err)
	}
	return t
}

// filled is a store with a few records around the end of a month in Moscow.
func filled(t testing.TB) *embedded.Store {
	t.Helper()
	s := newStore(t, moscow(t), 0)
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
	voided := storetest.Usage(7, "sales", "c@other.example", at(20, 12), 5000, 5000)
	other := storetest.Usage(8, "dev", "d@example.org", at(21, 12), 7, 7)
	other.Gateway = "mx2"
	if err := s.Put(t.Context(), []accounting.Record{
		storetest.Usage(1, "sales", "a@example.org", at(1, 12), 1000, 500),
		storetest.Usage(1, "sales", "b@example.org", at(1, 12), 1000, 500),
		storetest.Usage(2, "sales", "a@example.org", at(30, 20), 10, 10),  // 23:00 in Moscow
		storetest.Usage(3, "sales", "a@example.org", at(30, 21), 100, 99), // December there
		storetest.Usage(4, "dev", "x@other.example", at(2, 0), 2_000_000, 2_000_000),
		storetest.Usage(5, "gone", "y@other.example", at(3, 0), 9, 9),
		accounting.VoidOf(storetest.Usage(5, "gone", "y@other.example", at(3, 0), 9, 9), at(3, 1)),
		voided, accounting.VoidOf(voided, at(22, 12)), other,
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestColumns(t *testing.T) {
	s := filled(t)
	for _, test := range []struct {
		name string
		q    Query
		want []Row
	}{
		{"by client", Query{By: []Column{Client}, From: date("2026-11-01"), To: date("2026-11-30")}, []Row{
			{Client: "dev", Deliveries: 2, Size: 2_000_007, Charged: 2_000_007},
			{Client: "sales", Deliveries: 3, Size: 2010, Charged: 1010},
		}},
		{"by domain", Query{By: []Column{Domain}, From: date("2026-11-01"), To: date("2026-11-30")}, []Row{
			{Domain: "example.org", Deliveries: 4, Size: 2017, Charged: 1017},
			{Domain: "other.example", Deliveries: 1, Size: 2_000_000, Charged: 2_000_000},
		}},
		{"by recipient of a client", Query{By: []Column{Recipient}, Client: "sales", From: date("2026-11-01"), To: date("2026-12-31")}, []Row{
			{Recipient: "a@example.org", Deliveries: 3, Size: 1110, Charged: 609},
			{Recipient: "b@example.org", Deliveries: 1, Size: 1000, Charged: 500},
		}},
		{"by day", Query{By: []Column{Day}, Client: "sales", From: date("2026-11-20"), To: date("2026-12-01")}, []Row{
			{Day: "2026-11-30", Deliveries: 1, Size: 10, Charged: 10},
			{Day: "2026-12-01", Deliveries: 1, Size: 100, Charged: 99},
		}},
		{"one day", Query{By: []Column{Client}, From: date("2026-11-30"), To: date("2026-11-30")}, []Row{
			{Client: "sales", Deliveries: 1, Size: 10, Charged: 10},
		}},
		{"by gateway and client", Query{By: []Column{Gateway, Client}, From: date("2026-11-01"), To: date("2026-11-30")}, []Row{
			{Gateway: "mx1", Client: "dev", Deliveries: 1, Size: 2_000_000, Charged: 2_000_000},
			{Gateway: "mx1", Client: "sales", Deliveries: 3, Size: 2010, Charged: 1010},
			{Gateway: "mx2", Client: "dev", Deliveries: 1, Size: 7, Charged: 7},
		}},
		{"top", Query{By: []Column{Recipient}, Top: 2, From: date("2026-11-01"), To: date("2026-11-30")}, []Row{
			{Recipient: "x@other.example", Deliveries: 1, Size: 2_000_000, Charged: 2_000_000},
			{Recipient: "a@example.org", Deliveries: 2, Size: 1010, Charged: 510},
			{Recipient: accounting.Other, Deliveries: 2, Size: 1007, Charged: 507},
		}},
		{"nothing", Query{By: []Column{Client}, From: date("2025-11-01"), To: date("2025-11-30")}, []Row{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.q.Location = moscow(t)
			got, err := Run(t.Context(), s, test.q)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				got[i].Balance = nil
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Fatalf("got  %+v\nwant %+v", got, test.want)
			}
			// The daemon answers over a socket.
			b, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			var back []Row
			if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back, got) {
				t.Fatalf("%s: %v", b, err)
			}
		})
	}
}

// A date means that date in the accounting time zone, whatever zone it came in.
func TestDatesAreNotMoved(t *testing.T) {
	s := filled(t)
	for _, zone := range []string{"UTC", "America/Los_Angeles", "Pacific/Kiritimati"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		day := time.Date(2026, 12, 1, 0, 0, 0, 0, loc)
		got, err := Run(t.Context(), s, Query{By: []Column{Client}, From: day, To: day, Location: moscow(t)})
		if err != nil || len(got) != 1 || got[0].Size != 100 {
			t.Errorf("%s: %+v %v", zone, got, err)
		}
	}
}

func TestQueryErrors(t *testing.T) {
	s := newStore(t, time.UTC, 0)
	day := date("2026-11-23")
	for name, q := range map[string]Query{
		"no columns":  {From: day, To: day},
		"unknown":     {By: []Column{"price"}, From: day, To: day},
		"twice":       {By: []Column{Client, Day, Client}, From: day, To: day},
		"no dates":    {By: []Column{Client}},
		"no last day": {By: []Column{Client}, From: day},
		"backwards":   {By: []Column{Client}, From: day, To: day.AddDate(0, 0, -1)},
		"ages":        {By: []Column{Client}, From: day, To: day.AddDate(1000, 0, 0)},
		"top":         {By: []Column{Client}, From: day, To: day, Top: -1},
	} {
		if _, err := Run(t.Context(), s, q); !errors.Is(err, ErrQuery) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	full := filled(t)
	for _, by := range []Column{Client, Day} {
		if _, err := Run(ctx, full, Query{By: []Column{by}, From: date("2026-11-01"), To: date("2026-11-30")}); !errors.Is(err, context.Canceled) {
			t.Errorf("by %s: %v", by, err)
		}
	}
}

func TestParse(t *testing.T) {
	if by, err := ParseBy("client, day"); err != nil || !slices.Equal(by, []Column{Client, Day}) {
		t.Error(by, err)
	}
	for _, bad := range []string{"", ",", "client,", "klient", "client,client", "Client"} {
		if by, err := ParseBy(bad); !errors.Is(err, ErrQuery) {
			t.Error(bad, by, err)
		}
	}
	for _, bad := range []string{"", "2026-13", "31.02.2026", "2026-02-30", "2026-11-23T00:00:00Z", "next month", "11"} {
		if d, _, err := ParseDays(bad, time.Now()); !errors.Is(err, ErrQuery) {
			t.Error(bad, d, err)
		}
	}
}

// Whether a report comes from counters or from records, it says the same; also
// where a client has more recipients than are counted one by one.
func TestCountersAgreeWithRecords(t *testing.T) {
	locations := []*time.Location{time.UTC, moscow(t)}
	rapid.Check(t, func(rt *rapid.T) {
		loc := rapid.SampledFrom(locations).Draw(rt, "zone")
		bound := rapid.SampledFrom([]int{2, 1000}).Draw(rt, "bound")
		terms := price.Terms{PerMiB: 1_234_567, PerDelivery: 7, Increment: 1000, Included: 1 << 38, Timezone: loc.String(), Period: accounting.ByMonth}
		tariff := storetest.Tariff(t, terms)
		s := newStore(t, loc, bound, tariff)
		defer s.Close()
		n := rapid.IntRange(0, 40).Draw(rt, "records")
		var batch []accounting.Record
		for i := range n {
			at := time.Date(2026, 9, 25, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 70*24).Draw(rt, "hour")) * time.Hour)
			size := rapid.Int64Range(0, 1<<40).Draw(rt, "size")
			r := storetest.Usage(i, fmt.Sprintf("c%d", rapid.IntRange(0, 2).Draw(rt, "client")),
				fmt.Sprintf("u%d@d%d.example", rapid.IntRange(0, 5).Draw(rt, "user"), rapid.IntRange(0, 1).Draw(rt, "domain")), at, size, size)
			if r.Client != "c0" {
				r.Tariff, r.TariffVersion = tariff.Name, tariff.Version()
			}
			batch = append(batch, r)
			if rapid.IntRange(0, 3).Draw(rt, "void") == 0 {
				batch = append(batch, accounting.VoidOf(r, at.Add(time.Duration(rapid.IntRange(0, 100).Draw(rt, "later"))*time.Hour)))
			}
		}
		// A period is closed in the middle: what comes later counts in the next.
		half := rapid.IntRange(0, len(batch)).Draw(rt, "half")
		if err := s.Put(t.Context(), batch[:half]); err != nil {
			rt.Fatal(err)
		}
		if rapid.Bool().Draw(rt, "close") {
			if err := s.ClosePeriod(t.Context(), "c1", "2026-10"); err != nil {
				rt.Fatal(err)
			}
		}
		if err := s.Put(t.Context(), batch[half:]); err != nil {
			rt.Fatal(err)
		}
		if v, err := Verify(t.Context(), s, "", date("2026-01-01"), date("2027-01-01")); err != nil || len(v.Problems) > 0 {
			rt.Fatalf("%+v, %v", v, err)
		}
		q := Query{
			By:   rapid.SampledFrom([][]Column{{Client}, {Recipient}, {Domain}, {Client, Domain}, {Recipient, Client}}).Draw(rt, "by"),
			From: date("2026-10-01"), To: rapid.SampledFrom([]time.Time{date("2026-10-31"), date("2026-11-30")}).Draw(rt, "to"),
			Client: rapid.SampledFrom([]string{"", "c1"}).Draw(rt, "only"), Location: loc,
		}
		counted, err := Run(t.Context(), s, q)
		if err != nil {
			rt.Fatal(err)
		}
		l := newSums(q)
		if err := l.addRecords(t.Context(), s); err != nil {
			rt.Fatal(err)
		}
		for i := range counted {
			counted[i].Balance = nil
		}
		if want := l.sorted(); !reflect.DeepEqual(counted, want) {
			rt.Fatalf("from counters %+v\nfrom records %+v", counted, want)
		}
		// The whole is the sum of its days.
		q.By = append([]Column{Day}, q.By...)
		daily, err := Run(t.Context(), s, q)
		if err != nil {
			rt.Fatal(err)
		}
		a, b := Totals(counted), Totals(daily)
		for _, rows := range [][]Row{a, b} {
			if len(rows) > 0 && rows[0].Cost == 0 && rows[0].Frac == 0 {
				rows[0].Currency = "" // a void of another day lends it
			}
		}
		if !reflect.DeepEqual(a, b) {
			rt.Fatalf("%+v by day, %+v in all", b, a)
		}
	})
}
