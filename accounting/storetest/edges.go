package storetest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Bands at the millisecond of their edges, also where clocks jump, with a price for
// each delivery and what is included shared by gateways, whose clocks jump over the end
// of the period and back: prices are those of a model that knows neither schedules nor
// the stores' arithmetic.
func testEdges(t *testing.T, o Open) {
	for z, zone := range []string{"UTC", "Europe/Berlin", "America/Havana", "Asia/Kathmandu"} {
		tariff := Tariff(t, price.Terms{
			Name: fmt.Sprintf("edges%d", z), PerMiB: 7_777_777, PerDelivery: 12_345, Increment: 100, Included: 40_000, IncludedDeliveries: 3, Timezone: zone,
			Bands: []price.Band{{When: "Sa-Su 00:00-24:00", Percent: 33}, {When: "Mo-Fr 22:00-24:00", Percent: 150}, {When: "We 08:00-08:01", Percent: 0}},
		})
		now := Now
		with := defaults()
		with.Book, with.Now = price.NewBook(tariff), func() time.Time { return now }
		s := open(t, o, with)
		random := rand.New(rand.NewPCG(uint64(z), 5))
		client := fmt.Sprintf("edge%d", z)
		models := map[string]*model{}
		// Sunday the 25th of October and the 1st of November have an hour twice.
		for n := range 240 {
			day := time.Date(2026, 10, 19+random.IntN(30), 0, 0, 0, 0, tariff.Zone())
			edge := []time.Duration{0, 8 * time.Hour, 8*time.Hour + time.Minute, 22 * time.Hour, 24 * time.Hour}[random.IntN(5)]
			at := day.Add(edge + []time.Duration{-time.Millisecond, 0, time.Millisecond, -time.Hour, time.Hour}[random.IntN(5)])
			// A clock that is behind by hours, or ahead, when the record is applied.
			now = at.Add([]time.Duration{0, 30 * time.Hour, -30 * time.Hour, 12 * time.Minute}[random.IntN(4)])
			size := random.Int64N(5000)
			r := under(Usage(n, client, "a@example.org", at, size, size), tariff)
			gateway := []string{"mx1", "mx2"}[n%2]
			r.Gateway, r.ID = gateway, gateway+r.ID[len("mx1"):]
			put(t, s, r)
			local := at.In(tariff.Zone())
			percent := int64(100)
			switch day := local.Weekday(); {
			case day == time.Saturday, day == time.Sunday:
				percent = 33
			case local.Hour() >= 22:
				percent = 150
			case day == time.Wednesday && local.Hour() == 8 && local.Minute() == 0:
				percent = 0
			}
			month := local.Format("2006-01")
			if models[month] == nil {
				models[month] = &model{}
			}
			models[month].apply(&r, tariff.Terms, percent)
			c, err := s.(accounting.Ledger).CounterOf(t.Context(), client, month)
			if err != nil {
				t.Fatal(err)
			}
			models[month].check(t, fmt.Sprintf("%s, %s at %d %%", zone, local, percent), c)
		}
		if p := parked(t, s); len(p) > 0 {
			t.Error(p)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
