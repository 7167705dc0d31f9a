package milter

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
)

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
	ln, err := Listen("unix:"+path, Socket{})
	if err != nil {
		t.Fatal(err)
	}
	u := ln.(*unixSocket)
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

	if remade, err := u.look(); remade || err != nil {
		t.Fatalf("well: %v, %v", remade, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if remade, err := u.look(); !remade || err != nil {
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
	if remade, err := u.look(); !remade || err != nil {
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
	if remade, err := u.look(); remade || !errors.Is(err, ErrInUse) {
		t.Fatalf("another's: %v, %v", remade, err)
	}
	if s := u.now(); s.Remade != 2 || s.Error == "" {
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
