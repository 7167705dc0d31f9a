package test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// What is read in one sitting: tests aside, and outside of cmd/tollgate.
const (
	mostLines = 300
	mostFiles = 25
)

// TestNothingBuilt: what is built is not kept. Who builds cmd/tollgate in the root gets
// a program of 40 MB there, and one commit of everything has it.
func TestNothingBuilt(t *testing.T) {
	t.Parallel()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	kept := exec.Command("git", "ls-files", "-z")
	kept.Dir = root
	out, err := kept.Output()
	if err != nil {
		t.Skip("no checkout of git") // an archive has what was kept
	}
	for _, name := range strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 }) {
		f, err := os.Open(filepath.Join(root, name))
		if err != nil {
			continue // removed, and not committed yet
		}
		var magic [4]byte
		n, _ := io.ReadFull(f, magic[:]) // shorter is no program
		f.Close()
		if string(magic[:n]) == "\x7fELF" {
			t.Errorf("%s is a program", name)
		}
	}
}

func TestRooms(t *testing.T) {
	t.Parallel()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]int{} // by room
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir() && name != "." && strings.HasPrefix(e.Name(), "."), name == "cmd":
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files[filepath.Dir(name)]++
		if n := bytes.Count(text, []byte("\n")); n > mostLines {
			t.Errorf("%s has %d lines, at most %d: make it two", name, n, mostLines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room, n := range files {
		if n > mostFiles {
			t.Errorf("%s has %d files, at most %d: a part of it is a room of its own", room, n, mostFiles)
		}
	}
}
