package closing

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Keeper keeps seals in a file beside the store, so that a store that is set
// back cannot forget them. It is safe for use by many goroutines.
type Keeper struct {
	mu   sync.Mutex
	path string
}

// NewKeeper keeps them in closes.jsonl of a folder: a line of JSON each, in
// their order.
func NewKeeper(dir string) *Keeper { return &Keeper{path: filepath.Join(dir, "closes.jsonl")} }

// Seals are those that were kept.
func (k *Keeper) Seals() ([]accounting.Close, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.read()
}

func (k *Keeper) read() ([]accounting.Close, error) {
	text, err := os.ReadFile(k.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []accounting.Close
	number := 0
	for line := range bytes.Lines(text) {
		number++
		var c accounting.Close
		if err := json.Unmarshal(line, &c); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", k.path, number, err)
		}
		list = append(list, c)
	}
	return list, nil
}

// Keep takes the store's seals over, durably, where they follow those that are
// kept. What is kept is never given up: it returns what the store has lost. An
// error wraps ErrChanged when the store has another.
func (k *Keeper) Keep(seals []accounting.Close) (lost []accounting.Close, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept, err := k.read()
	if err != nil {
		return nil, err
	}
	if lost, err = Lost(seals, kept); err != nil {
		return nil, err
	}
	all := append(slices.Clone(seals), lost...)
	// Chains have no gaps: that is for the store's part of it to be asked.
	if slices.Equal(all, kept) {
		return lost, nil
	}
	var text []byte
	for _, c := range all {
		line, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		text = append(append(text, line...), '\n')
	}
	return lost, replace(k.path, text)
}

// replace writes a file so that after a crash it is the old or the new one.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(0o640), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
