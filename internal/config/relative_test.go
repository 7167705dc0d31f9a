package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/module/clamav"
)

// The path of a service's socket is relative to the file that names it.
func TestSocketBesideThePolicy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "policy.toml")
	if err := os.WriteFile(path, []byte("[antivirus]\nclamd = \"unix:run/clamd.ctl\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems := Load(path)
	if cfg == nil {
		t.Fatal(problems)
	}
	if got := cfg.Antivirus.Settings.(clamav.Settings).Addr; got != "unix:"+filepath.Join(dir, "run/clamd.ctl") {
		t.Error(got)
	}
}
