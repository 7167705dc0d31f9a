// Package storetest is what every accounting.Store must do, as tests.
package storetest

import (
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
		"Counters":          testCounters,
		"Idempotent":        testIdempotent,
		"Voids":             testVoids,
		"Periods":           testPeriods,
		"Records":           testRecords,
		"Fields":            testFields,
		"OddNames":          testOddNames,
		"LargeSums":         testLargeSums,
		"Bounded":           testBounded,
		"Parked":            testParked,
		"Decided":           testDecided,
		"Concurrent":        testConcurrent,
		"Cancelled":         testCancelled,
		"Marks":             testMarks,
		"Alive":             testAlive,
		"AgainstList":       testAgainstList,
		"Prices":            testPrices,
		"Straddling":        testStraddling,
		"VoidedPrice":       testVoidedPrice,
		"Changed":           testChangedTariff,
		"Switch":            testSwitch,
		"Unknown":           testUnknownTerms,
		"Kept":              testKeptTerms,
		"Standing":          testStanding,
		"StandingOfPending": testStandingOfPending,
		"Entries":           testEntries,
		"FirstPayment":      testFirstPayment,
		"Taken":             testTaken,
		"Sealed":            testSealed,
		"Stranger":          testLateStranger,
		"ClockBack":         testClockBack,
		"Reversals":         testReversals,
		"Currencies":        testCurrencies,
		"Turns":             testTurns,
		"Edges":             testEdges,
		"LateCurrency":      testLateCurrency,
		"LeftCurrency":      testLeftCurrency,
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
