package milter

import (
	"context"
	"errors"
	"sync"
	"syscall"

	gomilter "github.com/d--j/go-milter"
	"golang.org/x/sys/unix"
)

var (
	errVerdictLate = errors.New("the verdict took too long")
	errUnwaited    = errors.New("the MTA no longer waits for the verdict")
)

// waiting keeps an MTA waiting for a verdict: a PROGRESS packet now and then
// makes Postfix begin its time-out anew.
type waiting struct {
	conn   *conn
	mod    editor
	cancel context.CancelCauseFunc // of the verdict
	began  tick

	// Kept by the connection's turn:
	next tick // sign of life
	end  tick // of our own patience

	mu   sync.Mutex
	over bool
	gone string // why the MTA no longer waits
}

func newWaiting(c *conn, mod editor, cancel context.CancelCauseFunc) *waiting {
	s := c.server
	return &waiting{
		conn: c, mod: mod, cancel: cancel, began: s.time(),
		next: s.after(s.limits.Progress), end: s.after(s.limits.Verdict),
	}
}

// check is the patrol's look at the verdict. It writes in a goroutine of its
// own: an MTA that does not read must not hold up the patrol.
func (w *waiting) check(now tick) {
	if now >= w.end {
		w.cancel(errVerdictLate)
	}
	if now >= w.next {
		w.next = w.conn.server.after(w.conn.server.limits.Progress)
		go w.progress()
	}
}

// progress tells the MTA that the verdict is still being made.
func (w *waiting) progress() {
	if !w.mu.TryLock() {
		return // the last one is still being written, or the verdict is there
	}
	defer w.mu.Unlock()
	if w.over || w.gone != "" {
		return
	}
	w.look()
	if w.gone == "" {
		err := w.mod.Progress()
		if err == nil {
			err = w.conn.flush()
		}
		if err != nil && !errors.Is(err, gomilter.ErrVersionTooLow) {
			w.gone = err.Error()
		}
	}
	if w.gone != "" {
		w.cancel(errUnwaited)
	}
}

// look whether the MTA has closed the connection or gone on.
func (w *waiting) look() {
	if w.conn.raw != nil && unwaited(w.conn.raw) {
		w.gone = errUnwaited.Error()
	}
}

// stop ends the waiting and says why the MTA no longer waits, "" if it does.
// What took less than a tick or two is never too late.
func (w *waiting) stop() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.gone == "" && w.conn.server.time()-w.began > 1 {
		w.look()
	}
	return w.gone
}

// unwaited tells whether the peer has closed the connection or said something
// that has not been read yet. An MTA that waits for a verdict does neither.
func unwaited(c syscall.RawConn) bool {
	spoke := false
	// Control, not Read: a read deadline that has passed meanwhile is no sign.
	err := c.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		spoke = err != unix.EAGAIN && err != unix.EINTR
	})
	return spoke || err != nil
}
