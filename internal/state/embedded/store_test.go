package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/state/statetest"
)

func now() time.Time { return statetest.Now }

func TestConformance(t *testing.T) {
	statetest.Run(t, func(t *testing.T) statetest.Open {
		path := filepath.Join(t.TempDir(), "state.db")
		return func(t *testing.T) state.Store { return mustOpen(t, path, Options{Now: now}) }
	})
}

// The same with all of it in the file: each answer is read from there.
func TestConformanceWritten(t *testing.T) {
	statetest.Run(t, func(t *testing.T) statetest.Open {
		path := filepath.Join(t.TempDir(), "state.db")
		return func(t *testing.T) state.Store {
			s := mustOpen(t, path, Options{Now: now})
			s.writing.Lock()
			s.db.NoSync = true // a test need not wait for it
			s.writing.Unlock()
			return &written{s}
		}
	})
}

// written writes before each try.
type written struct{ *Store }

func (w *written) Try(ctx context.Context, t state.Try) (state.Answer, error) {
	if err := w.write(); err != nil {
		return state.Answer{}, err
	}
	return w.Store.Try(ctx, t)
}

func mustOpen(t testing.TB, path string, o Options) *Store {
	t.Helper()
	s, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// fill tries n triplets that are new.
func fill(t testing.TB, s *Store, from, to int, at time.Time) {
	t.Helper()
	for i := from; i < to; i++ {
		if _, err := s.Try(t.Context(), statetest.Try(i%100, i, at, statetest.Terms())); err != nil {
			t.Fatal(err)
		}
	}
}

func mustWrite(t testing.TB, s *Store) {
	t.Helper()
	if err := s.write(); err != nil {
		t.Fatal(err)
	}
}

// keys counts what is in the file, and checks the count that is kept.
func keys(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.db.View(func(tx *bolt.Tx) error {
		n = tx.Bucket([]byte(entries)).Stats().KeyN
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if s.count != n {
		t.Fatalf("count is %d, there are %d", s.count, n)
	}
	return n
}

// What a killed process has written is there; what it had not is new again.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, filepath.Join(dir, "state.db"), Options{Now: now})
	fill(t, s, 0, 10, statetest.Now)
	mustWrite(t, s)
	content, err := os.ReadFile(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 10, 20, statetest.Now)
	left := filepath.Join(dir, "left.db")
	if err := os.WriteFile(left, content, 0o600); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, left, Options{Now: now})
	for i := range 20 {
		a, err := again.Try(t.Context(), statetest.Try(i%100, i, statetest.Now, statetest.Terms()))
		if want := map[bool]state.Reason{true: state.Early, false: state.New}[i < 10]; err != nil || a.Reason != want {
			t.Errorf("%d: %+v %v", i, a, err)
		}
	}
}

// What has expired goes as other things come.
func TestSweep(t *testing.T) {
	at := statetest.Now
	s := mustOpen(t, filepath.Join(t.TempDir(), "state.db"), Options{Now: func() time.Time { return at }})
	fill(t, s, 0, 3000, at)
	mustWrite(t, s)
	if n := keys(t, s); n != 3000 {
		t.Fatal(n)
	}
	at = at.Add(48 * time.Hour)
	for i := range 12 {
		fill(t, s, 10_000+i, 10_001+i, at)
		mustWrite(t, s)
	}
	if n := keys(t, s); n != 12 {
		t.Fatal(n)
	}
	// Restarted, it goes on counting.
	path := s.db.Path()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, path, s.o)
	fill(t, s, 20_000, 20_010, at)
	mustWrite(t, s)
	if n := keys(t, s); n != 22 {
		t.Fatal(n)
	}
}

// A flood makes the file no larger than the limit, and what has passed stays.
func TestLimit(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state.db"), Options{Now: now, Limit: 1000})
	terms := statetest.Terms()
	terms.AutoWhitelist = 0
	for i := range 100 {
		for _, at := range []time.Time{statetest.Now, statetest.Now.Add(time.Hour)} {
			if _, err := s.Try(t.Context(), statetest.Try(500, i, at, terms)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 20 {
		fill(t, s, 1000*i, 1000*(i+1), statetest.Now)
		mustWrite(t, s)
		if n := keys(t, s); n > 1000 {
			t.Fatal(n)
		}
	}
	kept := 0
	for i := range 100 {
		a, err := s.Try(t.Context(), statetest.Try(500, i, statetest.Now.Add(2*time.Hour), terms))
		if err != nil {
			t.Fatal(err)
		}
		if a.Reason == state.Known {
			kept++
		}
	}
	if kept < 90 {
		t.Errorf("%d of 100 that passed are kept", kept)
	}
	// Where nothing waits, others go.
	for i := range 5 {
		ids := make([]state.ID, 1000)
		for k := range ids {
			copy(ids[k][:], fmt.Sprint(i, k))
		}
		if err := s.Remember(t.Context(), ids, statetest.Now, time.Hour); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, s)
		if n := keys(t, s); n > 1000 {
			t.Fatal(n)
		}
	}
}

// A disk that takes nothing: the store goes on in memory, and says so when
// there is no room there either.
func TestCannotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := mustOpen(t, path, Options{Now: now})
	fill(t, s, 0, 10, statetest.Now)
	mustWrite(t, s)
	reopen := func(readOnly bool) {
		t.Helper()
		s.writing.Lock()
		defer s.writing.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.db.Close(); err != nil {
			t.Fatal(err)
		}
		var err error
		if s.db.DB, err = bolt.Open(path, 0o600, &bolt.Options{ReadOnly: readOnly}); err != nil {
			t.Fatal(err)
		}
	}
	reopen(true)
	var err error
	n := 10
	for ; n < 2*maxWaiting; n++ {
		if _, err = s.Try(t.Context(), statetest.Try(n%100, n, statetest.Now, statetest.Terms())); err != nil {
			break
		}
		if n == 100 {
			if err := s.write(); err == nil {
				t.Fatal("a file that is read-only is written")
			}
		}
	}
	if !errors.Is(err, state.ErrFull) || errors.Is(err, state.ErrAway) || n < maxWaiting/2 {
		t.Fatal(n, err)
	}
	// The disk is well again: nothing was lost.
	reopen(false)
	mustWrite(t, s)
	if got := keys(t, s); got != n {
		t.Errorf("%d of %d", got, n)
	}
	fill(t, s, n, n+1, statetest.Now)
}

func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	mustOpen(t, path, Options{})
	if _, err := Open(path, Options{}); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none", "state.db"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
