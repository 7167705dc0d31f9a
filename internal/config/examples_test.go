package config

import (
	"path/filepath"
	"testing"
)

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// The example that operators begin with has nothing to complain of.
func TestExamplePolicy(t *testing.T) {
	cfg, problems := Load(filepath.Join(root(t), "contrib/policy.toml"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	t.Log(len(cfg.Gate.Rules.Rules()))
}
