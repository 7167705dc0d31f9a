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
