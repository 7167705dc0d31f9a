package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Open {
		path := filepath.Join(t.TempDir(), "account.db")
		return func(t *testing.T, o storetest.Options) accounting.Store {
			s, err := Open(path, Options{Location: o.Location, Recipients: o.Recipients, SeenDays: o.SeenDays, Now: o.Now, Book: o.Book, Standing: o.Standing})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	})
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

func TestOpenLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "account.db")
	mustOpen(t, path, Options{})
	if _, err := Open(path, Options{}); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
}

func TestOpenUnusable(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "account.db")
	s := mustOpen(t, path, Options{})
	fill(t, s, 2000)
	s.Close()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"text":        []byte("this is no database\n"),
		"rubbish":     make([]byte, 64<<10),
		"half a page": good[:2000],
		"one page":    good[:4096],
	} {
		t.Run(name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), "account.db")
			if err := os.WriteFile(p, content, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(p, Options{})
			if err == nil {
				s.Close()
				t.Fatal("it opens")
			}
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
		})
	}
	if _, err := Open(filepath.Join(dir, "none", "account.db"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Open(dir, Options{}); err == nil {
		t.Error("a folder opens")
	}
}

// Damage behind the first pages is met while running: an error, no crash.
func TestDamagedPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "account.db")
	s := mustOpen(t, path, Options{})
	fill(t, s, 5000)
	s.Close()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hurt := good[:len(good):len(good)]
	for i := 4 * 4096; i < len(hurt); i++ {
		hurt[i] ^= 0xa5
	}
	if err := os.WriteFile(path, hurt, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err = Open(path, Options{Now: func() time.Time { return storetest.Now }})
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		return
	}
	defer s.Close()
	if _, err := s.Counters(t.Context(), "2026-11"); !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), []accounting.Record{storetest.Usage(1, "sales", "a@example.org", storetest.Now, 1, 1)}); !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
}

func TestOtherVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "account.db")
	s := mustOpen(t, path, Options{})
	if err := s.update(func(tx *bolt.Tx) error { return tx.Bucket([]byte(meta)).Put([]byte("version"), []byte("3")) }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := Open(path, Options{}); !errors.Is(err, ErrVersion) {
		t.Fatal(err)
	}
}

// What is remembered goes when it can no longer be asked for, and not before.
func TestPrune(t *testing.T) {
	now := storetest.Now
	s := mustOpen(t, filepath.Join(t.TempDir(), "account.db"), Options{SeenDays: 35, DayDays: 60, Now: func() time.Time { return now }})
	count := func(bucket string) (n int) {
		if err := s.view(func(tx *bolt.Tx) error { n = tx.Bucket([]byte(bucket)).Stats().KeyN; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	put := func(n int) {
		t.Helper()
		if err := s.Put(t.Context(), []accounting.Record{storetest.Usage(n, "sales", "a@example.org", now, 1, 1)}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 30 {
		put(i)
	}
	now = now.AddDate(0, 0, 35)
	put(100)
	if n := count(seen); n != 31 {
		t.Fatalf("%d remembered", n)
	}
	now = now.AddDate(0, 0, 2)
	put(101)
	if n := count(seen); n != 2 {
		t.Fatalf("%d remembered", n)
	}
	if n := count(days); n != 3 {
		t.Fatalf("%d days", n)
	}
	now = now.AddDate(0, 0, 24)
	put(102)
	if n := count(days); n != 3 {
		t.Fatalf("%d days", n)
	}
	if c, err := s.Counters(t.Context(), "2026-11"); err != nil || len(c) != 1 || c[0].Deliveries != 30 {
		t.Fatal(c, err)
	}
}

func fill(t testing.TB, s *Store, n int) {
	t.Helper()
	s.o.Now = func() time.Time { return storetest.Now }
	for at := 0; at < n; at += 500 {
		if err := s.Put(t.Context(), some(at, 500)); err != nil {
			t.Fatal(err)
		}
	}
}

// some makes n records of 100 clients with 20 recipients each.
func some(at, n int) []accounting.Record {
	batch := make([]accounting.Record, n)
	for i := range batch {
		k := at + i
		batch[i] = storetest.Usage(k, fmt.Sprintf("client-%d", k%100), fmt.Sprintf("user%d@example.org", k/100%20),
			storetest.Now.Add(time.Duration(k)*time.Millisecond), 8000, 8000)
	}
	return batch
}
