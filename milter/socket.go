package milter

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"sync"
	"time"
)

// socketEvery is how often it is looked whether the path of a unix socket
// still leads to it: all mail would be deferred, and nothing else would tell.
const socketEvery = 2 * time.Second

// SocketStatus is how the path of a unix socket fares.
type SocketStatus struct {
	Path string `json:"path"`
	// Remade is how often it was made anew, because its path was empty or led
	// to a socket that nobody answers on.
	Remade int `json:"remade"`
	// Error is why it cannot be reached now, such as that another process has
	// its path; "" when all is well.
	Error string `json:"error"`
}

// unixSocket is a listener on a path. Closing it removes the path only while
// that leads to it.
type unixSocket struct {
	path   string
	socket Socket

	mu     sync.Mutex
	ln     *net.UnixListener
	is     fs.FileInfo // of the path when it was made
	closed bool
	status SocketStatus
	moved  chan struct{} // closed when ln has been replaced
}

func newUnixSocket(path string, socket Socket) (*unixSocket, error) {
	u := &unixSocket{path: path, socket: socket, status: SocketStatus{Path: path}}
	if err := u.make(); err != nil {
		return nil, err
	}
	return u, nil
}

// make listens on the path, which must be free or left over. u.mu is held, or
// nobody else has u.
func (u *unixSocket) make() error {
	if err := removeStale(u.path); err != nil {
		return err
	}
	l, err := net.Listen("unix", u.path)
	if err != nil {
		return err
	}
	ln := l.(*net.UnixListener)
	// It would remove whatever is there when it is closed.
	ln.SetUnlinkOnClose(false)
	if err := permit(u.path, u.socket); err != nil {
		return errors.Join(err, ln.Close(), os.Remove(u.path))
	}
	is, err := os.Lstat(u.path)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	if u.moved != nil {
		close(u.moved)
	}
	u.ln, u.is, u.moved = ln, is, make(chan struct{})
	return nil
}

// Accept takes a connection from the listener that is there now.
func (u *unixSocket) Accept() (net.Conn, error) {
	for {
		u.mu.Lock()
		ln, moved := u.ln, u.moved
		u.mu.Unlock()
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

func (u *unixSocket) Addr() net.Addr { return &net.UnixAddr{Name: u.path, Net: "unix"} }

func (u *unixSocket) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return net.ErrClosed
	}
	u.closed = true
	err := u.ln.Close()
	if now, lost := os.Lstat(u.path); lost == nil && os.SameFile(now, u.is) {
		err = errors.Join(err, os.Remove(u.path))
	}
	return err
}

// look makes the socket anew where its path does not lead to it any more and
// no other process answers there. It tells what changed.
func (u *unixSocket) look() (remade bool, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return false, nil
	}
	if now, lost := os.Lstat(u.path); lost == nil && os.SameFile(now, u.is) {
		u.status.Error = ""
		return false, nil
	}
	old := u.ln
	if err := u.make(); err != nil {
		u.status.Error = err.Error()
		return false, err
	}
	u.status.Remade++
	u.status.Error = ""
	_ = old.Close() // nobody can reach it
	return true, nil
}

func (u *unixSocket) now() SocketStatus {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.status
}

// keepSockets looks after the paths of unix sockets until ctx ends. What
// changes is said once.
func (s *Server) keepSockets(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	told := make(map[*unixSocket]string)
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		for _, u := range s.sockets() {
			remade, err := u.look()
			switch {
			case err != nil && told[u] != err.Error():
				told[u] = err.Error()
				s.log.Error("the milter socket is gone and cannot be made anew; trying on", "path", u.path, "error", err)
			case remade:
				s.log.Error("the milter socket was gone; it has been made anew", "path", u.path)
			}
			if err == nil {
				delete(told, u)
			}
		}
	}
}

func (s *Server) sockets() []*unixSocket {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*unixSocket
	for _, ln := range s.listeners {
		if u, ok := ln.(*unixSocket); ok {
			all = append(all, u)
		}
	}
	return all
}
