package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// lookEvery is how often it is looked whether the socket's path still leads to it.
const lookEvery = 2 * time.Second

// SocketStatus is how the path of the socket fares.
type SocketStatus struct {
	Path   string `json:"path"`
	Remade int    `json:"remade"` // how often it was made anew, because its path was empty or led to a dead one
	Error  string `json:"error"`  // why it cannot be reached now; "" when all is well
}

// socket is a listener that is made anew when its path does not lead to it any
// more.
type socket struct {
	stateDir string

	mu     sync.Mutex
	ln     *net.UnixListener
	is     fs.FileInfo   // of the path when it was made
	moved  chan struct{} // closed when ln has been replaced
	closed bool
	status SocketStatus
}

func newSocket(stateDir string) (*socket, error) {
	s := &socket{stateDir: stateDir, status: SocketStatus{Path: SocketPath(stateDir)}}
	if err := s.make(); err != nil {
		return nil, err
	}
	return s, nil
}

// make makes the socket under another name and renames it: it is never there with
// a wider mode than it shall have, and never not there while it replaces a dead
// one. s.mu is held, or nobody else has s.
func (s *socket) make() error {
	made := filepath.Join(s.stateDir, bindName)
	if err := os.Remove(made); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false) // Close removes it under its later name
	is, err := os.Lstat(made)
	if err == nil {
		err = os.Chmod(made, 0o660)
	}
	if err == nil {
		err = os.Rename(made, s.status.Path)
	}
	if err != nil {
		return errors.Join(err, l.Close(), os.Remove(made))
	}
	if s.moved != nil {
		close(s.moved)
	}
	s.ln, s.is, s.moved = l, is, make(chan struct{})
	return nil
}

// Accept takes a connection from the listener that is there now.
func (s *socket) Accept() (net.Conn, error) {
	for {
		s.mu.Lock()
		ln, moved := s.ln, s.moved
		s.mu.Unlock()
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

func (s *socket) Addr() net.Addr { return &net.UnixAddr{Name: s.status.Path, Net: "unix"} }

// Close removes the path only while that leads to it.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil // the HTTP server closes what has been closed before it
	}
	s.closed = true
	err := s.ln.Close()
	if s.ours() {
		err = errors.Join(err, os.Remove(s.status.Path))
	}
	return err
}

func (s *socket) ours() bool {
	now, err := os.Lstat(s.status.Path)
	return err == nil && os.SameFile(now, s.is)
}

// look makes the socket anew where its path does not lead to it any more and
// nobody answers there.
func (s *socket) look() (remade bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.ours() {
		s.status.Error = ""
		return false, nil
	}
	old := s.ln
	if err = s.free(); err == nil {
		err = s.make()
	}
	if err != nil {
		s.status.Error = err.Error()
		return false, err
	}
	s.status.Remade++
	s.status.Error = ""
	_ = old.Close() // nobody can reach it
	return true, nil
}

// free tells whether the path is empty or leads to a dead socket: another live
// listener's is never taken, nor what is no socket.
func (s *socket) free() error {
	is, err := os.Lstat(s.status.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case is.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is no socket", s.status.Path)
	}
	c, err := net.DialTimeout("unix", s.status.Path, time.Second)
	if err == nil {
		_ = c.Close() // nothing was said on it
		return fmt.Errorf("%s is another process's", s.status.Path)
	}
	return nil
}

func (s *socket) now() SocketStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// keep looks after the path until ctx ends. What changes is said once.
func (s *socket) keep(ctx context.Context, log *slog.Logger) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	told := ""
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		remade, err := s.look()
		switch {
		case err == nil:
			told = ""
		case told != err.Error():
			told = err.Error()
			log.Error("the control socket is gone and cannot be made anew; trying on", "path", s.status.Path, "error", err)
		}
		if remade {
			log.Error("the control socket was gone; it has been made anew", "path", s.status.Path)
		}
	}
}
