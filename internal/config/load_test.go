package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: (-want +got)\n%s", file, d)
	}
}

func folders(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Each folder is a policy with mistakes; its file expect has every problem
// that must be told, and no other is.
func TestBrokenPolicies(t *testing.T) {
	for _, name := range folders(t, "testdata/broken") {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata/broken", name)
			cfg, problems := Load(filepath.Join(dir, "policy.toml"))
			if (problems.Err() == nil) != (cfg != nil) {
				t.Errorf("a config comes with %v", problems.Err())
			}
			if len(problems) == 0 {
				t.Error("no problems")
			}
			golden(t, filepath.Join(dir, "expect"), strings.ReplaceAll(problems.Error()+"\n", dir+"/", ""))
		})
	}
}

// Each folder is a policy without mistakes; its file expect says what it is.
func TestGoodPolicies(t *testing.T) {
	for _, name := range folders(t, "testdata/good") {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata/good", name)
			cfg, problems := Load(filepath.Join(dir, "policy.toml"))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			golden(t, filepath.Join(dir, "expect"), strings.ReplaceAll(describe(cfg), dir+"/", ""))
		})
	}
}
