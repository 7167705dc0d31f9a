package harness

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// Redis is a Redis server that syncs each write to its append-only file.
type Redis struct {
	Addr string // host:port
	port int
	s    *Sandbox
	name string // of its folder and log
	args []string
	proc *Process
}

// Redis starts a server; args are further options of its command line.
func (s *Sandbox) Redis(args ...string) (*Redis, error) {
	port, err := s.Port()
	if err != nil {
		return nil, err
	}
	r := &Redis{Addr: Loopback(port), port: port, s: s, name: "redis-" + strconv.Itoa(port), args: args}
	if err := os.Mkdir(s.Path(r.name), 0o755); err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	s.OnClose(r.Stop)
	return r, r.Start()
}

// Start starts the server again after Stop, with the data it had.
func (r *Redis) Start() error {
	var err error
	argv := append([]string{
		"redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(r.port),
		"--dir", r.s.Path(r.name), "--appendonly", "yes", "--appendfsync", "always", "--save", "",
	}, r.args...)
	r.proc, err = start("redis-server", r.s.Path(r.name+".log"), syscall.SIGKILL, argv...)
	if err != nil {
		return err
	}
	return r.proc.await(func() error { return dialable("tcp", r.Addr) }, Patience)
}

// Stop ends the server; its clients lose their connections.
func (r *Redis) Stop() error {
	if r.proc == nil {
		return nil
	}
	// A frozen server would keep SIGTERM pending.
	if err := r.Signal(syscall.SIGCONT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("harness: %w", err)
	}
	return r.proc.Stop(Patience)
}

// Signal sends sig to the server, such as SIGSTOP, which freezes it with its
// connections open, and SIGCONT.
func (r *Redis) Signal(sig os.Signal) error { return r.proc.Signal(sig) }

// Kill ends the server as a crash of it does.
func (r *Redis) Kill() error { return r.proc.Kill() }
