package list

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/diag"
)

// Where the system has no room that is the error, and none of the list's lines; nothing
// is left and nothing has changed.
func TestBuildWithoutRoom(t *testing.T) {
	if os.Getenv("BUILD_WITHOUT_ROOM") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestBuildWithoutRoom$", "-test.v")
		cmd.Env = append(os.Environ(), "BUILD_WITHOUT_ROOM=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	path := filepath.Join(t.TempDir(), "list.tgl")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	build := func(entries int, room uint64) (diag.Problems, error) {
		var text strings.Builder
		for i := range entries {
			fmt.Fprintf(&text, "%d@%sexample\n", i, strings.Repeat("label-of-a-name.", 13))
		}
		limit := syscall.Rlimit{Cur: room, Max: 1 << 40}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		return Build(path, self(t), "text", strings.NewReader(text.String()), func() (Text, error) { return Text{}, nil })
	}
	// Of many entries some are put aside before all are read.
	for _, c := range []struct {
		entries int
		room    uint64
	}{{1000, 0}, {1000, 1}, {1000, 4096}, {20_000, 1 << 20}, {160_000, 1 << 10}, {160_000, 1 << 20}} {
		problems, err := build(c.entries, c.room)
		if !errors.Is(err, syscall.EFBIG) || len(problems) > 0 {
			t.Errorf("%d entries, room for %d octets: %v, %v", c.entries, c.room, problems, err)
		}
		names, e := os.ReadDir(filepath.Dir(path))
		if before, err := os.ReadFile(path); e != nil || len(names) != 1 || err != nil || string(before) != "before" {
			t.Errorf("%d entries, room for %d octets: left %v; %v %v", c.entries, c.room, names, e, err)
		}
	}
	if problems, err := build(1000, 1<<40); err != nil || len(problems) > 0 {
		t.Errorf("with room: %v, %v", problems, err)
	}
}
