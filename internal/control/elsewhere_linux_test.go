package control

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
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
