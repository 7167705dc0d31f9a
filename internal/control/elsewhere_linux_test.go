package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestFoldersIn(t *testing.T) {
	const table = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 17001 /run/dbus/system_bus_socket
0000000000000000: 00000002 00000000 00010000 0001 01 17002 /var/lib/tollgate/.control.sock.new
0000000000000000: 00000002 00000000 00010000 0001 01 17003 /var/lib/toll gate/control.sock
0000000000000000: 00000003 00000000 00000000 0001 03 17004 /var/lib/connected/control.sock
0000000000000000: 00000002 00000000 00010000 0001 01 17005 @/abstract/control.sock
0000000000000000: 00000002 00000000 00010000 0001 01 17006 relative/control.sock
0000000000000000: 00000002 00000000 00010000 0001 01 17007
`
	want := []string{"/var/lib/tollgate", "/var/lib/toll gate"}
	if got := foldersIn(strings.NewReader(strings.ReplaceAll(table, ".control.sock.new", bindName))); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A daemon is found whose folder another policy names.
func TestElsewhere(t *testing.T) {
	dir := t.TempDir()
	s, err := Serve(dir, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if got := Elsewhere(t.Context(), filepath.Join(dir, "another")); !slices.Contains(got, dir) {
		t.Errorf("%q lacks %s", got, dir)
	}
	if got := Elsewhere(t.Context(), dir); slices.Contains(got, dir) {
		t.Errorf("%q has the own one", got)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := Elsewhere(t.Context(), filepath.Join(dir, "another")); slices.Contains(got, dir) {
		t.Errorf("%q has one that has ended", got)
	}
}

// listensIn names the folder to the test that listens as another user.
const listensIn = "TOLLGATE_TEST_LISTENS"

// Root asks no socket of somebody who is no account of the system, whatever program that
// is: it may have begun to listen as another one.
func TestElsewhereOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("only root can become another user")
		}
		t.Skip("only root can become another user")
	}
	for _, tt := range []struct {
		uid  uint32
		asks bool
	}{{999, true}, {firstOfPeople, false}, {65534, false}} {
		t.Run(fmt.Sprint(tt.uid), func(t *testing.T) {
			dir, err := os.MkdirTemp("", "tgelse") // nobody else may go into the test's own
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			if err := os.Chown(dir, int(tt.uid), int(tt.uid)); err != nil {
				t.Fatal(err)
			}
			other := exec.Command("/proc/self/exe", "-test.run", "^TestListensAsAnother$")
			other.Dir, other.Env = dir, []string{listensIn + "=" + dir}
			other.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: tt.uid, Gid: tt.uid}}
			in, err1 := other.StdinPipe()
			out, err2 := other.StdoutPipe()
			if err := errors.Join(err1, err2, other.Start()); err != nil {
				t.Fatal(err)
			}
			ready := make([]byte, 1)
			if _, err := io.ReadFull(out, ready); err != nil || ready[0] != '+' {
				t.Errorf("%q %v", ready, err)
			}
			if got := Elsewhere(t.Context(), filepath.Join(dir, "another")); slices.Contains(got, dir) != tt.asks {
				t.Errorf("%q; asked: %v, want %v", got, !tt.asks, tt.asks)
			}
			if err := errors.Join(in.Close(), other.Wait()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestListensAsAnother is run by TestElsewhereOfOthers.
func TestListensAsAnother(t *testing.T) {
	dir := os.Getenv(listensIn)
	if dir == "" {
		t.Skip("TestElsewhereOfOthers runs it")
	}
	s, err := Serve(dir, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Print("+")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}
