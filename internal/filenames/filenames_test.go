package filenames

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What can be read is found as filepath.Glob finds it.
func TestLikeGlob(t *testing.T) {
	dir := tree(t, "b.toml", "a.toml", "d/1.toml", "d/2.txt", "e/1.toml", "odd/[x].toml", "file/x")
	for _, pattern := range []string{
		"*.toml", "d/*.toml", "*/*.toml", "[de]/1.toml", "*/1.toml", "none/*.toml", "none/x", "a.toml", "a.toml/*", "a.toml/x", "?.toml", `odd/\[x\].toml`, "d/", "d//*.toml", "*", "",
	} {
		pattern = dir + "/" + pattern
		want, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		got, err := Matching(pattern)
		if err != nil || !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%s: %q, %v; want %q", pattern, got, err, want)
		}
	}
	if _, err := Matching(dir + "/[a"); !errors.Is(err, filepath.ErrBadPattern) {
		t.Error(err)
	}
}

// A folder that cannot be listed, or entered, is an error, wherever it stands in the pattern.
func TestUnreadable(t *testing.T) {
	// A name that is too long stands for whatever the system refuses, for root as well.
	long := strings.Repeat("x", 300)
	for _, pattern := range []string{"/" + long + "/*.toml", "/" + long, "/" + long + "/*/x"} {
		if found, err := Matching(t.TempDir() + pattern); !errors.Is(err, syscall.ENAMETOOLONG) {
			t.Errorf("%q, %v", found, err)
		}
	}
}
