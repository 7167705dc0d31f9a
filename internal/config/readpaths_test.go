package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/config"
)

// A path that is not there at the start gives a confined daemon nothing, ever.
func TestReadPathsThatLack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "policy.toml")
	text := "[gateway]\nname = \"mx.example.org\"\nlisten = [\"unix:" + dir + "/s\"]\nstate_dir = \"" + dir + "\"\nread_paths = [\"" + dir + "\", \"rel\", \"" + dir + "/later\"]\n" +
		"[recipients]\nmode = \"domains\"\ndomains = [\"example.org\"]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, problems := config.Load(file)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, p := range problems {
		if strings.Contains(p.String(), "read_paths") {
			said = append(said, p.String())
		}
	}
	if len(said) != 2 || !strings.Contains(said[0], filepath.Join(dir, "rel")) || !strings.Contains(said[1], "later") {
		t.Errorf("%q", said)
	}
}
