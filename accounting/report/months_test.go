package report

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// A client that changes between months, days and weeks, or from no tariff to one of
// days, has records of one month in several periods. All agrees then; what does not is
// found all the same.
func TestVerifyAfterAChangeOfPeriods(t *testing.T) {
	month := storetest.Tariff(t, price.Terms{PerMiB: 1 << 20})
	daily := storetest.Tariff(t, price.Terms{Name: "daily", PerMiB: 3 << 20, Period: accounting.ByDay, Timezone: "Asia/Tokyo"})
	weekly := storetest.Tariff(t, price.Terms{Name: "weekly", PerMiB: 2 << 20, Period: accounting.ByWeek, Timezone: "Asia/Tokyo"})
	at := time.Date(2026, 11, 15, 12, 0, 0, 0, time.UTC)
	change := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for name, chain := range map[string][]*price.Tariff{
		"month to day":  {month, daily},
		"day to month":  {daily, month},
		"none to day":   {nil, daily},
		"month to week": {month, weekly},
		"week to month": {weekly, month},
		"none to week":  {nil, weekly},
		"all":           {nil, month, weekly, daily, month},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, time.UTC, 0, month, daily, weekly)
			n := 0
			put := func(at time.Time, tariff *price.Tariff) accounting.Record {
				t.Helper()
				n++
				r := storetest.Usage(n, "sales", "a@example.org", at, 1000, 1000)
				if tariff != nil {
					r.Tariff, r.TariffVersion = tariff.Name, tariff.Version()
				}
				if err := s.Put(t.Context(), []accounting.Record{r}); err != nil {
					t.Fatal(err)
				}
				return r
			}
			var plans price.Plans
			for i, tariff := range chain {
				when := at.Add(time.Duration(i) * 24 * time.Hour)
				want := price.Plan{Period: accounting.ByMonth, Zone: "UTC"}
				if tariff != nil {
					want = tariff.Plan()
				}
				was := plans.String()
				if i == 0 && tariff == nil {
					put(when, nil)
					continue
				}
				plans = plans.Now(want, when)
				if done, err := s.SetPlans(t.Context(), "sales", was, plans.String()); err != nil || !done {
					t.Fatal(done, err)
				}
				put(when.Add(time.Hour), tariff)
				if err := s.Put(t.Context(), []accounting.Record{accounting.VoidOf(put(when.Add(2*time.Hour), tariff), when.Add(3*time.Hour))}); err != nil {
					t.Fatal(err)
				}
				// At the border of months: in Tokyo it is December already.
				put(change.Add(2*time.Hour), tariff)
				put(change.Add(4*time.Hour), tariff)
			}
			// What stands in days outside of what is asked for counts in the month all the same.
			for _, span := range [][2]time.Time{{at.AddDate(0, 0, -15), at.AddDate(0, 0, 30)}, {at.AddDate(0, 0, 3), at.AddDate(0, 0, 4)}} {
				v, err := Verify(t.Context(), s, "", span[0], span[1])
				if err != nil || len(v.Problems) > 0 {
					t.Errorf("%v %v", v.Problems, err)
				}
			}
			lying := &liar{Books: s, counter: func(c *accounting.Counter) {
				if accounting.KindOf(c.Period) == accounting.ByMonth {
					c.Deliveries += 20
				}
			}}
			v, err := Verify(t.Context(), lying, "", at.AddDate(0, 0, -15), at.AddDate(0, 0, 30))
			if err != nil || !strings.Contains(strings.Join(v.Problems, "\n"), "sales, 2026-11: deliveries is") {
				t.Errorf("%v %v", v.Problems, err)
			}
		})
	}
}

// The months of a client whose periods never were months are compared all the same,
// at their border too, and where what came late was counted in an open period.
func TestVerifyMonthsOfDaysAndWeeks(t *testing.T) {
	for _, kind := range []string{accounting.ByDay, accounting.ByWeek} {
		t.Run(kind, func(t *testing.T) {
			tariff := storetest.Tariff(t, price.Terms{PerMiB: 1 << 20, Period: kind, Timezone: "Asia/Tokyo"})
			s := newStore(t, time.UTC, 0, tariff)
			at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
			for i := range 6 {
				r := storetest.Usage(i, "sales", "a@example.org", at.Add(time.Duration(i)*12*time.Hour), 1000, 1000)
				r.Tariff, r.TariffVersion = tariff.Name, tariff.Version()
				if err := s.Put(t.Context(), []accounting.Record{r}); err != nil {
					t.Fatal(err)
				}
			}
			from, to := at.AddDate(0, 0, -15), at.AddDate(0, 0, 30)
			if v, err := Verify(t.Context(), s, "", from, to); err != nil || len(v.Problems) > 0 {
				t.Fatalf("%v %v", v.Problems, err)
			}
			for _, month := range []string{"2026-11", "2026-12"} {
				lying := &liar{Books: s, counter: func(c *accounting.Counter) {
					if c.Period != month {
						return
					}
					c.Deliveries += 20
					for name, part := range c.Recipients { // with what its recipients have it agrees
						part.Deliveries += 20
						c.Recipients[name] = part
					}
				}}
				v, err := Verify(t.Context(), lying, "", from, to)
				if err != nil || !strings.Contains(strings.Join(v.Problems, "\n"), "sales, "+month+": deliveries is 2") {
					t.Errorf("%s: %v %v", month, v.Problems, err)
				}
			}
			// All its records of days and weeks are gone, the month's counters stay.
			gone := &liar{Books: s, record: func(*accounting.Record) bool { return false }}
			v, err := Verify(t.Context(), gone, "", from, to)
			if err != nil || !strings.Contains(strings.Join(v.Problems, "\n"), "sales, 2026-11: deliveries is") {
				t.Errorf("%v %v", v.Problems, err)
			}
			// Nor is a month overlooked of which no period is known at all.
			v, err = Verify(t.Context(), noPeriods{s}, "", from, to)
			if err != nil || !strings.Contains(strings.Join(v.Problems, "\n"), "sales, 2026-11: deliveries is") {
				t.Errorf("%v %v", v.Problems, err)
			}
		})
	}
}

// noPeriods has lost all streams.
type noPeriods struct{ Books }

func (noPeriods) Periods(context.Context, string) ([]string, error) { return nil, nil }
