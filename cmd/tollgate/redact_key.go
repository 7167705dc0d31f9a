package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/durable"
)

// redactKey is what hashes of --redact are made with.
type redactKey []byte

// redactKeyName is its file in the state folder. Who may read the journals may read
// it: there stands what it hides.
const redactKeyName = "redact.key"

const redactKeySize = 32

// redactions is the key of this gateway, made where there is none. Where it cannot be
// had the hashes are of this output alone, and it is said: one that everybody has would
// let who gets the output try out names.
func (a *app) redactions() redactKey {
	if a.key != nil {
		return a.key
	}
	places, problems := config.FindPlaces(a.policy)
	err := problems.Err()
	if err == nil {
		a.key, err = gatewayKey(places.StateDir)
	}
	if err != nil {
		fmt.Fprintf(a.err, "tollgate: the key of this gateway for --redact cannot be had, the hashes are of this output alone: %v\n", err)
		a.key = newKey()
	}
	return a.key
}

func newKey() redactKey {
	key := make(redactKey, redactKeySize)
	_, _ = rand.Read(key) // it never fails
	return key
}

func gatewayKey(dir string) (redactKey, error) {
	path := filepath.Join(dir, redactKeyName)
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(dir, path); err != nil {
			return nil, err
		}
		key, err = os.ReadFile(path)
	}
	if err == nil && len(key) != redactKeySize {
		err = fmt.Errorf("%s: %d bytes, there were %d", path, len(key), redactKeySize)
	}
	return key, err
}

// makeKey makes one, for the user and group of the folder. Of two that do so at a time
// one is first.
func makeKey(dir, path string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	beside, err := durable.WriteBeside(path, newKey(), 0o640)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		err = os.Chown(beside, int(owner.Uid), int(owner.Gid))
	}
	if err == nil {
		if err = os.Link(beside, path); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	return errors.Join(err, os.Remove(beside), durable.SyncDir(dir))
}
