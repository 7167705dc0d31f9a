package harness

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Redis is a Redis server that syncs each write to its append-only file.
type Redis struct {
	Addr string // host:port
	port int
	s    *Sandbox
	proc *Process
}

// Redis starts a server.
func (s *Sandbox) Redis() (*Redis, error) {
	port, err := s.Port()
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(s.Path("redis"), 0o755); err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	r := &Redis{Addr: Loopback(port), port: port, s: s}
	s.onClose(r.Stop)
	return r, r.Start()
}

// Start starts the server again after Stop, with the data it had.
func (r *Redis) Start() error {
	var err error
	r.proc, err = start("redis-server", r.s.Path("redis.log"), syscall.SIGKILL,
		"redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(r.port),
		"--dir", r.s.Path("redis"), "--appendonly", "yes", "--appendfsync", "always", "--save", "")
	if err != nil {
		return err
	}
	return r.proc.await(func() error { return dialable("tcp", r.Addr) }, 10*time.Second)
}

// Stop ends the server; its clients lose their connections.
func (r *Redis) Stop() error {
	if r.proc == nil {
		return nil
	}
	return r.proc.Stop(10 * time.Second)
}
