package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Several who put overlapping batches at once count each record once.
func testConcurrent(t *testing.T, o Open) {
	s := open(t, o, defaults())
	var batch []accounting.Record
	for i := range 200 {
		r := Usage(i, fmt.Sprintf("c%d", i%3), fmt.Sprintf("u%d@example.org", i%7), Now.Add(time.Duration(i)*time.Second), 10, 3)
		batch = append(batch, r)
		if i%10 == 0 {
			batch = append(batch, accounting.VoidOf(r, r.Time.Add(time.Minute)))
		}
	}
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for i := 0; i < len(batch); i += 11 {
				at := (i + 37*w) % len(batch)
				if err := s.Put(t.Context(), batch[at:min(at+50, len(batch))]); err != nil {
					t.Error(err)
				}
				if _, err := s.Counters(t.Context(), "2026-11"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	put(t, s, batch...)
	// A void may have come before its record: then neither stands in the list,
	// and the sums are the same.
	var deliveries, charged, recordSum int64
	for _, c := range counters(t, s, "2026-11") {
		deliveries += c.Deliveries
		charged += c.Charged
	}
	for _, r := range all(t, s, "", Now, Now.Add(time.Hour)) {
		_, _, ch := r.Delta()
		recordSum += ch
	}
	if deliveries != 180 || charged != 540 || recordSum != 540 {
		t.Fatalf("%d deliveries, %d charged, %d by the records", deliveries, charged, recordSum)
	}
}

// A Put that was cut short may be done again.
func testCancelled(t *testing.T, o Open) {
	s := open(t, o, defaults())
	var batch []accounting.Record
	for i := range 500 {
		batch = append(batch, Usage(i, "sales", "a@example.org", Now.Add(time.Duration(i)*time.Second), 10, 10))
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(gone, batch); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := counters(t, s, "2026-11"); len(got) > 0 {
		t.Fatalf("%+v", got)
	}
	for i := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*50)*time.Microsecond)
		// A connection may find its deadline over before the context does.
		if err := s.Put(ctx, batch); err != nil && ctx.Err() == nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		cancel()
	}
	put(t, s, batch...)
	if got := counters(t, s, "2026-11"); len(got) != 1 || got[0].Deliveries != 500 || got[0].Size != 5000 {
		t.Fatalf("%+v", got)
	}
	if list := all(t, s, "sales", Now, Now.Add(time.Hour)); len(list) != 500 {
		t.Fatalf("%d records", len(list))
	}
}

// The mark moves with what was put, and only from what the session knows.
func testMarks(t *testing.T, o Open) {
	s := open(t, o, defaults())
	m, ok := s.(accounting.Checkpointer)
	if !ok {
		t.Skip("this store has no marks")
	}
	begin := func(want string) accounting.Session {
		t.Helper()
		session, err := m.Session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { session.Close() })
		if marks := session.Marks(); len(marks) != 1 || marks[0].Text != want {
			t.Fatalf("marks %+v, want %q", marks, want)
		}
		return session
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	one, late := begin(""), begin("")
	must(one.Check(t.Context()))
	must(one.Put(t.Context(), []accounting.Record{Usage(1, "sales", "a@example.org", Now, 10, 10)}, "a 1 2 1"))
	must(one.Check(t.Context()))
	if got := one.Marks()[0].Text; got != "a 1 2 1" {
		t.Fatal(got)
	}
	for name, err := range map[string]error{
		"check": late.Check(t.Context()), "move": late.Move(t.Context(), "b"),
		"put": begin("a 1 2 1").Check(t.Context()),
	} {
		if want := name != "put"; errors.Is(err, accounting.ErrMark) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(one.Move(t.Context(), "a 1 3 1"))
	must(one.Move(t.Context(), "a 1 3 1"))
	// What is parked counts as taken: its mark stands behind it.
	must(one.Put(t.Context(), []accounting.Record{Usage(2, "sales", "a@example.org", Now.AddDate(0, -3, 0), 10, 10)}, "a 1 4 2"))
	if len(parked(t, s)) != 1 {
		t.Error("nothing is parked")
	}
	if err := late.Put(t.Context(), []accounting.Record{Usage(3, "sales", "a@example.org", Now, 10, 10)}, "b"); !errors.Is(err, accounting.ErrMark) {
		t.Errorf("put beside another's mark: %v", err)
	}
	begin("a 1 4 2")
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	m = open(t, o, defaults()).(accounting.Checkpointer)
	begin("a 1 4 2")
}

func testAlive(t *testing.T, o Open) {
	s := open(t, o, defaults())
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	for _, backlog := range []int64{0, 12345} {
		if err := s.Heartbeat(t.Context(), "mx1.example.org", backlog); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), []accounting.Record{Usage(1, "sales", "a@example.org", Now, 1, 1)}); err == nil {
		t.Error("a closed store takes records")
	}
}

// Whatever order records and voids come in, how often and in what batches, the
// counters are those of the records the store lists, and of a plain sum.
func testAgainstList(t *testing.T, o Open) {
	const seed = 20261123
	random := rand.New(rand.NewPCG(seed, seed))
	s := open(t, o, defaults())
	var records []accounting.Record
	want := map[string]int64{} // charged by client
	for i := range 300 {
		client := fmt.Sprintf("c%d", random.IntN(4))
		size := random.Int64N(1 << 40)
		r := Usage(i, client, fmt.Sprintf("u%d@example.org", random.IntN(9)), Now.Add(-time.Duration(random.IntN(500))*time.Hour), size, random.Int64N(size+1))
		records = append(records, r)
		if random.IntN(4) == 0 {
			records = append(records, accounting.VoidOf(r, r.Time.Add(time.Duration(random.IntN(400))*time.Second)))
			continue
		}
		want[client] += r.Charged
	}
	for range 4 {
		random.Shuffle(len(records), func(i, k int) { records[i], records[k] = records[k], records[i] })
		for at := 0; at < len(records); {
			end := min(at+1+random.IntN(60), len(records))
			put(t, s, records[at:end]...)
			at = end
		}
	}
	counted, listed, parts := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, month := range []string{"2026-10", "2026-11"} {
		for _, c := range counters(t, s, month) {
			counted[c.Client] += c.Charged
			for _, p := range c.Recipients {
				parts[c.Client] += p.Charged
			}
		}
	}
	for _, r := range all(t, s, "", Now.AddDate(0, -1, 0), Now.Add(time.Hour)) {
		_, _, charged := r.Delta()
		listed[r.Client] += charged
	}
	for client, sum := range want {
		if counted[client] != sum || listed[client] != sum || parts[client] != sum {
			t.Errorf("%s: counted %d, by recipient %d, listed %d, want %d", client, counted[client], parts[client], listed[client], sum)
		}
	}
}

// What is parked is applied or given up, once, and does not come again.
func testDecided(t *testing.T, o Open) {
	with := defaults()
	with.SeenDays = 35
	s := open(t, o, with)
	old := Now.AddDate(0, 0, -40)
	apply, drop := Usage(1, "sales", "a@example.org", old, 10, 10), Usage(2, "sales", "b@example.org", old, 20, 20)
	never := Usage(3, "sales", "c@example.org", old, 30, 40) // charged more than its size
	stranger := Usage(4, "No{body", "d@example.org", old, 1, 1)
	batch := []accounting.Record{apply, drop, never, stranger}
	put(t, s, batch...)
	count := func(want int64) {
		t.Helper()
		if n, err := s.ParkedCount(t.Context()); err != nil || n != want {
			t.Fatalf("%d parked, %v; want %d", n, err, want)
		}
	}
	count(4)
	for _, id := range []string{never.ID, stranger.ID} {
		if err := s.ApplyParked(t.Context(), id); !errors.Is(err, accounting.ErrUnfit) {
			t.Errorf("%s: %v", id, err)
		}
	}
	count(4)
	for range 2 {
		err := errors.Join(s.ApplyParked(t.Context(), apply.ID), s.DropParked(t.Context(), drop.ID), s.DropParked(t.Context(), stranger.ID))
		if err != nil && !errors.Is(err, accounting.ErrNotParked) {
			t.Fatal(err)
		}
		put(t, s, batch...)
		count(1)
		var size int64
		for _, c := range counters(t, s, accounting.Month(old, time.UTC)) {
			size += c.Size
		}
		if size != 10 {
			t.Fatalf("%d bytes are counted", size)
		}
	}
	if err := s.ApplyParked(t.Context(), apply.ID); !errors.Is(err, accounting.ErrNotParked) {
		t.Error(err)
	}
	if err := s.DropParked(t.Context(), "nothing"); !errors.Is(err, accounting.ErrNotParked) {
		t.Error(err)
	}
}
