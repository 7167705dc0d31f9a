package recordfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func (f *File) path(start int64) string {
	return filepath.Join(f.dir, fmt.Sprintf("%016x%s", start, suffix))
}

const suffix = ".rec"

// list finds the segments. Those of another database are set aside.
func (f *File) list() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		start, err := strconv.ParseInt(name, 16, 64)
		if !ok || err != nil || len(name) != 16 {
			continue
		}
		ours, err := f.ours(start)
		if err != nil {
			return err
		}
		if ours {
			f.starts = append(f.starts, start)
		}
	}
	slices.Sort(f.starts)
	return nil
}

// ours tells whether a segment is of our database, and sets it aside if not.
func (f *File) ours(start int64) (bool, error) {
	file, err := os.Open(f.path(start))
	if err != nil {
		return false, err
	}
	b := make([]byte, segmentHeader)
	n, _ := file.ReadAt(b, 0) // one that is too short for a header has none
	if err := file.Close(); err != nil {
		return false, err
	}
	id, at, ok := whose(b[:n])
	if ok && (id != f.o.ID || at != start) {
		aside, err := f.setAside(start, "other")
		f.o.Log.Error("records of another database are set aside", "file", aside)
		return false, err
	}
	if !ok && start < f.end {
		// Each of its records says where it belongs.
		f.o.Log.Error("a file of records has a damaged header; its records are read", "file", f.path(start))
	}
	return true, nil
}

// setAside renames a segment, to a name that nothing has.
func (f *File) setAside(start int64, why string) (string, error) {
	aside, err := os.CreateTemp(f.dir, filepath.Base(f.path(start))+"."+why+"-*")
	if err != nil {
		return "", err
	}
	f.renamed = true
	return aside.Name(), errors.Join(aside.Close(), os.Rename(f.path(start), aside.Name()))
}

// reaches is the position behind the last octet there is.
func (f *File) reaches() (int64, error) {
	if len(f.starts) == 0 {
		return 0, nil
	}
	start := f.starts[len(f.starts)-1]
	info, err := os.Stat(f.path(start))
	if err != nil {
		return 0, err
	}
	return start + info.Size(), nil
}
