package journal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each journal is told of in its page and in tollgate(8).
func TestKindsAreDocumented(t *testing.T) {
	for _, path := range []string{"docs/journal.md", "docs/man/tollgate.8"} {
		text, err := os.ReadFile(filepath.Join("..", "..", path))
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range Kinds() {
			if !strings.Contains(string(text), kind) {
				t.Errorf("the journal %s is not in %s", kind, path)
			}
		}
	}
}
