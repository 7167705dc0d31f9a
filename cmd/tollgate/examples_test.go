package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each example is a policy about which even --strict has nothing to say, goes as its
// cases say, and stands in the page.
func TestWholeExamples(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", "..", "contrib", "examples"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	policies, err := filepath.Glob(filepath.Join(root, "*", "policy.toml"))
	if err != nil || len(policies) < 10 {
		t.Fatalf("%d examples, %v", len(policies), err)
	}
	h := newHouse(t)
	for _, policy := range policies {
		dir := filepath.Dir(policy)
		name := filepath.Base(dir)
		if !strings.Contains(string(page), "("+name+"/policy.toml)") {
			t.Errorf("README.md does not name %s", name)
		}
		for _, args := range [][]string{{"check", "--strict", policy}, {"test", filepath.Join(dir, "cases.toml"), "--policy", policy}} {
			if out, err := h.command(args...).CombinedOutput(); err != nil || strings.Contains(string(out), "warning") {
				t.Errorf("%s: %s: %v\n%s", name, args[0], err, out)
			}
		}
	}
}
