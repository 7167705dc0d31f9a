package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// File is a file as it shall be.
type File struct {
	Path    string
	Content []byte
	Gone    bool // it shall not be there
}

// Swapped are files that were replaced, with what can be put back.
type Swapped struct{ steps []swap }

type swap struct {
	path, aside string // aside: "" where there was no file
}

// Swap replaces files one after the other in their order, after all of them were
// written beside their places: what can fail has failed before the first is
// replaced. Those that were there are kept beside them, under their names with
// the suffix. A new file has the mode and owner of the one before it, or of like.
func Swap(files []File, suffix, like string) (*Swapped, error) {
	beside := make([]string, len(files))
	drop := func() {
		for _, name := range beside {
			if name != "" {
				_ = os.Remove(name) // of a change that is given up
			}
		}
	}
	for i, f := range files {
		if f.Gone {
			continue
		}
		info, err := os.Stat(f.Path)
		if errors.Is(err, fs.ErrNotExist) {
			info, err = os.Stat(like)
		}
		if err != nil {
			drop()
			return nil, err
		}
		if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil {
			drop()
			return nil, err
		}
		if beside[i], err = WriteBeside(f.Path, f.Content, info.Mode().Perm()&0o666); err != nil {
			drop()
			return nil, err
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
			if err := os.Chown(beside[i], int(owner.Uid), int(owner.Gid)); err != nil {
				drop()
				return nil, err
			}
		}
	}
	s := &Swapped{}
	for i, f := range files {
		if err := s.swap(f, beside[i], suffix); err != nil {
			drop()
			return nil, errors.Join(err, s.Undo())
		}
		beside[i] = ""
	}
	return s, nil
}

func (s *Swapped) swap(f File, beside, suffix string) error {
	step := swap{path: f.Path}
	switch _, err := os.Lstat(f.Path); {
	case err == nil:
		if step.aside, err = KeepAside(f.Path, suffix); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	s.steps = append(s.steps, step)
	if f.Gone {
		if step.aside == "" {
			return nil
		}
		return errors.Join(os.Remove(f.Path), SyncDir(filepath.Dir(f.Path)))
	}
	if err := os.Rename(beside, f.Path); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(f.Path))
}

// KeepAside gives a file a second name, which no file has: its own with the suffix, and
// a number where that is taken.
func KeepAside(path, suffix string) (string, error) {
	for n := range 100 {
		aside := path + suffix
		if n > 0 {
			aside = fmt.Sprintf("%s.%d", aside, n)
		}
		err := os.Link(path, aside)
		if !errors.Is(err, fs.ErrExist) {
			return aside, err
		}
	}
	return "", fmt.Errorf("%s%s: %w", path, suffix, fs.ErrExist)
}

// Aside are the names of what was kept.
func (s *Swapped) Aside() []string {
	var all []string
	for _, step := range s.steps {
		if step.aside != "" {
			all = append(all, step.aside)
		}
	}
	return all
}

// Undo puts everything back as it was.
func (s *Swapped) Undo() error {
	var errs []error
	for i := len(s.steps) - 1; i >= 0; i-- {
		step := s.steps[i]
		var err error
		if step.aside == "" {
			if err = os.Remove(step.path); errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
		} else {
			err = os.Rename(step.aside, step.path)
		}
		errs = append(errs, err, SyncDir(filepath.Dir(step.path)))
	}
	s.steps = nil
	return errors.Join(errs...)
}
