package moduletest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"
)

// script plays a service on one connection, which is closed when it returns.
type script func(*conversation)

// conversation is one connection of a service.
type conversation struct {
	net.Conn
	r *bufio.Reader
}

// say sends text. That the other side does not listen is its own affair.
func (c *conversation) say(text string) { _, _ = c.Write([]byte(text)) }

// skip reads n octets.
func (c *conversation) skip(n int) { _, _ = c.r.Discard(n) }

// untilClosed reads until the other side has closed the connection.
func (c *conversation) untilClosed() {
	for {
		if _, err := c.r.Discard(c.r.Buffered() + 1); err != nil {
			return
		}
	}
}

// reset makes the close of a TCP connection a reset.
func (c *conversation) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// server plays a script on each connection.
type server struct {
	address string
	l       net.Listener
	running sync.WaitGroup
	mu      sync.Mutex
	open    map[net.Conn]struct{}
}

func serve(network, dir string, play script) (*server, error) {
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(dir, "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	s := &server{address: l.Addr().String(), l: l, open: map[net.Conn]struct{}{}}
	s.running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.running.Go(func() { s.play(conn, play) })
		}
	})
	return s, nil
}

func (s *server) play(conn net.Conn, play script) {
	s.mu.Lock()
	s.open[conn] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.open, conn)
		s.mu.Unlock()
		_ = conn.Close()
	}()
	play(&conversation{conn, bufio.NewReader(conn)})
}

// close waits until all connections are over, which is for the other side to
// see to.
func (s *server) close(patience time.Duration) error {
	err := s.l.Close()
	over := make(chan struct{})
	go func() {
		defer close(over)
		s.running.Wait()
	}()
	if within("connections are closed", over, patience) == nil {
		return err
	}
	s.mu.Lock()
	left := len(s.open)
	for conn := range s.open {
		_ = conn.Close()
	}
	s.mu.Unlock()
	<-over
	return errors.Join(err, fmt.Errorf("%d connections were left open", left))
}

// nobody is an address where nothing listens.
func nobody(network, dir string) (string, error) {
	s, err := serve(network, dir, func(*conversation) {})
	if err != nil {
		return "", err
	}
	if err := s.close(patience); err != nil {
		return "", fmt.Errorf("a port: %w", err)
	}
	return s.address, nil
}
