package audit

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// fakeSpool retains messages of some records.
type fakeSpool struct {
	messages [][]accounting.Record
	waiting  int64
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

func (s *fakeSpool) Counts() (spooled, waiting int64) {
	for _, m := range s.messages {
		spooled += int64(len(m))
	}
	return spooled, s.waiting
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
