package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// A record that is followed by its void leaves every sum as it was, in periods of
// each kind, at the turns of month and year, in zones whose clocks jump, on time or
// when its own period is closed, and whenever its void comes.
func testTurns(t *testing.T, o Open) {
	turns := []struct {
		zone string
		at   time.Time
	}{
		{"UTC", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}, // a Tuesday
		{"Asia/Tokyo", time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC)},
		{"Pacific/Kiritimati", time.Date(2026, 12, 31, 10, 0, 0, 0, time.UTC)},
		{"America/Havana", time.Date(2026, 11, 1, 4, 30, 0, 0, time.UTC)}, // midnight comes twice
		{"Africa/Cairo", time.Date(2026, 4, 30, 22, 0, 0, 0, time.UTC)},   // a week after a midnight that never was
		{"Europe/Moscow", time.Date(2026, 7, 31, 21, 0, 0, 0, time.UTC)},
	}
	for z, turn := range turns {
		t.Run(turn.zone, func(t *testing.T) {
			var book []*price.Tariff
			for _, kind := range []string{accounting.ByMonth, accounting.ByWeek, accounting.ByDay} {
				book = append(book, Tariff(t, price.Terms{Name: kind, PerMiB: 7, PerDelivery: 3, Increment: 10, Period: kind, Timezone: turn.zone}))
			}
			now := turn.at
			with := defaults()
			with.Location, with.Book, with.Now = book[0].Zone(), price.NewBook(book...), func() time.Time { return now }
			s := open(t, o, with)
			l := s.(accounting.Ledger)
			n := 0
			for _, tariff := range append(book, nil) {
				for _, late := range []bool{false, true} {
					client := fmt.Sprintf("z%d-c%d", z, n)
					usage := func(at time.Time) accounting.Record {
						n++
						r := Usage(n, client, "a@example.org", at, 1000, 999)
						if tariff != nil {
							r = under(r, tariff)
						}
						return r
					}
					// Something that is there, and stays.
					now = turn.at.Add(-20 * 24 * time.Hour)
					put(t, s, usage(now))
					now = turn.at
					put(t, s, usage(now.Add(-time.Hour)), usage(now.Add(time.Hour)))
					if late {
						past, loc := accounting.ByMonth, book[0].Zone()
						if tariff != nil {
							past = tariff.Period
						}
						if err := l.ClosePeriod(t.Context(), client, accounting.PeriodOf(past, turn.at.Add(-8*24*time.Hour), loc)); err != nil {
							t.Fatal(err)
						}
					}
					for _, came := range []time.Duration{-26 * time.Hour, -time.Hour, -time.Second, 0, time.Hour, 3 * 24 * time.Hour} {
						for _, voided := range []time.Duration{0, 2 * time.Hour, 5 * 24 * time.Hour} {
							at := turn.at.Add(came)
							if now = at; late {
								at = turn.at.Add(-8 * 24 * time.Hour)
							}
							before := sums(t, s, client, turn.at, book[0].Zone())
							r := usage(at)
							put(t, s, r)
							now = now.Add(voided)
							put(t, s, accounting.VoidOf(r, now))
							after := sums(t, s, client, turn.at, book[0].Zone())
							for name := range after {
								if before[name] == "" {
									before[name] = "nothing"
								}
							}
							for name, was := range before {
								if after[name] != was && (was != "nothing" || after[name] != "") {
									t.Errorf("%s, late %v, came %s, voided after %s: %s was %s, is %s", client, late, came, voided, name, was, after[name])
								}
							}
						}
					}
				}
			}
			if p := parked(t, s); len(p) > 0 {
				t.Error(p)
			}
		})
	}
}

// sums are all that a client's account says around a time, but for what is nothing.
func sums(t *testing.T, s accounting.Store, client string, around time.Time, loc *time.Location) map[string]string {
	t.Helper()
	all := map[string]string{}
	note := func(name string, value any, is bool) {
		if is {
			all[name] = fmt.Sprintf("%+v", value)
		}
	}
	l := s.(accounting.Ledger)
	asked := map[string]bool{}
	for at := around.AddDate(0, 0, -10); at.Before(around.AddDate(0, 0, 9)); at = at.Add(12 * time.Hour) {
		for _, kind := range []string{accounting.ByMonth, accounting.ByWeek, accounting.ByDay} {
			period := accounting.PeriodOf(kind, at, loc)
			if asked[period] {
				continue
			}
			asked[period] = true
			c, err := l.CounterOf(t.Context(), client, period)
			if err != nil {
				t.Fatal(err)
			}
			closed := c.Closed
			c.Closed, c.Currency = false, ""
			c.Client, c.Period, c.Recipients = "", "", nil
			note(period, c, c.Deliveries != 0 || c.Charged != 0 || c.Cost != 0 || c.Frac != 0 || c.Priced != 0 || c.Size != 0 || closed)
			if kind == accounting.ByWeek {
				continue
			}
			c = counter(t, s, client, period)
			note("all "+period, [3]int64{c.Deliveries, c.Size, c.Charged}, c.Deliveries != 0 || c.Charged != 0 || c.Size != 0)
			for name, part := range c.Recipients {
				note(period+" "+name, part, part != accounting.RecipientCounter{})
			}
		}
	}
	a, err := l.Account(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	note("balance", a.Balance, true)
	return all
}
