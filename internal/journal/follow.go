package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Mark is how far a file is known.
type Mark struct {
	info fs.FileInfo
	at   int64
}

// Marks are the present ends of the journals, by file name.
func Marks(dir string) (map[string]Mark, error) {
	marks := make(map[string]Mark)
	for _, k := range kinds {
		names, err := current(dir, k.name)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			info, err := os.Stat(filepath.Join(dir, name))
			switch {
			case errors.Is(err, fs.ErrNotExist):
				continue
			case err != nil:
				return nil, fmt.Errorf("journal: %w", err)
			}
			marks[name] = Mark{info, info.Size()}
		}
	}
	return marks, nil
}

// followStep is how often files are looked at: they are written within a second.
const followStep = 200 * time.Millisecond

// Follow calls fn with every entry that matches and is written after the marks,
// also after rotations, until ctx ends or fn returns an error, which it returns.
func Follow(ctx context.Context, dir string, q Query, from map[string]Mark, fn func(Entry) error) error {
	m := newMatch(q)
	wait := time.NewTicker(followStep)
	defer wait.Stop()
	for {
		for _, k := range kinds {
			if len(q.Kinds) > 0 && !slices.Contains(q.Kinds, k.name) || len(q.Kinds) == 0 && k.name == Looks {
				continue
			}
			names, err := current(dir, k.name)
			if err != nil {
				return err
			}
			for _, name := range names {
				mark, err := followed(filepath.Join(dir, name), from[name], m, fn)
				if err != nil {
					return err
				}
				from[name] = mark
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wait.C:
		}
	}
}

// followed reads what a file has got since a mark: of another file of that name
// all. What the former file got between its last reading and its renaming is
// read from that one, where it still has a name beside it.
func followed(path string, mark Mark, m *match, fn func(Entry) error) (Mark, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return mark, nil // between renaming and reopening
	}
	if err != nil {
		return mark, fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return mark, fmt.Errorf("journal: %w", err)
	}
	if mark.info != nil && !os.SameFile(mark.info, info) {
		if err := rest(filepath.Dir(path), mark, m, fn); err != nil {
			return mark, err
		}
		mark = Mark{}
	}
	if info.Size() < mark.at {
		mark.at = 0 // it was emptied
	}
	at, err := whole(f, mark.at, m, fn)
	return Mark{info, at}, err
}

// rest reads the end of a file that has another name now.
func rest(dir string, mark Mark, m *match, fn func(Entry) error) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !os.SameFile(mark.info, info) {
			continue
		}
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil // packed away meanwhile
		}
		defer f.Close()
		_, err = whole(f, mark.at, m, fn)
		return err
	}
	return nil
}

// whole reads whole lines from an offset on and returns where they end.
func whole(f *os.File, at int64, m *match, fn func(Entry) error) (int64, error) {
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return at, fmt.Errorf("journal: %w", err)
	}
	l := newLines(f)
	for {
		line, err := l.next()
		switch {
		case errors.Is(err, io.EOF), l.torn:
			return at, nil // the rest is under way
		case errors.Is(err, errLong):
			info, err := f.Stat()
			if err != nil {
				return at, fmt.Errorf("journal: %w", err)
			}
			return info.Size(), nil
		case err != nil:
			return at, fmt.Errorf("journal: %w", err)
		}
		at += int64(len(line)) + 1
		if e := entry(line, false, m, new(Report)); e != nil {
			if err := fn(*e); err != nil {
				return at, err
			}
		}
	}
}
