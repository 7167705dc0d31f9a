package milter

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestListenUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.sock")
	ln, err := Listen("unix:"+path, Socket{})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	// Somebody answers there.
	if _, err := Listen("unix:"+path, Socket{}); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("in use: %v", err)
	}
	// A socket that a dead process left over.
	ln.Close()
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	if ln, err = Listen("unix:"+path, Socket{Mode: 0o666, Group: strconv.Itoa(os.Getgid())}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	ln.Close()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left over: %v", err)
	}
	// A file that is none of ours stays.
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen("unix:"+path, Socket{}); err == nil {
		t.Error("a file was replaced")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
		t.Errorf("the file: %q, %v", b, err)
	}
	os.Remove(path)
	if _, err := Listen("unix:"+path, Socket{Group: "no such group"}); err == nil {
		t.Error("an unknown group")
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left over: %v", err)
	}
}

func TestListenTCP(t *testing.T) {
	ln, err := Listen("inet:127.0.0.1:0", Socket{})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if _, err := Listen("inet:"+ln.Addr().String(), Socket{}); !errors.Is(err, ErrInUse) {
		t.Errorf("in use: %v", err)
	}
	for _, bad := range []string{"", "unix:", "inet:", "inet:127.0.0.1", "tcp:127.0.0.1:1", "127.0.0.1:25", "inet:127.0.0.1:99999"} {
		if ln, err := Listen(bad, Socket{}); err == nil {
			ln.Close()
			t.Errorf("%q: no error", bad)
		}
	}
	for _, six := range []string{"inet6:[::1]:0", "inet:[::1]:0"} {
		ln, err := Listen(six, Socket{})
		if err != nil {
			t.Skipf("no IPv6 here: %v", err)
		}
		ln.Close()
	}
}

// Over TCP a message passes as over a unix socket.
func TestOverTCP(t *testing.T) {
	ln, err := Listen("inet:127.0.0.1:0", Socket{})
	if err != nil {
		t.Fatal(err)
	}
	f := newFake()
	s := New(f, Options{Log: (&logged{}).logger()})
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context(), ln) }()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	m := newMTA(t, c)
	m.open()
	m.message()
	m.expect("a")
	m.say('Q', "")
	m.expectEnd()
	c.Close()
	s.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
