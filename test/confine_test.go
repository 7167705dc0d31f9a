package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/confine"
	"github.com/tollgate-mail/tollgate/test/harness"
)

const confinedPolicy = `[gateway]
confine = "require"

[[client]]
id = "a"
addresses = ["a@example.org"]

[lists]
known = { file = %q }

[[rule]]
name = "known"
stage = "mailfrom"
match = { sender = "list:known" }
weight = %d
`

func needsLandlock(t *testing.T) {
	t.Helper()
	if confine.ABI() >= 2 {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("this kernel has no Landlock, and CI needs one that has")
	}
	t.Skip("this kernel has no Landlock")
}

// A confined daemon takes mail, reloads what it was started for, and says of other
// files that they need a restart.
func TestConfined(t *testing.T) {
	t.Parallel()
	needsLandlock(t)
	g := prepare(t, false)
	outside := t.TempDir()
	for _, list := range []string{g.box.Path("policy", "known"), filepath.Join(outside, "known")} {
		if err := os.WriteFile(list, []byte("somebody@example.com\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	g.write(t, "policy/policy.toml", fmt.Sprintf(confinedPolicy, "known", 1))
	g.start(t)
	command := func(exit int, args ...string) harness.Output {
		t.Helper()
		out, err := g.gate.Command(t.Context(), args...)
		if err != nil || out.Exit != exit {
			t.Fatalf("%v: %v %+v", args, err, out)
		}
		return out
	}
	type status struct {
		Policy struct {
			Version string `json:"version"`
		} `json:"policy"`
		Confinement struct {
			ABI int `json:"abi"`
		} `json:"confinement"`
	}
	now := func() (s status) {
		t.Helper()
		if err := json.Unmarshal([]byte(command(0, "status", "--json").Stdout), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := now()
	if before.Confinement.ABI < 2 {
		t.Errorf("confined by ABI %d", before.Confinement.ABI)
	}
	if err := g.sendMany(5); err != nil {
		t.Fatal(err)
	}
	if err := g.drained(t.Context(), harness.Patience); err != nil {
		t.Error(err)
	}

	if out := command(1, "close", "2026-01", "--archive", outside); !strings.Contains(out.Stderr, "keeps to its own files") {
		t.Errorf("an archive elsewhere: %s", out.Stderr)
	}

	g.write(t, "policy/policy.toml", fmt.Sprintf(confinedPolicy, filepath.Join(outside, "known"), 2))
	if out := command(78, "reload"); !strings.Contains(out.Stderr, "needs a restart") {
		t.Errorf("a list elsewhere: %s", out.Stderr)
	}
	if is := now(); is.Policy.Version != before.Policy.Version {
		t.Errorf("version %s is in force, it was %s", is.Policy.Version, before.Policy.Version)
	}
	g.write(t, "policy/policy.toml", fmt.Sprintf(confinedPolicy, "known", 3))
	command(0, "reload")
	if is := now(); is.Policy.Version == before.Policy.Version {
		t.Error("the reload changed nothing")
	}
	if err := g.sendMany(5); err != nil {
		t.Fatal(err)
	}
	if err := g.gate.Stop(harness.Patience); err != nil {
		t.Error(err)
	}
}

// A confined daemon goes on with what one does for years: its followed log and its
// journals are rotated, lists are rewritten by renaming, sockets are removed, mail is
// held, let go and deleted, and what it cannot lose is packed into any folder.
func TestConfinedGoesOn(t *testing.T) {
	t.Parallel()
	needsLandlock(t)
	g := prepare(t, false)
	log := g.box.Path("postfix.log")
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	g.write(t, "policy/known", "nobody@example.com\n")
	policy := "[gateway]\nconfine = \"require\"\n" + fmt.Sprintf(maillogPolicy, log) +
		"\n[lists]\nknown = { file = \"known\" }\n[[rule]]\nname = \"known\"\nstage = \"mailfrom\"\nmatch = { sender = \"list:known\" }\naction = \"reject\"\n"
	g.write(t, "policy/policy.toml", policy)
	g.start(t, "smtpd_milters = $tollgate_milter "+startLast(t))

	held, kept := g.mail(t, "hold", "ivan@example.org"), g.mail(t, "hold-and-keep", "ivan@example.org")
	g.until(t, `"held": 2`, "status", "--json")
	g.must(t, "hold", "delete", held.QueueID(), "--yes")
	g.until(t, held.QueueID(), "journal", "--verdict", "voided", "--json")
	g.must(t, "hold", "release", kept.QueueID())
	g.until(t, `"held": 0`, "status", "--json")

	g.refusedLater(t, log)
	g.refused(t, "refuse-after")
	g.until(t, `"voided": 2`, "status", "--json")

	journals, err := filepath.Glob(g.box.Path("journal", "*.jsonl"))
	if err != nil || len(journals) == 0 {
		t.Fatal(err, journals)
	}
	for _, path := range journals {
		if err := os.Rename(path, path+"-20261128"); err != nil {
			t.Fatal(err)
		}
	}
	g.write(t, "policy/known.new", "a@example.com\n")
	if err := os.Rename(g.box.Path("policy", "known.new"), g.box.Path("policy", "known")); err != nil {
		t.Fatal(err)
	}
	before := g.must(t, "status", "--json")
	g.must(t, "reload")
	if after := g.must(t, "status", "--json"); before == after {
		t.Error("the reload did nothing")
	}
	if r, err := g.transaction("127.0.0.1", "a@example.com", "ivan@example.org"); err != nil || r.Code/100 != 5 {
		t.Errorf("the list that was renamed into place: %+v, %v", r, err)
	}
	g.until(t, "known", "journal", "blocks", "--json")
	for _, path := range journals {
		if _, err := os.Stat(path); err != nil && strings.Contains(path, "blocks") {
			t.Error(err)
		}
	}
	if strings.Contains(g.must(t, "policy", "log", "--json"), `"by":"0"`) {
		t.Error("who reloaded has a number, no name")
	}

	socket := strings.TrimPrefix(g.gate.Milter, "unix:")
	for _, path := range []string{socket, filepath.Join(g.gate.State, "control.sock")} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := contextFor(t, harness.Patience)
	defer cancel()
	for _, path := range []string{socket, filepath.Join(g.gate.State, "control.sock")} {
		for _, err := os.Stat(path); err != nil; _, err = os.Stat(path) {
			select {
			case <-ctx.Done():
				t.Fatal(err)
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	g.until(t, `"remade": 1`, "status", "--json")
	if r, err := g.transaction("127.0.0.1", "b@example.com", "olga@example.org"); err != nil || r.Code/100 != 2 {
		t.Errorf("by the socket that was made anew: %+v, %v", r, err)
	}
	g.must(t, "backup", filepath.Join(t.TempDir(), "kept.tgb"))
	g.stopDrained(t)
}
