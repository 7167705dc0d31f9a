// Package unixsocket listens on a path of the file system, and goes on to: who
// takes the path away, or kills what was there, does not silence the service for
// good.
package unixsocket

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Every is how often it is looked whether the path still leads to its listener.
const Every = 2 * time.Second

var (
	// ErrInUse means that another process answers on the path.
	ErrInUse = errors.New("another process answers there")
	// ErrNoSocket means that something else is at the path. It stays.
	ErrNoSocket = errors.New("a file that is no socket is there")
)

// Status is how the path of a socket fares.
type Status struct {
	Path string `json:"path"`
	// Remade is how often it was made anew, because its path was empty or led to a
	// socket that nobody answers on.
	Remade int `json:"remade"`
	// Error is why it cannot be reached now, such as that another process has its
	// path; "" when all is well.
	Error string `json:"error"`
}

// Maker makes the socket at a path that is empty or left over by a dead process.
// On an error nothing of it is left.
type Maker func(path string) (*net.UnixListener, error)

// Listener is a net.Listener on a path. Closing it removes the path only while
// that leads to it.
type Listener struct {
	path string
	make Maker

	mu     sync.Mutex
	ln     *net.UnixListener
	is     fs.FileInfo // of the path when it was made
	closed bool
	lent   bool // the path is another process's, too: it stays when the listener is closed
	status Status
	moved  chan struct{} // closed when ln has been replaced
}

// Listen makes a socket. Nobody must answer at its path.
func Listen(path string, maker Maker) (*Listener, error) {
	l := &Listener{path: path, make: maker, status: Status{Path: path}}
	if err := l.open(); err != nil {
		return nil, err
	}
	return l, nil
}

// Inherit goes on with a listener that another process made at the path, and leaves
// the path alone when it is closed, until Own. A path that is empty by now is made
// anew after that.
func Inherit(path string, ln *net.UnixListener, maker Maker) (*Listener, error) {
	is, err := os.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	ln.SetUnlinkOnClose(false)
	return &Listener{path: path, make: maker, ln: ln, is: is, lent: true, moved: make(chan struct{}), status: Status{Path: path}}, nil
}

// Own has the path be the listener's own from now on.
func (l *Listener) Own() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lent = false
}

// Lend has the path stay when the listener is closed: another process goes on with
// its socket. It is not looked after from then on.
func (l *Listener) Lend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lent = true
}

// SyscallConn is the socket that is there now.
func (l *Listener) SyscallConn() (syscall.RawConn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ln.SyscallConn()
}

// open makes the socket where that may be done. l.mu is held, or nobody else has l.
func (l *Listener) open() error {
	if err := free(l.path); err != nil {
		return err
	}
	ln, err := l.make(l.path)
	if err != nil {
		return err
	}
	// It would remove whatever is there when it is closed.
	ln.SetUnlinkOnClose(false)
	is, err := os.Lstat(l.path)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	if l.moved != nil {
		close(l.moved)
	}
	l.ln, l.is, l.moved = ln, is, make(chan struct{})
	return nil
}

// free tells whether a path is empty or leads to a socket that nobody answers on.
func free(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return ErrNoSocket
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		_ = c.Close() // it was only asked whether somebody is there
		return ErrInUse
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err // one whose queue is full is alive
	}
	return nil
}

// Accept takes a connection from the listener that is there now.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		l.mu.Lock()
		ln, moved := l.ln, l.moved
		l.mu.Unlock()
		c, err := ln.Accept()
		if err == nil || !errors.Is(err, net.ErrClosed) {
			return c, err
		}
		select {
		case <-moved: // there is another one
		default:
			return nil, err
		}
	}
}

// Addr is the path.
func (l *Listener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// Close ends it; again, it does nothing.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	err := l.ln.Close()
	if !l.lent && l.leads() {
		err = errors.Join(err, os.Remove(l.path))
	}
	return err
}

// leads tells whether the path leads to the listener.
func (l *Listener) leads() bool {
	now, err := os.Lstat(l.path)
	return err == nil && os.SameFile(now, l.is)
}

// Look makes the socket anew where its path does not lead to it any more and no
// other process answers there. It tells whether it did.
func (l *Listener) Look() (remade bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.lent || l.leads() {
		l.status.Error = ""
		return false, nil
	}
	old := l.ln
	if err := l.open(); err != nil {
		l.status.Error = err.Error()
		return false, err
	}
	l.status.Remade++
	l.status.Error = ""
	_ = old.Close() // nobody can reach it
	return true, nil
}

// Status is how it fares.
func (l *Listener) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Keep looks after the path until ctx ends. What changes is said once; name is what
// the log calls the socket.
func (l *Listener) Keep(ctx context.Context, name string, log *slog.Logger) {
	t := time.NewTicker(Every)
	defer t.Stop()
	told := ""
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		remade, err := l.Look()
		switch {
		case err == nil:
			told = ""
		case told != err.Error():
			told = err.Error()
			log.Error("the "+name+" is gone and cannot be made anew; trying on", "path", l.path, "error", err)
		}
		if remade {
			log.Error("the "+name+" was gone; it has been made anew", "path", l.path)
		}
	}
}
