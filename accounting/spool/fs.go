package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tollgate-mail/tollgate/internal/durable"
)

// FileSystem is what of a file system the spool relies on to be durable.
type FileSystem interface {
	// MakeDir makes the folder and those above it, where they are missing.
	MakeDir(dir string) error
	// Lock takes the folder until it is closed; ErrLocked when it is taken.
	Lock(dir string) (io.Closer, error)
	// Holds tells whether it is still this lock by which others know that the
	// folder is taken.
	Holds(dir string, lock io.Closer) bool
	// OpenDir keeps hold of a folder.
	OpenDir(dir string) (Folder, error)
	// Stands tells whether it is this file that has the name; a name that is missing is
	// no error.
	Stands(path string, f File) (bool, error)
	// Create makes a new file; it fails when there is one.
	Create(path string) (File, error)
	// Open opens a file there is, to read and to cut it.
	Open(path string) (File, error)
	Rename(from, to string) error
	Remove(path string) error
	// SyncDir makes the names in a folder durable.
	SyncDir(dir string) error

	ReadFile(path string) ([]byte, error)
	List(dir string) ([]Info, error)
	Stat(path string) (Info, error)
	// SetTime sets when the file was changed last.
	SetTime(path string, t time.Time) error
}

// Info is what a folder says of a file.
type Info struct {
	Name    string
	Size    int64 // bytes
	Changed time.Time
}

// Folder is one that is kept hold of.
type Folder interface {
	io.Closer
	// Stands tells whether it is this folder that has the path. It has not where it was
	// moved, and where another file system was mounted over it or its own is away.
	Stands(path string) bool
	// Removed tells whether it is certain that it was removed, with all that was in it.
	Removed() bool
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.Writer
	io.Closer
	// Sync makes the content durable, and the length with it.
	Sync() error
	Truncate(size int64) error
}

// osFiles are the files of the operating system.
type osFiles struct{}

func (osFiles) MakeDir(dir string) error { return os.MkdirAll(dir, 0o700) }

func (osFiles) Lock(dir string) (io.Closer, error) { return lock(dir) }

func (osFiles) Holds(dir string, l io.Closer) bool { return holds(dir, l) }

func (osFiles) OpenDir(dir string) (Folder, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	return osFolder{f}, nil
}

func (osFiles) Stands(path string, f File) (bool, error) {
	file, ok := f.(osFile)
	if !ok {
		return false, fmt.Errorf("%s: %w", path, errors.ErrUnsupported)
	}
	return stands(path, file.File)
}

func (osFiles) Create(path string) (File, error) {
	return osOpen(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

func (osFiles) Open(path string) (File, error) { return osOpen(path, os.O_RDWR) }

func (osFiles) Rename(from, to string) error { return os.Rename(from, to) }

func (osFiles) Remove(path string) error { return os.Remove(path) }

func (osFiles) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}

func (osFiles) ReadFile(path string) ([]byte, error) { return os.ReadFile(path) }

func (osFiles) List(dir string) ([]Info, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	list := make([]Info, 0, len(entries))
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		list = append(list, Info{e.Name(), info.Size(), info.ModTime()})
	}
	return list, nil
}

func (osFiles) Stat(path string) (Info, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Info{}, err
	}
	return Info{filepath.Base(path), info.Size(), info.ModTime()}, nil
}

func (osFiles) SetTime(path string, t time.Time) error { return os.Chtimes(path, t, t) }

type osFile struct{ *os.File }

func osOpen(path string, flags int) (File, error) {
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (f osFile) Sync() error { return durable.SyncData(f.File) }

type osFolder struct{ *os.File }

func (f osFolder) Stands(path string) bool {
	is, err := stands(path, f.File)
	return is && err == nil
}

// Removed: a folder has a link as long as it has a name.
func (f osFolder) Removed() bool {
	var st unix.Stat_t
	return unix.Fstat(int(f.Fd()), &st) == nil && st.Nlink == 0
}

// stands tells whether it is the file that has the name.
func stands(path string, f *os.File) (bool, error) {
	ours, err := f.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(ours, there), err
}
