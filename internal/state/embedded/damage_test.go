package embedded

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/state/statetest"
)

// A file that cannot be used is put aside, and stops nothing.
func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	s := mustOpen(t, path, Options{Now: now})
	fill(t, s, 0, 3000, statetest.Now)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.db")
	db, err := bolt.Open(other, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket([]byte(meta))
		if err != nil {
			return err
		}
		return b.Put([]byte("version"), []byte("2"))
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	version, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"text": []byte("this is no database\n"), "zeros": make([]byte, 64<<10), "half a page": good[:2000], "one page": good[:4096],
		"another version": version,
	} {
		t.Run(name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), "state.db")
			if err := os.WriteFile(p, content, 0o600); err != nil {
				t.Fatal(err)
			}
			s := mustOpen(t, p, Options{Now: now})
			fill(t, s, 0, 10, statetest.Now)
			mustWrite(t, s)
			if n := keys(t, s); n != 10 {
				t.Error(n)
			}
			aside, err := os.ReadFile(p + ".damaged")
			// bbolt may have written to it before it saw.
			if err != nil || name == "text" && !bytes.Equal(aside, content) {
				t.Error(err)
			}
		})
	}
}

// Damage behind the first pages is met while running: an error, no crash.
func TestDamagedPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := mustOpen(t, path, Options{Now: now})
	fill(t, s, 0, 5000, statetest.Now)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4 * 4096; i < len(content); i++ {
		content[i] ^= 0xa5
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, path, Options{Now: now})
	if _, err := os.Stat(path + ".damaged"); err == nil {
		return // it was seen when it was opened
	}
	if _, err := s.Try(t.Context(), statetest.Try(1, 1, statetest.Now, statetest.Terms())); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	if _, err := s.Remembered(t.Context(), state.ID{1}, statetest.Now, time.Hour); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

// Whatever is in the file in place of an entry, mail waits no longer than the
// delay for it.
func FuzzEntries(f *testing.F) {
	terms := statetest.Terms()
	for _, t := range []state.Triplet{{Since: now()}, {Since: now(), Passed: true}} {
		f.Add(encodeTriplet(t, terms))
	}
	f.Add(encodeNetwork(state.Network{Last: now(), Passed: []state.ID{{1}, {2}}}, terms))
	f.Add(encodePair(now(), time.Hour))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 33))
	s := mustOpen(f, filepath.Join(f.TempDir(), "state.db"), Options{Now: now})
	f.Fuzz(func(t *testing.T, b []byte) {
		if tri, err := decodeTriplet(b); err == nil {
			if again, err := decodeTriplet(encodeTriplet(tri, terms)); err != nil || again != tri {
				t.Fatalf("%+v %+v %v", tri, again, err)
			}
		}
		if net, err := decodeNetwork(b); err == nil {
			again, err := decodeNetwork(encodeNetwork(net, terms))
			if err != nil || !again.Last.Equal(net.Last) || len(again.Passed) != len(net.Passed) {
				t.Fatalf("%+v %+v %v", net, again, err)
			}
		}
		_ = isWaiting([]byte{tripletKey}, b)

		try := statetest.Try(1, 1, now(), terms)
		s.mu.Lock()
		s.fresh[netKey(try.Network)], s.fresh[idKey(tripletKey, try.Triplet)], s.fresh[idKey(pairKey, try.Triplet)] = b, b, b
		s.mu.Unlock()
		a, err := s.Try(t.Context(), try)
		if err != nil || a.Wait < 0 || a.Wait > terms.Delay || a.Pass != (a.Wait == 0) {
			t.Fatalf("%+v %v", a, err)
		}
		if _, err := s.Remembered(t.Context(), try.Triplet, now(), time.Hour); err != nil {
			t.Fatal(err)
		}
	})
}
