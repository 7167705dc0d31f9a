package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrLocked: the folder is open already, here or in another process.
var ErrLocked = errors.New("spool: in use")

const lockName = "lock"

// lock takes the folder until the file is closed.
func lock(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return f, nil
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrLocked
	}
	err = fmt.Errorf("%s: %w", path, err)
	return nil, errors.Join(err, f.Close())
}

// holds tells whether the file of a lock is the one that stands in the folder.
func holds(dir string, l io.Closer) bool {
	file, ok := l.(*os.File)
	if !ok {
		return false
	}
	is, err := stands(filepath.Join(dir, lockName), file)
	return is && err == nil
}
