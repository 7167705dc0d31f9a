package boltfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

var (
	errLocked  = errors.New("locked")
	errDamaged = errors.New("damaged")
)

// Whatever a file holds, it is opened, or refused by an error of the store.
func TestOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	open := func(path string) error {
		d, err := Open(path, Errors{Name: "test", Locked: errLocked, Damaged: errDamaged})
		if err != nil {
			return err
		}
		return errors.Join(d.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("b"))
			if err != nil {
				return err
			}
			return b.Put([]byte("k"), make([]byte, 1<<16))
		}), d.Close())
	}
	if err := open(path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"of another kind": []byte("no database"),
		"cut":             whole[:len(whole)/3],
		"garbled":         append(append([]byte{}, whole[:1<<14]...), make([]byte, len(whole)-1<<14)...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "db")
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := open(path); !errors.Is(err, errDamaged) {
				t.Error(err)
			}
		})
	}
	if err := open(filepath.Join(path, "below a file")); err == nil || errors.Is(err, errDamaged) {
		t.Errorf("%v is said of a path that cannot be", err)
	}
	d, err := Open(path, Errors{Name: "test", Locked: errLocked, Damaged: errDamaged})
	if err != nil {
		t.Fatal(err)
	}
	if err := open(path); !errors.Is(err, errLocked) {
		t.Error(err)
	}
	failed := errors.New("failed")
	if err := d.View(func(*bolt.Tx) error { return failed }); !errors.Is(err, failed) || errors.Is(err, errDamaged) {
		t.Error(err)
	}
	if err := d.View(func(*bolt.Tx) error { panic("page 7") }); !errors.Is(err, errDamaged) {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
