// Package storetest is what every accounting.Store must do, as tests.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Options with which a store is opened.
type Options struct {
	Location   *time.Location
	Recipients int
	SeenDays   int
	Now        func() time.Time
	Book       *price.Book
	Standing   func([]accounting.Standing)
}

// Open opens the store, or opens it again after it was closed, with what was
// put into it before. It fails the test when it cannot.
type Open func(t *testing.T, o Options) accounting.Store

// Run runs the suite; fresh gives each test a place of its own.
func Run(t *testing.T, fresh func(t *testing.T) Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"Counters":    testCounters,
		"Idempotent":  testIdempotent,
		"Voids":       testVoids,
		"Periods":     testPeriods,
		"Records":     testRecords,
		"Fields":      testFields,
		"OddNames":    testOddNames,
		"LargeSums":   testLargeSums,
		"Bounded":     testBounded,
		"Parked":      testParked,
		"Decided":     testDecided,
		"Concurrent":  testConcurrent,
		"Cancelled":   testCancelled,
		"Marks":       testMarks,
		"Alive":       testAlive,
		"AgainstList": testAgainstList,
		"Prices":      testPrices,
		"Straddling":  testStraddling,
		"VoidedPrice": testVoidedPrice,
		"Changed":     testChangedTariff,
		"Switch":      testSwitch,
		"Unknown":     testUnknownTerms,
		"Kept":        testKeptTerms,
		"Standing":    testStanding,
		"Entries":     testEntries,
		"Taken":       testTaken,
		"Sealed":      testSealed,
	} {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}
}

// Now is the time in the suite.
var Now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func defaults() Options {
	return Options{Location: time.UTC, Now: func() time.Time { return Now }}
}

func open(t *testing.T, o Open, with Options) accounting.Store {
	t.Helper()
	s := o(t, with)
	t.Cleanup(func() { s.Close() })
	return s
}

// Usage makes one usage record.
func Usage(n int, client, recipient string, at time.Time, size, charged int64) accounting.Record {
	at = at.UTC().Truncate(time.Millisecond)
	queue := fmt.Sprintf("4C%06X", n)
	return accounting.Record{
		ID:   fmt.Sprintf("mx1/%s/%d/%s", queue, at.UnixMilli(), recipient),
		Kind: accounting.Usage, Time: at, Gateway: "mx1", QueueID: queue, MessageID: "<a@b>", Ref: "ref",
		Client: client, Recipient: recipient, Sender: "s@example.com", ClientIP: "192.0.2.7", Direction: "in",
		Size: size, Charged: charged, Share: accounting.ShareFull, ShareIndex: 1, ShareCount: 1,
		Verdict: "accept", Weight: "0",
	}
}

func put(t *testing.T, s accounting.Store, batch ...accounting.Record) {
	t.Helper()
	if err := s.Put(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

func counters(t *testing.T, s accounting.Store, period string) []accounting.Counter {
	t.Helper()
	list, err := s.Counters(t.Context(), period)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func wantCounters(t *testing.T, s accounting.Store, period string, want ...accounting.Counter) {
	t.Helper()
	got := counters(t, s, period)
	for i := range want {
		want[i].Period = period
	}
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Fatalf("counters of %s:\ngot  %+v\nwant %+v", period, got, want)
	}
}

// all are records as they were put: without the period, which the store adds.
func all(t *testing.T, s accounting.Store, client string, from, to time.Time) []accounting.Record {
	t.Helper()
	var list []accounting.Record
	if err := s.Records(t.Context(), client, from, to, func(r accounting.Record) error {
		if r.Period == "" {
			t.Errorf("%s counts in no period", r.ID)
		}
		r.Period = ""
		list = append(list, r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

func recordIDs(list []accounting.Record) []string {
	ids := make([]string, len(list))
	for i, r := range list {
		ids[i] = r.ID
	}
	return ids
}

func parked(t *testing.T, s accounting.Store) map[string]string {
	t.Helper()
	m := map[string]string{}
	if err := s.Parked(t.Context(), func(r accounting.Record, reason string) error {
		if m[r.ID] != "" || reason == "" {
			t.Errorf("parked %q: %q, %q", r.ID, m[r.ID], reason)
		}
		m[r.ID] = reason
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return m
}

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

func testRecords(t *testing.T, o Open) {
	s := open(t, o, defaults())
	var batch []accounting.Record
	clients := []string{"b", "a", "a-b", "_unbilled", "a.b"}
	const each = 700 // more than a page
	for i := range each {
		for _, c := range clients {
			// Times go back and forth; order is that of application.
			at := Now.Add(time.Duration(i*7919%each-each) * time.Hour)
			batch = append(batch, Usage(i, c, "u@"+c+".example", at, 5, 5))
		}
	}
	for chunk := range slices.Chunk(batch, 500) {
		put(t, s, chunk...)
	}
	from, to := Now.Add(-35*24*time.Hour), Now
	want := map[string][]string{}
	for _, r := range batch {
		if !r.Time.Before(from) && r.Time.Before(to) {
			month := r.Client + " " + accounting.Month(r.Time, time.UTC)
			want[month] = append(want[month], r.ID)
		}
	}
	check := func(list []accounting.Record, wantMonths int) {
		t.Helper()
		got, order := map[string][]string{}, []string{}
		for _, r := range list {
			month := r.Client + " " + accounting.Month(r.Time, time.UTC)
			got[month] = append(got[month], r.ID)
			if n := len(order); n == 0 || order[n-1] != r.Client {
				order = append(order, r.Client)
			}
		}
		if !slices.IsSorted(order) || len(got) != wantMonths {
			t.Fatalf("clients %v, %d months", order, len(got))
		}
		for month, ids := range got {
			if !slices.Equal(ids, want[month]) {
				t.Fatalf("%s: %d records, want %d, or another order", month, len(ids), len(want[month]))
			}
		}
	}
	for _, c := range clients {
		check(all(t, s, c, from, to), 2)
	}
	check(all(t, s, "", from, to), 2*len(clients))
	if got := all(t, s, "nobody", from, to); len(got) > 0 {
		t.Error(recordIDs(got))
	}
	for _, span := range [][2]time.Time{{to, from}, {to, to}, {from, from}} {
		if got := all(t, s, "", span[0], span[1]); len(got) > 0 {
			t.Error(recordIDs(got))
		}
	}
	if got := all(t, s, "a", time.Time{}, Now.AddDate(500, 0, 0)); len(got) != each {
		t.Errorf("%d of all times", len(got))
	}

	// It ends with the caller's error, and the caller may use the store.
	stop := errors.New("enough")
	n := 0
	err := s.Records(t.Context(), "", from, to, func(r accounting.Record) error {
		if n++; n == 3 {
			return stop
		}
		return s.Put(t.Context(), []accounting.Record{Usage(5000+n, "zz", "z@example.org", Now, 1, 1)})
	})
	if !errors.Is(err, stop) || n != 3 {
		t.Errorf("%v after %d", err, n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Records(ctx, "", from, to, func(accounting.Record) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Every field comes back as it went.
func testFields(t *testing.T, o Open) {
	tariff := Tariff(t, price.Terms{PerMiB: 1_500_000, PerDelivery: 20_000})
	with := defaults()
	with.Book = price.NewBook(tariff)
	s := open(t, o, with)
	full := accounting.Record{
		ID: "mx1/4CAB/1795435200123/a@example.org", Kind: accounting.Usage, Time: time.UnixMilli(1795435200123).UTC(),
		Gateway: "mx1", QueueID: "4CAB", MessageID: "<x\"y@example.com>", Ref: "TG-1", Client: "sales", Recipient: "a@example.org",
		Sender: "имя@пример.рф", ClientIP: "2001:db8::1", Direction: "out", Size: 5001, Charged: 1667,
		Share: accounting.ShareSplit, ShareIndex: 2, ShareCount: 3, Verdict: "hold", Weight: "-1.5",
		Rules: []string{"one", "a,b", "с пробелом", `"`}, Tariff: "office", TariffVersion: tariff.Version(),
	}
	bare := Usage(2, "sales", "b@example.org", full.Time, 0, 0)
	bare.Sender, bare.ClientIP, bare.MessageID, bare.Ref, bare.Verdict, bare.Weight = "", "", "", "", "", ""
	void := accounting.VoidOf(full, full.Time.Add(time.Minute))
	put(t, s, full, bare, void)
	got := all(t, s, "sales", full.Time, full.Time.Add(time.Hour))
	for _, r := range []*accounting.Record{&full, &bare, &void} {
		r.Tariff, r.TariffVersion, r.Currency = "office", tariff.Version(), "RUB"
	}
	// 1667 bytes at 1.50 a MiB, and 0.02; a void takes back what its record added.
	full.Priced, full.Amount = 1667, "22384.662628173828125"
	void.Priced, void.Amount = full.Priced, full.Amount
	bare.Amount = "20000"
	if want := []accounting.Record{full, bare, void}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func testOddNames(t *testing.T, o Open) {
	s := open(t, o, defaults())
	names := []string{
		"пользователь@пример.рф", "a|b@example.org", "|", "a|deliveries", "a|size|charged", "_otter@example.org", "{x}@example.org",
		"tab\tand\nline@example.org", "nul\x00x", "\x7f", "* ?[a-z]", `"quoted string"@example.org`, "=1+1@example.org", " ", "💌@example.org",
		"%s%n", "-1", "0", "nil",
	}
	var batch []accounting.Record
	want := map[string]accounting.RecipientCounter{}
	for i, n := range names {
		size := int64(i + 1)
		batch = append(batch, Usage(i, "sales", n, Now, size, size))
		want[n] = accounting.RecipientCounter{Deliveries: 1, Size: size, Charged: size}
	}
	put(t, s, batch...)
	put(t, s, batch...)
	got := counters(t, s, "2026-11")
	if len(got) != 1 || !maps.Equal(got[0].Recipients, want) {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
	if list := all(t, s, "sales", Now, Now.Add(time.Hour)); !slices.Equal(recordIDs(list), recordIDs(batch)) {
		t.Errorf("records: %q", recordIDs(list))
	}
}

// Sums are exact where a double is not, and what no counter holds is parked.
func testLargeSums(t *testing.T, o Open) {
	s := open(t, o, defaults())
	const beyond = 1<<53 + 1
	a := Usage(1, "sales", "a@example.org", Now, beyond, beyond-2)
	put(t, s, a, Usage(2, "sales", "a@example.org", Now, 1, 1), Usage(3, "sales", "a@example.org", Now, beyond, beyond))
	if got := counters(t, s, "2026-11")[0]; got.Size != 2*beyond+1 || got.Charged != 2*beyond-1 {
		t.Fatalf("%+v", got)
	}
	put(t, s, accounting.VoidOf(a, Now))
	if got := counters(t, s, "2026-11")[0]; got.Size != beyond+1 || got.Charged != beyond+1 || got.Recipients["a@example.org"].Charged != beyond+1 {
		t.Fatalf("%+v", got)
	}
	const huge = 1<<61 - 1
	put(t, s,
		Usage(4, "big", "b@example.org", Now, huge, huge), Usage(5, "big", "b@example.org", Now, huge, 7),
		Usage(6, "big", "b@example.org", Now, huge, huge), Usage(7, "big", "b@example.org", Now, 1<<63-1, 1),
		Usage(8, "big", "b@example.org", Now, 2, 2))
	got := counters(t, s, "2026-11")[0]
	if got.Client != "big" || got.Deliveries != 3 || got.Size != 2*huge+2 || got.Charged != huge+9 {
		t.Fatalf("%+v", got)
	}
	if p := parked(t, s); len(p) != 2 {
		t.Fatalf("parked: %v", p)
	}
}

func testBounded(t *testing.T, o Open) {
	with := defaults()
	with.Recipients = 3
	s := open(t, o, with)
	var batch []accounting.Record
	for i := range 10 {
		batch = append(batch, Usage(i, "sales", fmt.Sprintf("u%d@example.org", i), Now, 10, 10))
	}
	batch = append(batch, Usage(20, "sales", "u1@example.org", Now, 10, 10),
		Usage(21, "sales", string(make([]byte, 5000)), Now, 10, 10), accounting.VoidOf(batch[7], Now))
	put(t, s, batch...)
	one := accounting.RecipientCounter{Deliveries: 1, Size: 10, Charged: 10}
	wantCounters(t, s, "2026-11", accounting.Counter{Client: "sales", Deliveries: 11, Size: 110, Charged: 110,
		Recipients: map[string]accounting.RecipientCounter{
			"u0@example.org": one, "u1@example.org": {Deliveries: 2, Size: 20, Charged: 20}, "u2@example.org": one,
			accounting.Other: {Deliveries: 7, Size: 70, Charged: 70},
		}})
	// Another client has its own bound.
	put(t, s, Usage(30, "dev", "d@example.org", Now, 10, 10))
	if got := counters(t, s, "2026-11")[0]; got.Recipients["d@example.org"] != one {
		t.Fatalf("%+v", got)
	}
}

// What cannot be told from a record that was applied long ago, and what no
// store understands, waits for the operator and stops nothing.
func testParked(t *testing.T, o Open) {
	with := defaults()
	with.SeenDays = 35
	s := open(t, o, with)
	day := 24 * time.Hour
	good := Usage(1, "sales", "a@example.org", Now.Add(-34*day), 10, 10)
	old := Usage(2, "sales", "a@example.org", Now.Add(-35*day-time.Millisecond), 10, 10)
	bad := map[string]accounting.Record{
		"old":       old,
		"old void":  accounting.VoidOf(Usage(3, "sales", "a@example.org", Now.Add(-36*day), 10, 10), Now),
		"future":    Usage(4, "sales", "a@example.org", Now.Add(49*time.Hour), 10, 10),
		"kind":      Usage(5, "sales", "a@example.org", Now, 10, 10),
		"client":    Usage(6, "Sales}", "a@example.org", Now, 10, 10),
		"size":      Usage(7, "sales", "a@example.org", Now, -1, 0),
		"too dear":  Usage(8, "sales", "a@example.org", Now, 1, 2),
		"recipient": Usage(9, "sales", "", Now, 1, 1),
	}
	kind := bad["kind"]
	kind.Kind = "payment"
	bad["kind"] = kind
	batch := slices.Collect(maps.Values(bad))
	batch = append(batch, good)
	put(t, s, batch...)
	put(t, s, batch...)
	got := parked(t, s)
	for name, r := range bad {
		if got[r.ID] == "" {
			t.Errorf("%s: not parked", name)
		}
	}
	if len(got) != len(bad) {
		t.Errorf("parked: %v", got)
	}
	var size int64
	for _, c := range append(counters(t, s, "2026-11"), counters(t, s, "2026-10")...) {
		size += c.Size
	}
	if size != 10 {
		t.Errorf("counted %d bytes, want 10", size)
	}
	stop := errors.New("enough")
	if err := s.Parked(t.Context(), func(accounting.Record, string) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
}
