package history

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// prune keeps the history within its bounds: the oldest go first, the last one
// stays whatever its size. Contents that no entry has any more go with them, unless
// one that cannot be read may have them, and so does what a crash left half written.
func (s *Store) prune(all []Entry) error {
	sizes := map[string]int64{}
	folder := filepath.Join(s.dir, objectsName)
	objects, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	for _, o := range objects {
		if info, err := o.Info(); err == nil {
			sizes[o.Name()] = info.Size()
		}
	}
	// From the newest on, as many as there is room for.
	used, octets, first := map[string]bool{}, int64(0), len(all)
	for i := len(all) - 1; i >= 0 && len(all)-i <= s.bounds.Entries; i-- {
		more := int64(0)
		var names []string
		for _, hash := range all[i].contents() {
			if name := hash + ".gz"; !used[name] {
				more += sizes[name]
				names = append(names, name)
			}
		}
		if octets+more > s.bounds.Octets && i < len(all)-1 {
			break
		}
		octets += more
		for _, name := range names {
			used[name] = true
		}
		first = i
	}
	var errs []error
	remove := func(path string) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("history: %w", err))
		}
	}
	// Entries before their contents: none may name what is not there.
	for _, e := range all[:first] {
		remove(s.entryPath(e.Number))
	}
	unread := slices.ContainsFunc(all[first:], func(e Entry) bool { return e.Problem != "" })
	for _, o := range objects {
		if !used[o.Name()] && (!unread || strings.HasPrefix(o.Name(), ".")) {
			remove(filepath.Join(folder, o.Name()))
		}
	}
	if names, err := os.ReadDir(s.dir); err == nil {
		for _, n := range names {
			if strings.HasPrefix(n.Name(), ".") && strings.Contains(n.Name(), ".new") {
				remove(filepath.Join(s.dir, n.Name()))
			}
		}
	}
	return errors.Join(errs...)
}

// contents are the hashes of what is kept for the entry.
func (e *Entry) contents() []string {
	all := []string{e.Canonical}
	for _, f := range e.Files {
		if f.Kept != "" {
			all = append(all, f.Kept)
		}
	}
	return all
}
