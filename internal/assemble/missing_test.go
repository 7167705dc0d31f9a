package assemble_test

import (
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/assemble"
)

// lines hands on each line of a log.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// An antivirus that is not there when the policy comes into force is told of
// with its address, before any message needs it.
func TestMissingInspectorIsLogged(t *testing.T) {
	w := newWorld(t)
	log := make(lines, 10)
	w.inspectors.Log = slog.New(slog.NewTextHandler(log, nil))
	addr := "unix:" + filepath.Join(w.dir, "none.sock")
	policy := w.policy("a", "[antivirus]\nclamd = \""+addr+"\"\n")
	for range 2 { // a reload goes on with the same inspector, and says nothing more
		change, err := assemble.Prepare(t.Context(), policy, w.running)
		if err != nil {
			t.Fatal(err)
		}
		change.Commit()
	}
	line := <-log
	if !strings.Contains(line, "level=WARN") || !strings.Contains(line, "inspector=antivirus") || !strings.Contains(line, addr) {
		t.Error(line)
	}
	if err := w.inspectors.Close(); err != nil {
		t.Error(err)
	}
	if len(log) > 0 {
		t.Error(<-log)
	}
}

// Where nobody keeps a log, nobody is told.
func TestMissingInspectorWithoutLog(t *testing.T) {
	w := newWorld(t)
	w.inspectors.Log = nil
	change, err := assemble.Prepare(t.Context(), w.policy("a", "[antivirus]\nclamd = \"unix:"+filepath.Join(w.dir, "none.sock")+"\"\n"), w.running)
	if err != nil {
		t.Fatal(err)
	}
	change.Commit()
	for w.inspectors.Status()[0].State == "unknown" { // the first ping needs no more than a look at the file
		runtime.Gosched()
	}
	if err := w.inspectors.Close(); err != nil {
		t.Error(err)
	}
}
