// Package filenames finds files by patterns of names.
package filenames

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Matching are the names that a pattern of [filepath.Match] finds, sorted. Unlike
// [filepath.Glob] it tells what cannot be read: a folder that may not be listed has
// not "no files". One that is not there has none.
func Matching(pattern string) ([]string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, err
	}
	if !wild(pattern) {
		_, err := os.Lstat(pattern)
		if missing(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return []string{pattern}, nil
	}
	dir, name := filepath.Split(pattern)
	if dir == "" {
		dir = "."
	} else if short := strings.TrimRight(dir, string(filepath.Separator)); short != "" {
		dir = short
	}
	dirs := []string{dir}
	if wild(dir) {
		var err error
		if dirs, err = Matching(dir); err != nil {
			return nil, err
		}
	}
	var all []string
	for _, dir := range dirs {
		found, err := within(dir, name)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.Sort(all)
	return all, nil
}

// within are the names in one folder.
func within(dir, pattern string) ([]string, error) {
	if info, err := os.Stat(dir); missing(err) || err == nil && !info.IsDir() {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		ok, err := filepath.Match(pattern, e.Name())
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	return found, nil
}

func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// wild tells whether a name is a pattern.
func wild(name string) bool { return strings.ContainsAny(name, `*?[\`) }
