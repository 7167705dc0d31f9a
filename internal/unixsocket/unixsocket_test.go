package unixsocket

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func listen(path string) (*net.UnixListener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}

func dials(t *testing.T, path string) {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// A socket whose path is empty, or leads to one that nobody answers on, is
// made anew; one that another process answers on is never taken.
func TestSocketIsRemade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.sock")
	ln, err := Listen(path, listen)
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan error, 100)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				accepted <- err
				return
			}
			c.Close()
			accepted <- nil
		}
	}()
	dials(t, path)
	<-accepted

	if remade, err := ln.Look(); remade || err != nil {
		t.Fatalf("well: %v, %v", remade, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if remade, err := ln.Look(); !remade || err != nil {
		t.Fatalf("removed: %v, %v", remade, err)
	}
	dials(t, path)
	if err := <-accepted; err != nil {
		t.Fatal(err)
	}

	// Left over by a process that died.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	dead.Close()
	if remade, err := ln.Look(); !remade || err != nil {
		t.Fatalf("left over: %v, %v", remade, err)
	}
	dials(t, path)
	if err := <-accepted; err != nil {
		t.Fatal(err)
	}

	// Another one lives there.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if remade, err := ln.Look(); remade || !errors.Is(err, ErrInUse) {
		t.Fatalf("another's: %v, %v", remade, err)
	}
	if s := ln.Status(); s.Remade != 2 || s.Error == "" {
		t.Errorf("status %+v", s)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	dials(t, path) // the other's is still there
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
}

// Who takes the path away while the socket passes to another process does not keep it
// from going on.
func TestInheritedWithoutPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.sock")
	made, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	made.SetUnlinkOnClose(false)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	ln, err := Inherit(path, made, listen)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if remade, err := ln.Look(); remade || err != nil {
		t.Fatalf("while it is lent: %v, %v", remade, err)
	}
	ln.Own()
	if remade, err := ln.Look(); !remade || err != nil {
		t.Fatalf("%v, %v", remade, err)
	}
	dials(t, path)
}

// What is no socket stays, and so does one of a process that lives but does not
// accept: its queue is full.
func TestNotTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.sock")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, listen); !errors.Is(err, ErrNoSocket) {
		t.Errorf("a file: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
		t.Errorf("the file: %q, %v", b, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	is, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // the queue has room for one or two
		if ln, err := Listen(path, listen); err == nil {
			ln.Close()
			t.Fatal("a living process lost its socket")
		}
	}
	if now, err := os.Lstat(path); err != nil || !os.SameFile(is, now) {
		t.Errorf("another is at the path: %v", err)
	}
}

// A socket that its maker cannot finish leaves nothing.
func TestListenFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.sock")
	wrong := errors.New("wrong")
	if _, err := Listen(path, func(string) (*net.UnixListener, error) { return nil, wrong }); !errors.Is(err, wrong) {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left over: %v", err)
	}
}
