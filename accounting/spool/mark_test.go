package spool

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// server is a Checkpointer that can be set back.
type server struct {
	account
	mark  string
	moves int
	down  error
	// lost makes the next move of the mark succeed without its answer arriving.
	lost bool
}

func newServer() *server { return &server{account: account{seen: map[string]int{}}} }

// Session is one connection, which ends with the first error.
func (s *server) Session(context.Context) (accounting.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil {
		return nil, s.down
	}
	return &connection{server: s, known: s.mark}, nil
}

type connection struct {
	*server
	known string
}

func (c *connection) Marks() []accounting.Mark { return []accounting.Mark{{Text: c.known}} }

func (c *connection) Put(ctx context.Context, batch []accounting.Record, text string) error {
	if err := c.account.Put(ctx, batch); err != nil {
		return err
	}
	return c.Move(ctx, text)
}

func (c *connection) Move(_ context.Context, text string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mark != c.known {
		return accounting.ErrMark
	}
	c.mark = text
	c.moves++
	if c.lost {
		c.lost = false
		return errors.New("the answer was lost")
	}
	c.known = text
	return nil
}

func (c *connection) Check(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mark != c.known {
		return accounting.ErrMark
	}
	return c.down
}

func (c *connection) Close() error { return nil }

// snapshot is what a restart brings back.
type snapshot struct {
	seen  map[string]int
	order []string
	mark  string
}

func (s *server) snapshot() snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return snapshot{maps.Clone(s.seen), slices.Clone(s.order), s.mark}
}

func (s *server) restore(from snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen, s.order, s.mark = maps.Clone(from.seen), slices.Clone(from.order), from.mark
}

func (s *server) has(t *testing.T, messages ...[]accounting.Record) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	want := ids(messages...)
	if len(s.order) != len(want) {
		t.Fatalf("the server has %d records of %d", len(s.order), len(want))
	}
	for _, id := range want {
		if s.seen[id] == 0 {
			t.Fatalf("the server lost %s", id)
		}
	}
}

// Whatever the server loses while it is drained into, the spool gives again;
// and no more than that.
func TestServerLosesRecords(t *testing.T) {
	dir := t.TempDir()
	srv := newServer()
	s := mustOpen(t, dir, Options{SegmentSize: 2000}, osFiles{})
	stop := startDrain(t, s, srv)
	var all [][]accounting.Record
	more := func() {
		for range 5 {
			m := message(len(all), 2)
			all = append(all, m)
			mustAppend(t, s, m)
		}
		flushAll(t, s)
		srv.has(t, all...)
	}
	empty := srv.snapshot()
	more()
	old := srv.snapshot()
	more()

	srv.restore(old) // an older snapshot
	flushAll(t, s)
	srv.has(t, all...)
	for _, id := range ids(all[:5]...) {
		if srv.seen[id] != 1 {
			t.Fatalf("%s came %d times: the mark was not heeded", id, srv.seen[id])
		}
	}
	srv.restore(old)
	more() // with new records right behind the loss

	srv.restore(empty) // emptied
	flushAll(t, s)
	srv.has(t, all...)
	if st := s.Status(); st.Waiting != 0 || st.LastError != "" {
		t.Fatalf("%+v", st)
	}
	srv.restore(empty)
	more()
	stop()

	// Lost while nobody drained.
	srv.restore(old)
	s.Close()
	s = mustOpen(t, dir, Options{}, osFiles{})
	drainAll(t, s, srv)
	srv.has(t, all...)

	// And a new server altogether.
	other := newServer()
	drainAll(t, s, other)
	other.has(t, all...)
}

// What the server loses is given again however short a time lies between its
// snapshot and the loss: the mark moves after every batch.
func TestServerLosesTheLastMoment(t *testing.T) {
	srv := newServer()
	s, err := open(t.TempDir(), Options{}, osFiles{}, pace{save: time.Hour, check: time.Hour, backoffMin: 1, backoffMax: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	stop := startDrain(t, s, srv)
	defer stop()
	var all [][]accounting.Record
	more := func(n int) {
		for range n {
			m := message(len(all), 1)
			all = append(all, m)
			mustAppend(t, s, m)
		}
		for s.Status().Waiting > 0 {
			runtime.Gosched()
		}
	}
	more(3)
	old := srv.snapshot()
	more(3)
	srv.restore(old)
	if n := len(srv.ids()); n != 3 {
		t.Fatalf("%d records after the loss", n)
	}
	more(1)
	flushAll(t, s)
	srv.has(t, all...)
}

// A restart without any loss applies nothing again, and is no alarm.
func TestServerKeepsRecords(t *testing.T) {
	dir := t.TempDir()
	srv := newServer()
	var log logged
	for i := range 3 {
		s := mustOpen(t, dir, Options{Log: log.logger()}, osFiles{})
		mustAppend(t, s, message(i, 2))
		drainAll(t, s, srv)
		s.Close()
	}
	srv.has(t, message(0, 2), message(1, 2), message(2, 2))
	for id, n := range srv.seen {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
	if lines := log.lines(); len(lines) > 0 {
		t.Fatal(lines)
	}
}

// The answer to a move of the mark gets lost: it was moved, and that is no loss.
// The batch comes again, which changes nothing.
func TestMarkAnswerLost(t *testing.T) {
	var log logged
	srv := newServer()
	s := mustOpen(t, t.TempDir(), Options{Log: log.logger()}, osFiles{})
	stop := startDrain(t, s, srv)
	defer stop()
	mustAppend(t, s, message(0, 1))
	flushAll(t, s)
	srv.mu.Lock()
	srv.lost = true
	srv.mu.Unlock()
	mustAppend(t, s, message(1, 1))
	flushAll(t, s)
	srv.has(t, message(0, 1), message(1, 1))
	for _, l := range log.lines() {
		if strings.Contains(l, "lost records") {
			t.Error(l)
		}
	}
}

// Records of another folder's spool say nothing about this one.
func TestMarkOfAnotherSpool(t *testing.T) {
	srv := newServer()
	for i := range 2 {
		s := mustOpen(t, t.TempDir(), Options{}, osFiles{})
		for k := range 3 {
			mustAppend(t, s, message(10*i+k, 1))
		}
		drainAll(t, s, srv)
	}
	if n := len(srv.ids()); n != 6 {
		t.Fatalf("%d records", n)
	}
}

// A crash between the sink and the cursor: the records come again.
func TestCrashBeforeCursor(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{}, osFiles{})
	mustAppend(t, s, message(0, 2))
	image := newFaults().crash(t, dir)
	a := newAccount()
	drainAll(t, s, a)
	s = mustOpen(t, image, Options{}, osFiles{})
	drainAll(t, s, a)
	for _, id := range ids(message(0, 2)) {
		if a.seen[id] != 2 {
			t.Fatalf("%s came %d times", id, a.seen[id])
		}
	}
}
