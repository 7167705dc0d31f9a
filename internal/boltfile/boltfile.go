// Package boltfile opens bbolt databases of which nothing is known: whatever a
// file holds, bbolt's panics and faults on it are errors.
package boltfile

import (
	"errors"
	"fmt"
	"runtime/debug"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockTimeout is how long Open waits for another process to let go.
const lockTimeout = 2 * time.Second

// Errors are how a store calls what goes wrong.
type Errors struct {
	Name    string // before what fails, "embedded store"
	Locked  error  // another process has the file
	Damaged error  // the file is no database, or a broken one
}

// DB is a database. Update, View and Close are bbolt's, but that none panics.
type DB struct {
	*bolt.DB
	errors Errors
}

// Open opens the database file, or makes it, with mode 0600. Its errors name
// the path.
func Open(path string, e Errors) (*DB, error) {
	d := &DB{errors: e}
	err := d.caught(func() (err error) {
		d.DB, err = bolt.Open(path, 0o600, &bolt.Options{
			Timeout: lockTimeout, FreelistType: bolt.FreelistMapType,
			// With NoFreelistSync, opening would read all pages, and of a broken
			// file panic in a goroutine where nothing can recover it.
			NoFreelistSync: false,
		})
		return err
	})
	var system syscall.Errno
	switch {
	case err == nil:
		return d, nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s", e.Locked, path)
	case errors.As(err, &system):
		return nil, err // it names the path
	case errors.Is(err, e.Damaged):
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return nil, fmt.Errorf("%w: %s: %w", e.Damaged, path, err) // all else is what the file holds
}

// Update runs fn in a transaction that writes, and syncs it.
func (d *DB) Update(fn func(*bolt.Tx) error) error {
	return d.caught(func() error { return d.DB.Update(fn) })
}

// View runs fn in a transaction that reads.
func (d *DB) View(fn func(*bolt.Tx) error) error {
	return d.caught(func() error { return d.DB.View(fn) })
}

// Do runs fn, which does with the database what it wants: its panics are errors.
func (d *DB) Do(fn func() error) error { return d.caught(fn) }

// Close closes the file.
func (d *DB) Close() error { return d.caught(d.DB.Close) }

// caught makes an error of what bbolt does with a broken file: it panics where
// pages do not fit together, and faults where the file ends too early.
func (d *DB) caught(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", d.errors.Damaged, p)
		}
	}()
	if err := fn(); err != nil {
		return fmt.Errorf("%s: %w", d.errors.Name, err)
	}
	return nil
}
