package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// A confined daemon takes mail, reloads what it was started for, and says of other
// files that they need a restart.
func TestConfined(t *testing.T) {
	t.Parallel()
	if confine.ABI() < 2 {
		if os.Getenv("CI") != "" {
			t.Fatal("this kernel has no Landlock, and CI needs one that has")
		}
		t.Skip("this kernel has no Landlock")
	}
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
