package assemble_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
)

// opened are the descriptors of the process that lead to a file of that name.
func opened(t *testing.T, name string) (n int) {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if path, err := os.Readlink("/proc/self/fd/" + one.Name()); err == nil && strings.HasSuffix(strings.TrimSuffix(path, " (deleted)"), name) {
			n++
		}
	}
	return n
}

// withList is a policy that looks into a list that was built.
func (w *world) withList(name string) *config.Config {
	w.t.Helper()
	text := filepath.Join(w.dir, "blocked.txt")
	if err := os.WriteFile(text, []byte("bad.example\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if problems, err := config.BuildList(text, filepath.Join(w.dir, "blocked.tgl")); err != nil || problems.Err() != nil {
		w.t.Fatal(problems, err)
	}
	return w.policy(name, `[lists]
blocked = { file = "blocked.tgl" }
[[rule]]
name = "listed"
stage = "mailfrom"
match = { sender = "list:blocked" }
action = "reject"
`)
}

// A list's file is closed when the last session is over that judges by its policy,
// when the policy does not come in force, and when it has errors.
func TestListsAreClosed(t *testing.T) {
	w := newWorld(t)
	w.put(w.withList("a"))
	if n := opened(t, "blocked.tgl"); n != 1 {
		t.Fatalf("%d files", n)
	}
	s := w.judge.Gate().Session(t.Context(), gate.Peer{})
	for range 5 {
		w.put(w.withList("b"))
	}
	if n := opened(t, "blocked.tgl"); n != 2 {
		t.Errorf("with a session of an old policy and the one in force: %d files", n)
	}
	s.Close()
	if n := opened(t, "blocked.tgl"); n != 1 {
		t.Errorf("after the session: %d files", n)
	}
	for i, f := range w.faulty[1:] { // the first stands before all
		f.fail = true
		if _, err := assemble.Prepare(t.Context(), w.withList("c"), w.running); err == nil {
			t.Fatal("it is prepared")
		}
		f.fail = false
		if n := opened(t, "blocked.tgl"); n != 1 {
			t.Errorf("part %d failed: %d files", i, n)
		}
	}
	change, err := assemble.Prepare(t.Context(), w.withList("c"), w.running)
	if err != nil {
		t.Fatal(err)
	}
	change.Discard()
	if n := opened(t, "blocked.tgl"); n != 1 {
		t.Errorf("after one that was given up: %d files", n)
	}
	if err := w.withList("d").Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.dir, "policy.toml")
	good, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(good, "[[rule]]\nname = 'x'\nstage = 'nowhere'\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, problems := config.Load(path); problems.Err() == nil {
		t.Fatal("it has no error")
	}
	if n := opened(t, "blocked.tgl"); n != 1 {
		t.Errorf("after one with an error: %d files", n)
	}
}

// put puts a policy in force.
func (w *world) put(cfg *config.Config) {
	w.t.Helper()
	change, err := assemble.Prepare(w.t.Context(), cfg, w.running)
	if err != nil {
		w.t.Fatal(err)
	}
	change.Commit()
}

// What cannot be read is told.
func TestListStatus(t *testing.T) {
	w := newWorld(t)
	w.put(w.withList("a"))
	if all := w.lists.Status(); len(all) != 1 || all[0].Name != "blocked" || all[0].Entries != 1 || all[0].Failed != 0 {
		t.Errorf("%+v", all)
	}
	if err := os.Truncate(filepath.Join(w.dir, "blocked.tgl"), 85); err != nil {
		t.Fatal(err)
	}
	s := w.judge.Gate().Session(t.Context(), gate.Peer{})
	s.Helo(t.Context(), "a.example")
	s.Mail(t.Context(), gate.Envelope{Sender: "a@bad.example"})
	s.Close()
	if all := w.lists.Status(); len(all) != 1 || all[0].Failed == 0 || all[0].LastError == "" {
		t.Errorf("%+v", all)
	}
}
