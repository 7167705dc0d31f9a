package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

func testCounters(t *testing.T, o Open) {
	s := open(t, o, defaults())
	wantCounters(t, s, "2026-11")
	put(t, s)
	put(t, s,
		Usage(1, "sales", "a@example.org", Now, 1000, 500),
		Usage(1, "sales", "b@example.org", Now, 1000, 500),
		Usage(1, "_unbilled", "x@example.net", Now, 1000, 300),
		Usage(2, "dev.team-1", "c@example.org", Now, 70, 70))
	put(t, s, Usage(3, "sales", "a@example.org", Now.Add(-24*time.Hour), 0, 0))
	wantCounters(t, s, "2026-11",
		accounting.Counter{Client: "_unbilled", Deliveries: 1, Size: 1000, Charged: 300,
			Recipients: map[string]accounting.RecipientCounter{"x@example.net": {Deliveries: 1, Size: 1000, Charged: 300}}},
		accounting.Counter{Client: "dev.team-1", Deliveries: 1, Size: 70, Charged: 70,
			Recipients: map[string]accounting.RecipientCounter{"c@example.org": {Deliveries: 1, Size: 70, Charged: 70}}},
		accounting.Counter{Client: "sales", Deliveries: 3, Size: 2000, Charged: 1000,
			Recipients: map[string]accounting.RecipientCounter{
				"a@example.org": {Deliveries: 2, Size: 1000, Charged: 500},
				"b@example.org": {Deliveries: 1, Size: 1000, Charged: 500},
			}})
	wantCounters(t, s, "2026-11-22", accounting.Counter{Client: "sales", Deliveries: 1})
	wantCounters(t, s, "2026-11-23",
		accounting.Counter{Client: "_unbilled", Deliveries: 1, Size: 1000, Charged: 300},
		accounting.Counter{Client: "dev.team-1", Deliveries: 1, Size: 70, Charged: 70},
		accounting.Counter{Client: "sales", Deliveries: 2, Size: 2000, Charged: 1000})
	wantCounters(t, s, "2026-10")
	for _, bad := range []string{"", "2026", "2026-13", "2026-11-31", "2026-1", "*", "2026-11-23T"} {
		if _, err := s.Counters(t.Context(), bad); err == nil {
			t.Errorf("period %q is taken", bad)
		}
	}
}

func testIdempotent(t *testing.T, o Open) {
	s := open(t, o, defaults())
	var batch []accounting.Record
	for i := range 20 {
		batch = append(batch, Usage(i, "sales", fmt.Sprintf("u%d@example.org", i%3), Now.Add(time.Duration(i)*time.Second), 10, 10))
	}
	check := func(n int64) {
		t.Helper()
		got := counters(t, s, "2026-11")
		if len(got) != 1 || got[0].Deliveries != n || got[0].Charged != 10*n {
			t.Fatalf("want %d: %+v", n, got)
		}
		if list := all(t, s, "sales", Now, Now.Add(time.Hour)); int64(len(list)) != n {
			t.Fatalf("%d records, want %d", len(list), n)
		}
	}
	put(t, s, batch[:10]...)
	check(10)
	put(t, s, batch[:10]...)
	check(10)
	put(t, s, batch[5:15]...)
	check(15)
	put(t, s, batch[15], batch[15], batch[15])
	check(16)
	// The same ID with other content is the same record.
	other := batch[3]
	other.Charged, other.Size, other.Rules = 999, 999, []string{"x"}
	put(t, s, other)
	check(16)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o, defaults())
	check(16)
	put(t, s, batch...)
	check(20)
}

func testVoids(t *testing.T, o Open) {
	later := Now.Add(90 * time.Minute)
	for name, test := range map[string]struct {
		order func(r, v accounting.Record) [][]accounting.Record
		left  int64 // deliveries
		kept  int   // records
	}{
		"after":            {func(r, v accounting.Record) [][]accounting.Record { return [][]accounting.Record{{r}, {v}} }, 0, 2},
		"after, one batch": {func(r, v accounting.Record) [][]accounting.Record { return [][]accounting.Record{{r, v}} }, 0, 2},
		"after, again": {func(r, v accounting.Record) [][]accounting.Record {
			return [][]accounting.Record{{r}, {v}, {v}, {r, v}}
		}, 0, 2},
		"before":            {func(r, v accounting.Record) [][]accounting.Record { return [][]accounting.Record{{v}, {r}} }, 0, 2},
		"before, one batch": {func(r, v accounting.Record) [][]accounting.Record { return [][]accounting.Record{{v, r}} }, 0, 2},
		"before, again": {func(r, v accounting.Record) [][]accounting.Record {
			return [][]accounting.Record{{v, v}, {r}, {v}, {r}}
		}, 0, 2},
		"never came": {func(r, v accounting.Record) [][]accounting.Record { return [][]accounting.Record{{v}, {v}} }, 0, 1},
		"on another day": {func(r, v accounting.Record) [][]accounting.Record {
			w := accounting.VoidOf(r, Now.Add(26*time.Hour))
			return [][]accounting.Record{{r}, {v}, {w}}
		}, 0, 2},
		"with another id": {func(r, v accounting.Record) [][]accounting.Record {
			w := v
			w.ID = "mx2/ABC/1/void"
			return [][]accounting.Record{{r}, {w}, {v}, {w}}
		}, 0, 2},
		"not at all": {func(r, v accounting.Record) [][]accounting.Record { return [][]accounting.Record{{r}} }, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			client := fmt.Sprintf("c%x", name)
			s := open(t, o, defaults())
			r := Usage(len(name), client, name+"@example.org", Now, 100, 40)
			for _, batch := range test.order(r, accounting.VoidOf(r, later)) {
				put(t, s, batch...)
			}
			var got accounting.Counter
			for _, c := range counters(t, s, "2026-11") {
				if c.Client == client {
					got = c
				}
			}
			part := got.Recipients[r.Recipient]
			if got.Deliveries != test.left || got.Size != 100*test.left || got.Charged != 40*test.left ||
				part.Deliveries != test.left || part.Charged != 40*test.left {
				t.Errorf("counters: %+v", got)
			}
			var sum int64
			list := all(t, s, client, Now, Now.Add(48*time.Hour))
			for _, r := range list {
				_, _, charged := r.Delta()
				sum += charged
			}
			if sum != 40*test.left || len(list) != test.kept {
				t.Errorf("%d records, charged %d", len(list), sum)
			}
			if p := parked(t, s); len(p) > 0 {
				t.Errorf("parked: %v", p)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A month begins where the accounting time zone has it, and a void counts
// where its record does.
func testPeriods(t *testing.T, o Open) {
	moscow, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, o, Options{Location: moscow, Now: func() time.Time { return now }})
	november := Usage(1, "sales", "a@example.org", time.Date(2026, 11, 30, 20, 59, 59, 999e6, time.UTC), 1, 1)
	december := Usage(2, "sales", "a@example.org", time.Date(2026, 11, 30, 21, 0, 0, 0, time.UTC), 10, 10)
	put(t, s, november, december, Usage(3, "sales", "a@example.org", time.Date(2026, 11, 30, 21, 30, 0, 0, time.UTC), 100, 100))
	one := func(d, n int64) accounting.Counter {
		return accounting.Counter{Client: "sales", Deliveries: d, Size: n, Charged: n,
			Recipients: map[string]accounting.RecipientCounter{"a@example.org": {Deliveries: d, Size: n, Charged: n}}}
	}
	wantCounters(t, s, "2026-11", one(1, 1))
	wantCounters(t, s, "2026-12", one(2, 110))
	daily := one(1, 1)
	daily.Recipients = nil
	wantCounters(t, s, "2026-11-30", daily)
	put(t, s, accounting.VoidOf(november, now))
	wantCounters(t, s, "2026-11", one(0, 0))
	wantCounters(t, s, "2026-12", one(2, 110))
	daily = one(0, 0)
	daily.Recipients = nil
	wantCounters(t, s, "2026-11-30", daily)
	if got := all(t, s, "sales", december.Time, now); len(got) != 2 {
		t.Errorf("records of December: %v", recordIDs(got))
	}
	if got := all(t, s, "sales", november.Time, december.Time); len(got) != 2 {
		t.Errorf("records of November: %v", recordIDs(got))
	}
}
