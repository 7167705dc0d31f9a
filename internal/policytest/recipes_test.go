package policytest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/policytest"
)

// Every recipe is a policy about which there is nothing to say, goes as its cases
// say, has no rule that none of them reaches, and stands in the page.
func TestRecipes(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "contrib", "recipes")
	page, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	dirs, err := filepath.Glob(filepath.Join(root, "*", "policy.toml"))
	if err != nil || len(dirs) < 46 {
		t.Fatalf("%d recipes, %v", len(dirs), err)
	}
	for _, path := range dirs {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(string(page), "("+filepath.Base(dir)+"/policy.toml)") {
				t.Error("README.md does not name it")
			}
			cfg, problems := config.Load(path)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			cases, err := policytest.Load(filepath.Join(dir, "cases.toml"))
			if err != nil {
				t.Fatal(err)
			}
			results := policytest.Run(t.Context(), cfg, cases)
			for _, r := range results {
				if !r.Passed {
					t.Errorf("%s:%d: %s: %s %v", r.File, r.Line, r.Name, r.Error, r.Differences)
				}
			}
			if c := policytest.Covered(cfg, results); len(c.NoRules)+len(c.NoThresholds) > 0 {
				t.Errorf("no case reaches %v %v", c.NoRules, c.NoThresholds)
			}
		})
	}
}
