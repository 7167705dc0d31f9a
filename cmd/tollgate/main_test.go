package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write golden files")

// binary is the program under test, as it is shipped.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tollgate")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "tollgate")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}
	return m.Run()
}

// output is what a command said.
type output struct {
	out, err string
	code     int
}

// house is a folder with a policy, in which commands run.
type house struct {
	t      *testing.T
	dir    string
	notify *net.UnixConn // what daemons tell the service manager
}

// policy is what most tests need: everything in one folder.
const policy = `[gateway]
name      = "mx1.example.org"
listen    = ["unix:milter.sock"]
state_dir = "state"

[journal]
dir = "journal"

[[client]]
id        = "sales"
addresses = ["ivan@example.org"]
`

func newHouse(t *testing.T) *house {
	t.Helper()
	// Not t.TempDir: a socket's path must be short.
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	h := &house{t: t, dir: dir}
	h.write("policy.toml", policy)
	return h
}

func (h *house) path(name string) string { return filepath.Join(h.dir, name) }

func (h *house) write(name, text string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.path(name)), 0o750); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(h.path(name), []byte(text), 0o640); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) command(args ...string) *exec.Cmd {
	c := exec.Command(binary, args...)
	c.Dir = h.dir
	c.Env = []string{"TZ=UTC", "PATH=" + os.Getenv("PATH")}
	return c
}

// run runs a command with the policy of the house.
func (h *house) run(args ...string) output {
	h.t.Helper()
	c := h.command(append(args, "--policy", "policy.toml")...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	return output{out.String(), errs.String(), c.ProcessState.ExitCode()}
}

// mustRun runs a command that must end well.
func (h *house) mustRun(args ...string) string {
	h.t.Helper()
	o := h.run(args...)
	if o.code != 0 {
		h.t.Fatalf("tollgate %s: exit code %d\n%s%s", strings.Join(args, " "), o.code, o.out, o.err)
	}
	return o.out
}

// serving is a daemon that runs.
type serving struct {
	h     *house
	cmd   *exec.Cmd
	log   bytes.Buffer
	ended bool
}

// serve starts a daemon and waits until it says that it is ready.
func (h *house) serve(args ...string) *serving {
	h.t.Helper()
	if h.notify == nil {
		var err error
		if h.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: h.path("notify"), Net: "unixgram"}); err != nil {
			h.t.Fatal(err)
		}
		h.t.Cleanup(func() {
			if err := h.notify.Close(); err != nil {
				h.t.Error(err)
			}
		})
	}
	s := &serving{h: h, cmd: h.command(append([]string{"serve", "--policy", "policy.toml"}, args...)...)}
	s.cmd.Env = append(s.cmd.Env, "NOTIFY_SOCKET="+h.path("notify"))
	s.cmd.Stderr = &s.log
	if err := s.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if !s.ended {
			s.stop(syscall.SIGKILL)
		}
	})
	s.await("READY=1")
	return s
}

// await reads what the daemon tells the service manager.
func (s *serving) await(want string) {
	s.h.t.Helper()
	if err := s.h.notify.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.h.t.Fatal(err)
	}
	var b [512]byte
	n, err := s.h.notify.Read(b[:])
	if err != nil || string(b[:n]) != want {
		s.stop(syscall.SIGKILL)
		s.h.t.Fatalf("told %q, %v; want %q\n%s", b[:n], err, want, s.log.String())
	}
}

// stop ends the daemon and returns its exit code.
func (s *serving) stop(signal syscall.Signal) int {
	s.h.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.h.t.Error(err)
	}
	var exit *exec.ExitError
	if err := s.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		s.h.t.Error(err)
	}
	s.ended = true
	return s.cmd.ProcessState.ExitCode()
}

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}
