package storetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Fixture are the records of the stored fixtures in accounting/spool,
// accounting/embedded and accounting/redis: each was written once, by the
// release that its folder in testdata is named after, and is read by every
// later one. They do not change.
func Fixture() []accounting.Record {
	at := Now.Add(-24 * time.Hour)
	full := accounting.Record{
		ID: fmt.Sprintf("mx1/4CAB/%d/a@example.org", at.UnixMilli()), Kind: accounting.Usage, Time: at.UTC(),
		Gateway: "mx1", QueueID: "4CAB", MessageID: "<x\"y@example.com>", Ref: "TG-1", Client: "sales", Recipient: "a@example.org",
		Sender: "имя@пример.рф", ClientIP: "2001:db8::1", Direction: "out", Size: 5001, Charged: 1667,
		Share: accounting.ShareSplit, ShareIndex: 2, ShareCount: 3, Verdict: "hold", Weight: "-1.5",
		Rules: []string{"one", "a,b", "с пробелом", `"`}, Tariff: "office", TariffVersion: "abc",
	}
	list := []accounting.Record{
		full,
		Usage(1, "sales", "b@example.org", at.Add(time.Second), 1000, 1000),
		Usage(2, "dev", "d|x@example.org", at.Add(2*time.Second), 70, 70),
		Usage(3, accounting.Unbilled, "x@example.net", at.Add(3*time.Second), 300, 100),
		Usage(4, "sales", "b@example.org", at.Add(-30*24*time.Hour), 9, 9), // October
	}
	return append(list, accounting.VoidOf(list[1], at.Add(time.Hour)),
		// The void that came first.
		accounting.VoidOf(Usage(5, "dev", "d@example.org", at.Add(4*time.Second), 40, 40), at.Add(time.Hour)))
}

// CheckFixture tells whether a store that holds the fixture reads as it was
// put, and knows its records again.
func CheckFixture(t *testing.T, s accounting.Store) {
	t.Helper()
	check := func() {
		t.Helper()
		got := map[string]accounting.Counter{}
		for _, month := range []string{"2026-10", "2026-11"} {
			for _, c := range counters(t, s, month) {
				got[month+" "+c.Client] = c
			}
		}
		want := map[string]accounting.Counter{
			"2026-10 sales": {Client: "sales", Period: "2026-10", Deliveries: 1, Size: 9, Charged: 9,
				Recipients: map[string]accounting.RecipientCounter{"b@example.org": {Deliveries: 1, Size: 9, Charged: 9}}},
			"2026-11 sales": {Client: "sales", Period: "2026-11", Deliveries: 1, Size: 5001, Charged: 1667,
				Recipients: map[string]accounting.RecipientCounter{"a@example.org": {Deliveries: 1, Size: 5001, Charged: 1667}, "b@example.org": {}}},
			"2026-11 dev": {Client: "dev", Period: "2026-11", Deliveries: 1, Size: 70, Charged: 70,
				Recipients: map[string]accounting.RecipientCounter{"d|x@example.org": {Deliveries: 1, Size: 70, Charged: 70}}},
			"2026-11 _unbilled": {Client: "_unbilled", Period: "2026-11", Deliveries: 1, Size: 300, Charged: 100,
				Recipients: map[string]accounting.RecipientCounter{"x@example.net": {Deliveries: 1, Size: 300, Charged: 100}}},
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	}
	check()
	list := all(t, s, "sales", Now.AddDate(0, -2, 0), Now)
	f := Fixture()
	if want := []accounting.Record{f[4], f[0], f[1], f[5]}; !reflect.DeepEqual(list, want) {
		t.Fatalf("records of sales:\ngot  %+v\nwant %+v", list, want)
	}
	put(t, s, f...)
	put(t, s, Usage(5, "dev", "d@example.org", Now.Add(-24*time.Hour+4*time.Second), 40, 40)) // voided before it came
	check()
	if p := parked(t, s); len(p) > 0 {
		t.Errorf("parked: %v", p)
	}
}
