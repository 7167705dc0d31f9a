package redis

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

func TestMain(m *testing.M) {
	SilenceClient()
	os.Exit(m.Run())
}

// server is a redis-server of the test's own.
type server struct {
	t    testing.TB
	dir  string
	addr string
	args []string
	cmd  *exec.Cmd
}

// startServer starts one on a free port; args are its options.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("redis-server is needed: ", err)
		}
		t.Skip("redis-server is not installed: ", err)
	}
	s := &server{t: t, dir: t.TempDir(), args: args}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *server) start() {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	args := []string{"--bind", "127.0.0.1", "--dir", s.dir, "--logfile", filepath.Join(s.dir, "log"), "--daemonize", "no"}
	if !slices.Contains(s.args, "--tls-port") {
		args = append(args, "--port", port)
	} else {
		args = append(args, "--port", "0", "--tls-port", port)
	}
	for i := 0; i < len(s.args); i += 2 {
		if s.args[i] != "--tls-port" {
			args = append(args, s.args[i], s.args[i+1])
		}
	}
	s.cmd = exec.Command("redis-server", args...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		c, err := net.Dial("tcp", s.addr)
		if err == nil {
			if err := c.Close(); err != nil {
				s.t.Fatal(err)
			}
			return
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			s.t.Fatalf("redis-server does not listen: %v\n%s", err, log)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// kill ends it as kill -9 does; what it was is not saved.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Error(err)
	}
	if err := s.cmd.Wait(); err == nil {
		s.t.Error("redis-server ended by itself")
	}
	s.cmd = nil
}

func (s *server) signal(sig syscall.Signal) {
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) options() Options {
	return Options{Addr: s.addr, Gateway: "mx1", Now: func() time.Time { return storetest.Now }}
}

func mustOpen(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	waitReady(t, s)
	return s
}

// waitReady waits while a server that listens already still loads its data.
func waitReady(t testing.TB, s *Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		err := s.Ping(ctx)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
