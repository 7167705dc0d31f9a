package confine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestBounds(t *testing.T) {
	dir := real(t.TempDir())
	for _, folder := range []string{"policy", "elsewhere", "state"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "elsewhere", "list"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "elsewhere", "list"), filepath.Join(dir, "policy", "linked")); err != nil {
		t.Fatal(err)
	}
	plain := Bounds{Write: []string{filepath.Join(dir, "state")}}
	plain.Add(filepath.Join(dir, "policy", "policy.toml"))
	linked := plain
	linked.Add(filepath.Join(dir, "policy", "linked"))
	pinned := plain
	pinned.Add(filepath.Join(dir, "replaced", "x"))
	if err := os.Mkdir(filepath.Join(dir, "replaced"), 0o755); err != nil {
		t.Fatal(err)
	}
	pinned.Read = append(pinned.Read, filepath.Join(dir, "later"))
	pinned.Pin()
	for _, step := range []error{
		os.Rename(filepath.Join(dir, "replaced"), filepath.Join(dir, "before")),
		os.Mkdir(filepath.Join(dir, "replaced"), 0o755), os.Mkdir(filepath.Join(dir, "later"), 0o755),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	for _, tt := range []struct {
		is     Bounds
		path   string
		reads  bool
		writes bool
	}{
		{plain, "policy/policy.toml", true, false},
		{plain, "policy/new.d/x.toml", true, false},
		{plain, "policy-other/x", false, false},
		{plain, "policy/../elsewhere/list", false, false},
		{plain, "policy/linked", false, false},
		{linked, "policy/linked", true, false},
		{linked, "elsewhere/other", true, false},
		{plain, "state", true, true},
		{plain, "state/spool/1", true, true},
		{plain, "", false, false},
		{pinned, "state/new", true, true},
		{pinned, "policy/policy.toml", true, false},
		{pinned, "replaced/x", false, false}, // another folder is there now
		{pinned, "later/x", false, false},    // it came after the start
	} {
		path := filepath.Join(dir, tt.path)
		if err := tt.is.Reads(path); (err == nil) != tt.reads || err != nil && !errors.Is(err, ErrOutside) {
			t.Errorf("reads %s: %v", tt.path, err)
		}
		if err := tt.is.Writes(path); (err == nil) != tt.writes {
			t.Errorf("writes %s: %v", tt.path, err)
		}
	}
}
