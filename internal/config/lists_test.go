package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// What stands beside a list that was built is its text, or another one; what cannot be
// read is not taken for it.
func TestOtherText(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "bad.txt")
	if err := os.WriteFile(path, []byte("bad.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	of := source.Of(path, source.List, "bad.example\n")
	text := list.Text{Size: of.Size, Hash: of.Hash, Changed: file.ModTime()}
	copied, another := text, text
	copied.Changed = text.Changed.Add(-time.Hour)
	another.Changed, another.Hash = copied.Changed, "00"
	for name, tt := range map[string]struct {
		path string
		info os.FileInfo
		text list.Text
		want bool
	}{
		"the text":       {path, file, text, false},
		"a copy of it":   {path, file, copied, false},
		"another text":   {path, file, another, true},
		"a longer one":   {path, file, list.Text{Size: 1, Hash: of.Hash, Changed: text.Changed}, true},
		"gone meanwhile": {path + "x", file, copied, true},
		"a folder":       {dir, folder, list.Text{Size: folder.Size(), Changed: folder.ModTime()}, true},
	} {
		if got := otherText(tt.path, tt.info, tt.text); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
