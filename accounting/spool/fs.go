package spool

import (
	"io"
	"os"
)

// fileSystem is what of a file system the spool relies on to be durable.
type fileSystem interface {
	// create makes a new file; it fails when there is one.
	create(path string) (file, error)
	// open opens a file there is, to read and to cut it.
	open(path string) (file, error)
	rename(from, to string) error
	remove(path string) error
	// syncDir makes the names in a folder durable.
	syncDir(dir string) error
}

type file interface {
	io.ReaderAt
	io.Writer
	io.Closer
	// Sync makes the content durable, and the length with it.
	Sync() error
	Truncate(size int64) error
}

// osFiles are the files of the operating system.
type osFiles struct{}

func (osFiles) create(path string) (file, error) {
	return osOpen(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

func (osFiles) open(path string) (file, error) { return osOpen(path, os.O_RDWR) }

func (osFiles) rename(from, to string) error { return os.Rename(from, to) }

func (osFiles) remove(path string) error { return os.Remove(path) }

func (osFiles) syncDir(dir string) error {
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

type osFile struct{ *os.File }

func osOpen(path string, flags int) (file, error) {
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (f osFile) Sync() error { return datasync(f.File) }
