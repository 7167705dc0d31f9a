package history_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/history"
)

// A list that was built is as it was where it was built of the same text: each
// building has a seed of its own.
func TestUnchangedBuilt(t *testing.T) {
	dir := t.TempDir()
	text, built := filepath.Join(dir, "bad.txt"), filepath.Join(dir, "bad.tgl")
	build := func(content string) {
		t.Helper()
		if err := os.WriteFile(text, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if problems, err := config.BuildList(text, built); err != nil || problems.Err() != nil {
			t.Fatal(err, problems)
		}
	}
	build("bad.example\n")
	policy := filepath.Join(dir, "policy.toml")
	if err := os.WriteFile(policy, []byte("[gateway]\nname = \"mx\"\n[recipients]\nmode = \"domains\"\ndomains = [\"a.example\"]\n[lists]\nbad = { file = \"bad.tgl\" }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(policy)
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	var f history.File
	for _, src := range cfg.Sources {
		if src.Built {
			f = history.File{Path: src.Path, Hash: src.Hash, Built: true}
		}
	}
	for _, tt := range []struct {
		content string
		same    bool
	}{{"bad.example\n", true}, {"other.example\n", false}} {
		build(tt.content)
		if same, err := history.Unchanged(f); err != nil || same != tt.same {
			t.Errorf("built of %q: %v, %v", tt.content, same, err)
		}
	}
}
