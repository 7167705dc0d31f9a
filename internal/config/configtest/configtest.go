// Package configtest loads policies for tests of the rooms above config.
package configtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/config"
)

// Folder is one with these files, which goes with the test.
func Folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Text loads the text of a policy, from a folder of its own.
func Text(t testing.TB, text string) *config.Config {
	t.Helper()
	return Load(t, filepath.Join(Folder(t, map[string]string{"policy.toml": text}), "policy.toml"))
}

// Load loads a policy, which must have no errors.
func Load(t testing.TB, path string) *config.Config {
	t.Helper()
	cfg, problems := config.Load(path)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return cfg
}
