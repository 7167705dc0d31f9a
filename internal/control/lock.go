package control

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// LockedError: the state folder is another process's.
type LockedError struct {
	Path string
	PID  int // 0 when it is not known
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return e.Path + " is held by another tollgate"
	}
	return fmt.Sprintf("%s is held by another tollgate (process %d)", e.Path, e.PID)
}

// Lock is a state folder that is ours. It ends with the process, however that
// ends.
type Lock struct{ f *os.File }

// Acquire takes a state folder or says whose it is (*LockedError).
func Acquire(stateDir string) (*Lock, error) {
	path := filepath.Join(stateDir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	// The file stays when the lock is released: were it removed, two could
	// hold two files of one name.
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = &LockedError{Path: path, PID: holder(f)}
		} else {
			err = fmt.Errorf("control: lock %s: %w", path, err)
		}
		return nil, errors.Join(err, f.Close())
	}
	l := &Lock{f}
	if err := l.sign(); err != nil {
		return nil, errors.Join(fmt.Errorf("control: %w", err), f.Close())
	}
	return l, nil
}

// File is the lock for another process: while anyone has it open the folder is taken.
func (l *Lock) File() *os.File { return l.f }

// Removed tells whether the file of a lock that is held does not stand in the folder any
// more: the next one who asks gets the folder, too.
func (l *Lock) Removed(stateDir string) bool {
	is, err := l.f.Stat()
	if err != nil {
		return false // it was released
	}
	at, err := os.Stat(filepath.Join(stateDir, lockName))
	return errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(is, at)
}

// InheritLock goes on with the lock of another process. Who else asks hears that
// one's name until Sign.
func InheritLock(stateDir string, f *os.File) (*Lock, error) {
	path := filepath.Join(stateDir, lockName)
	is, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	at, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	if !os.SameFile(is, at) {
		return nil, fmt.Errorf("control: the lock of another folder than %s", stateDir)
	}
	// It is of one open file: who has that has the lock already.
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("control: lock %s: %w", path, err)
	}
	return &Lock{f}, nil
}

// Sign writes who holds the lock.
func (l *Lock) Sign() error {
	if err := l.sign(); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}

// sign writes who holds the lock.
func (l *Lock) sign() error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// holder reads what sign wrote; 0 when there is nothing to be read.
func holder(f *os.File) int {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(b)))
	if err != nil {
		return 0
	}
	return pid
}

// Release gives the folder free.
func (l *Lock) Release() error { return l.f.Close() }
