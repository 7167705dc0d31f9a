package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// file is one journal's file, to which whole lines are appended.
type file struct {
	kind string

	mu     sync.Mutex
	f      *os.File
	path   string // where it was opened
	astray int    // how many times in a row it was not found there
	torn   bool   // the file does not end with a line end
	status KindStatus
}

// openFile opens a file for appending.
func openFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return f, nil
}

// replace continues in another file and closes the one before. What a crash
// left of a last line stays there; the next line begins on a new one.
func (a *file) replace(f *os.File, path string) error {
	a.mu.Lock() // it may be the same file: no line must be under way
	defer a.mu.Unlock()
	return a.continueIn(f, path)
}

func (a *file) continueIn(f *os.File, path string) error {
	old := a.f
	a.f, a.path, a.astray, a.torn = f, path, 0, endsTorn(f)
	a.status.Elsewhere = ""
	if old == nil {
		return nil
	}
	return old.Close()
}

// endsTorn tells whether a file does not end with a line end. When in doubt it
// does not: an empty line does no harm.
func endsTorn(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return true
	}
	if info.Size() == 0 || !info.Mode().IsRegular() {
		return false
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil {
		return true
	}
	return last[0] != '\n'
}

// write appends whole lines with one write(2). On an error rest are the lines
// that are not in the file; one that is there in part is among them, and its
// part is left for readers to pass over.
func (a *file) write(lines []byte, now time.Time) (rest []byte, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if removed(a.f) {
		a.anew(now)
	}
	out := lines
	if a.torn {
		out = slices.Concat([]byte{'\n'}, lines)
	}
	n, err := a.f.Write(out)
	if n > 0 {
		a.torn = out[n-1] != '\n'
	}
	n = max(n-(len(out)-len(lines)), 0)
	whole := bytes.LastIndexByte(lines[:n], '\n') + 1
	a.status.Lines += int64(bytes.Count(lines[:whole], []byte{'\n'}))
	if a.status.Elsewhere != "" && removed(a.f) {
		a.status.Lost += int64(bytes.Count(lines[:whole], []byte{'\n'})) // nobody will read them
	}
	if err != nil {
		err = fmt.Errorf("journal: %w", err)
		if a.status.LastError == "" {
			a.status.ErrorSince = now
		}
		a.status.LastError = err.Error()
		return lines[whole:], err
	}
	a.status.LastError, a.status.ErrorSince = "", time.Time{}
	return nil, nil
}

// removed tells of a file that no name leads to any more: what is written to it
// goes when it is closed. In doubt it is none.
func removed(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink == 0
}

// anew opens the file at its path again, after somebody took it away from there.
// Where that cannot be done, the one before is written on.
func (a *file) anew(now time.Time) {
	err := os.MkdirAll(filepath.Dir(a.path), 0o750)
	var f *os.File
	if err == nil {
		f, err = openFile(a.path)
	}
	if err != nil {
		a.status.Elsewhere = fmt.Sprintf("it is not at %s any more, and cannot be made there: %v", a.path, err)
		return
	}
	_ = a.continueIn(f, a.path) // what was written is written
	a.status.Reopened++
	a.status.ReopenedAt = now
}

// lookAfter has the file opened anew where another one, or none, is at its path.
// It is not done at first sight: whoever rotates files renames them, makes new
// ones and says so (SIGHUP), a moment one after the other.
func (a *file) lookAfter(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ours, err := a.f.Stat()
	if err != nil {
		return
	}
	if there, err := os.Stat(a.path); err == nil && os.SameFile(ours, there) {
		a.astray, a.status.Elsewhere = 0, ""
		return
	}
	if a.astray++; a.astray > 1 {
		a.anew(now)
	}
}

// close closes the file; writing fails afterwards.
func (a *file) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.f.Close()
}

// lose counts lines that will never be in the file.
func (a *file) lose(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status.Lost += int64(n)
}

func (a *file) state() KindStatus {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status
}
