package audit

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// fakeSpool retains messages of some records.
type fakeSpool struct {
	messages [][]accounting.Record
	waiting  int64
	removed  int64 // records that were spooled, and are in no message
	settle   func() error
}

func (s *fakeSpool) Find(_ context.Context, _ time.Time, fn func([]accounting.Record) error) error {
	for _, m := range s.messages {
		if err := fn(m); err != nil {
			return err
		}
	}
	return nil
}

func (s *fakeSpool) Flush(context.Context) error { return nil }
func (s *fakeSpool) Name() string                { return "SPOOL" }

func (s *fakeSpool) Settled(context.Context) error {
	if s.settle == nil {
		return nil
	}
	return s.settle()
}

func (s *fakeSpool) Counts() (spooled, waiting int64) {
	for _, m := range s.messages {
		spooled += int64(len(m))
	}
	return spooled + s.removed, s.waiting
}

// fakeStore holds what it is told to.
type fakeStore struct {
	stored, parked []accounting.Record
	dropped        []string
	before         int64 // records of the gateway that it took long ago
}

func (s *fakeStore) Records(_ context.Context, _ string, _, _ time.Time, fn func(accounting.Record) error) error {
	for _, r := range s.stored {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *fakeStore) Parked(_ context.Context, fn func(accounting.Record, string) error) error {
	for _, r := range s.parked {
		if err := fn(r, "why"); err != nil {
			return err
		}
	}
	return nil
}

func (s *fakeStore) WasDropped(_ context.Context, r accounting.Record) (bool, error) {
	return slices.Contains(s.dropped, r.ID), nil
}

func (s *fakeStore) Taken(context.Context, string) (accounting.Taken, error) {
	return accounting.Taken{Applied: s.before + int64(len(s.stored)), Parked: int64(len(s.parked)), Dropped: int64(len(s.dropped))}, nil
}

func record(id string) accounting.Record {
	return accounting.Record{ID: id, Kind: accounting.Usage, Time: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
}

func records(ids ...string) (list []accounting.Record) {
	for _, id := range ids {
		list = append(list, record(id))
	}
	return list
}

func ids(list []accounting.Record) (out []string) {
	for _, r := range list {
		out = append(out, r.ID)
	}
	return out
}

func TestAudit(t *testing.T) {
	spool := &fakeSpool{messages: [][]accounting.Record{records("a", "b"), records("c"), records("d", "e", "f"), records("c"), records("late")}, waiting: 1}
	for _, room := range []int{0, 1, 2, 3} {
		store := &fakeStore{stored: records("old", "c", "a", "b", "f"), parked: records("d"), dropped: []string{"e"}}
		a := &Auditor{Spool: spool, Store: store, inMemory: room}
		r, err := a.Run(t.Context())
		if err != nil || !r.Proven() || r.Records != 6 || r.Again != 1 || r.Parked != 1 || r.Dropped != 1 {
			t.Errorf("%d: %+v %v", room, r, err)
		}
		store.stored = records("old", "c", "f", "a", "f", "old")
		r, err = a.Run(t.Context())
		if err != nil || r.Proven() || r.Missing != 1 || r.Doubled != 1 || ids(r.FirstMissing)[0] != "b" || ids(r.FirstDoubled)[0] != "f" {
			t.Errorf("%d: %+v %v", room, r, err)
		}
		store.parked = records("d", "a") // applied and parked: a decision under way
		if r, err = a.Run(t.Context()); err != nil || r.Missing != 1 || r.Doubled != 1 || r.Parked != 1 {
			t.Errorf("%d: %+v %v", room, r, err)
		}
		store.stored = nil
		if r, err = a.Run(t.Context()); err != nil || r.Missing != 3 || r.FirstMissing[0].ID > "f" {
			t.Errorf("%d: %+v %v", room, r, err)
		}
	}
}

// What the store gave up because it could not make it durable is not missing: it is
// brought again, once the store is asked.
func TestBalanceAsksTheStore(t *testing.T) {
	spool := &fakeSpool{messages: [][]accounting.Record{records("a", "b")}}
	store := &fakeStore{stored: records("a", "b")}
	b := &Balancer{Gateway: "mx1", Spool: spool, Store: store, File: filepath.Join(t.TempDir(), "balance")}
	if is, err := b.Now(t.Context()); err != nil || is.Missing != 0 {
		t.Fatal(is, err)
	}
	store.stored = records("a")
	spool.settle = func() error { return errors.New("the store cannot write") }
	if is, err := b.Now(t.Context()); err == nil {
		t.Errorf("%+v, of a store that was not asked", is)
	}
	spool.settle = func() error { spool.waiting = 1; return nil } // it goes back
	if is, err := b.Now(t.Context()); err != nil || is.Missing != 0 || is.Waiting != 1 {
		t.Errorf("%+v %v", is, err)
	}
	spool.waiting, spool.settle = 0, nil // it has lost it
	if is, err := b.Now(t.Context()); err != nil || is.Missing != 1 {
		t.Errorf("%+v %v", is, err)
	}
}

func TestBalance(t *testing.T) {
	spool := &fakeSpool{messages: [][]accounting.Record{records("a", "b")}, waiting: 2}
	store := &fakeStore{before: 100}
	file := filepath.Join(t.TempDir(), "balance")
	b := &Balancer{Gateway: "mx1", Spool: spool, Store: store, File: file}
	now := func(want Balance) *Balance {
		t.Helper()
		is, err := b.Now(t.Context())
		if err != nil || is == nil {
			t.Fatal(is, err)
		}
		got := *is
		got.At = time.Time{}
		if got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		return is
	}
	if is, err := b.Now(t.Context()); is != nil || err != nil {
		t.Errorf("%+v %v while records are on their way", is, err)
	}
	spool.waiting, store.stored = 0, records("a", "b")
	now(Balance{Spooled: 2, Applied: 2})
	b = &Balancer{Gateway: "mx1", Spool: spool, Store: store, File: file} // after a restart
	spool.messages = append(spool.messages, records("c", "d", "e"))
	spool.waiting = 3
	now(Balance{Spooled: 5, Applied: 2, Waiting: 3})
	store.stored = append(store.stored, records("c")...) // not told to the spool yet
	now(Balance{Spooled: 5, Applied: 3, Waiting: 3})
	spool.waiting, store.parked, store.dropped = 0, records("d"), []string{"e"}
	now(Balance{Spooled: 5, Applied: 3, Parked: 1, Dropped: 1})
	// One is lost, one too many is there.
	store.stored = records("a", "c")
	is := now(Balance{Spooled: 5, Applied: 2, Parked: 1, Dropped: 1, Missing: 1})
	r, err := (&Auditor{Spool: spool, Store: store}).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Explain(is, r); err != nil || is.Missing != 1 {
		t.Error("a loss is explained away")
	}
	store.stored = records("a", "b", "c", "c", "c")
	now(Balance{Spooled: 5, Applied: 5, Parked: 1, Dropped: 1, Missing: -2})
	// Spooled twice, which is no loss.
	store.stored = records("a", "b", "c")
	spool.messages = append(spool.messages, records("c"))
	is = now(Balance{Spooled: 6, Applied: 3, Parked: 1, Dropped: 1, Missing: 1})
	if r, err = (&Auditor{Spool: spool, Store: store}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Explain(is, r); err != nil || is.Missing != 0 {
		t.Error(is, err)
	}
	now(Balance{Spooled: 6, Applied: 3, Parked: 1, Dropped: 1, Again: 1})
	b = &Balancer{Gateway: "mx1", Spool: spool, Store: store, File: file}
	now(Balance{Spooled: 6, Applied: 3, Parked: 1, Dropped: 1, Again: 1})
}

// What was explained once explains nothing more while the spool still has it: records that
// went with their segment afterwards are lost.
func TestExplainedOnce(t *testing.T) {
	spool, store := &fakeSpool{}, &fakeStore{}
	file := filepath.Join(t.TempDir(), "balance")
	for _, tt := range []struct {
		spooled []accounting.Record
		stored  []accounting.Record
		removed int64
		missing int64
	}{
		{},
		{spooled: records("a", "b", "a", "b"), stored: records("a", "b")},
		{removed: 2, missing: 2},
		{spooled: records("c", "c"), stored: records("c"), missing: 3}, // of which no number tells which
	} {
		b := &Balancer{Gateway: "mx1", Spool: spool, Store: store, File: file} // of each command another
		if tt.spooled != nil {
			spool.messages, store.stored = append(spool.messages, tt.spooled), append(store.stored, tt.stored...)
		}
		spool.removed += tt.removed
		is, err := b.Now(t.Context())
		if err != nil || is == nil {
			t.Fatal(is, err)
		}
		r, err := (&Auditor{Spool: spool, Store: store}).Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Explain(is, r); err != nil || is.Missing != tt.missing {
			t.Errorf("%+v: %+v, %v", tt, is, err)
		}
	}
}

// named is a store that counts by gateway.
type named struct {
	*fakeStore
	taken map[string]accounting.Taken
}

func (s named) Taken(_ context.Context, gateway string) (accounting.Taken, error) {
	return s.taken[gateway], nil
}

// A gateway that is called otherwise keeps its spool, and the store what came of it.
func TestBalanceRenamed(t *testing.T) {
	spool := &fakeSpool{messages: [][]accounting.Record{records("a", "b")}}
	store := named{&fakeStore{}, map[string]accounting.Taken{"mx1": {Applied: 1, Dropped: 1}, "mx2": {Applied: 70}}}
	file := filepath.Join(t.TempDir(), "balance")
	balance := func(gateway string) *Balance {
		t.Helper()
		is, err := (&Balancer{Gateway: gateway, Spool: spool, Store: store, File: file}).Now(t.Context())
		if err != nil || is == nil {
			t.Fatal(is, err)
		}
		return is
	}
	balance("mx1")
	for _, name := range []string{"mail1", "mail1", "mx1", "mail"} {
		if is := balance(name); is.Missing != 0 {
			t.Errorf("%s: %+v", name, is)
		}
	}
	spool.messages = append(spool.messages, records("c", "d"))
	store.taken["mail1"] = accounting.Taken{Applied: 1}
	if is := balance("mail1"); is.Missing != 1 || is.Spooled != 4 {
		t.Errorf("one is missing: %+v", is)
	}
}

// What somebody accepted as lost is missing no more, in the numbers and by name; and
// nobody accepts what he does not know.
func TestAccept(t *testing.T) {
	spool := &fakeSpool{messages: [][]accounting.Record{records("a", "b"), records("c", "d")}}
	store := &fakeStore{stored: records("a", "b", "c", "d")}
	dir := t.TempDir()
	accepts := NewAccepts(filepath.Join(dir, "accepted.jsonl"))
	b := &Balancer{Gateway: "mx1", Spool: spool, Store: store, File: filepath.Join(dir, "balance"), Accepts: accepts}
	if _, err := b.Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	spool.messages = append(spool.messages, records("e"), records("f"))
	store.stored = records("a", "c", "d", "e") // b was lost, and f never came
	find := func() (*Report, *Balance, error) {
		r, err := (&Auditor{Spool: spool, Store: store, Accepts: accepts}).Run(t.Context())
		if err != nil {
			return nil, nil, err
		}
		is, err := b.Now(t.Context())
		return r, is, err
	}
	found := func() (*Report, *Balance) {
		t.Helper()
		r, is, err := find()
		if err != nil {
			t.Fatal(err)
		}
		return r, is
	}
	r, is := found()
	if r.Missing != 2 || is.Missing != 2 {
		t.Fatalf("%+v %+v", r, is)
	}
	one := Acceptance{By: "root", Note: "the disk"}
	for _, n := range []int64{-2, 0, 1, 3} {
		if _, err := accepts.Accept(spool.Name(), one, n, find); !errors.Is(err, ErrNotThat) {
			t.Errorf("%d are accepted: %v", n, err)
		}
	}
	// Two at once accept it once.
	var got Acceptance
	var under sync.WaitGroup
	var taken atomic.Int64
	for range 4 {
		under.Go(func() {
			if is, err := accepts.Accept(spool.Name(), one, 2, find); err == nil {
				got = is
				taken.Add(1)
			} else if !errors.Is(err, ErrNotThat) {
				t.Error(err)
			}
		})
	}
	under.Wait()
	if taken.Load() != 1 || !slices.Equal(got.IDs, []string{"b", "f"}) || got.Records != 2 {
		t.Fatalf("%+v, %d times", got, taken.Load())
	}
	if r, is = found(); !r.Proven() || r.Accepted != 2 || is.Missing != 0 || is.Accepted != 2 {
		t.Errorf("%+v %+v", r, is)
	}
	if _, err := accepts.Accept(spool.Name(), one, 2, find); !errors.Is(err, ErrNotThat) {
		t.Errorf("accepted twice: %v", err)
	}
	// One comes back after all, and another is lost: neither hides the other.
	store.stored = records("a", "b", "c", "e")
	if r, is = found(); r.Missing != 1 || r.Accepted != 1 || r.FirstMissing[0].ID != "d" || is.Missing != 0 {
		t.Errorf("%+v %+v", r, is)
	}
	// It is of this spool alone, and kept.
	if n, ids, err := NewAccepts(accepts.path).of("OTHER"); n != 0 || len(ids) != 0 || err != nil {
		t.Error(n, ids, err)
	}
	if list, err := NewAccepts(accepts.path).All(); err != nil || len(list) != 1 || list[0].Note != "the disk" {
		t.Errorf("%+v %v", list, err)
	}
}

// What neither the store nor the spool has any more is told by the numbers alone; what was
// looked for is not told twice, and any number of it can be accepted.
func TestGone(t *testing.T) {
	for _, tt := range []struct{ lacks, missing, gone int64 }{{0, 0, 0}, {5, 0, 5}, {5, 2, 3}, {2, 2, 0}, {1, 2, 0}, {-3, 0, 0}, {50_000, 0, 50_000}} {
		r := &Report{Missing: tt.missing, FirstMissing: []accounting.Record{}}
		is := &Balance{Missing: tt.lacks}
		if r.Compare(is); r.Gone != tt.gone || r.Proven() != (tt.missing == 0 && tt.gone == 0) {
			t.Errorf("%+v: %+v", tt, r)
		}
		so := max(tt.missing, tt.lacks)
		one, err := NewAccepts(filepath.Join(t.TempDir(), "accepted")).Accept("s", Acceptance{By: "root"}, so, func() (*Report, *Balance, error) { return r, is, nil })
		if (err == nil) != (so > 0) || err == nil && one.Records != max(0, tt.lacks) {
			t.Errorf("%+v: %+v, %v", tt, one, err)
		}
	}
}
