package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var tableHead = regexp.MustCompile(`^# \[`)

// The sections that the example has behind "# " are policies, too.
func TestDisabledSections(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repo, "contrib/policy.toml"))
	if err != nil {
		t.Fatal(err)
	}
	var sections strings.Builder
	count, inside := 0, false
	for _, line := range strings.Split(string(text), "\n") {
		if tableHead.MatchString(line) {
			count, inside = count+1, true
		}
		if inside = inside && strings.HasPrefix(line, "#"); inside {
			sections.WriteString(strings.TrimPrefix(strings.TrimPrefix(line, "#"), " ") + "\n")
		}
	}
	if count < 6 {
		t.Errorf("only %d sections", count)
	}
	password := filepath.Join(t.TempDir(), "redis.password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	checkBlock(t, strings.ReplaceAll(sections.String(), "redis.password", password))
}
