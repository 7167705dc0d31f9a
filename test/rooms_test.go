package test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	for _, name := range kept(t, root) {
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

// kept are the files of the project: those of git, or all of an archive.
func kept(t *testing.T, root string) (names []string) {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z")
	list.Dir = root
	if out, err := list.Output(); err == nil {
		return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
	}
	if err := fs.WalkDir(os.DirFS(root), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			names = append(names, name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return names
}

// TestNoGlobals: no variable of a package is there to be changed. Errors, expressions
// that are compiled once and tables that are only read are none; a map is a function
// with a switch, which nobody can write to.
func TestNoGlobals(t *testing.T) {
	t.Parallel()
	eachFile(t, func(name string, text []byte) {
		if strings.HasPrefix(name, "test"+string(filepath.Separator)) {
			return
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			return
		}
		for _, d := range file.Decls {
			v, ok := d.(*ast.GenDecl)
			if !ok || v.Tok != token.VAR {
				continue
			}
			for _, spec := range v.Specs {
				v, at := spec.(*ast.ValueSpec), set.Position(spec.Pos())
				switch {
				case isMap(v.Type) || slices.ContainsFunc(v.Values, isMap):
					t.Errorf("%s: %s is a map: make it a function", at, v.Names[0])
				case len(v.Values) == 0 && !isEmbedded(d) && v.Names[0].Name != linked:
					t.Errorf("%s: %s has no value: somebody owns it who sets it", at, v.Names[0])
				}
			}
		}
	})
}

// linked is the variable that the linker sets.
const linked = "version"

// isMap tells a map's type, one that is written out, and one that is made.
func isMap(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.MapType:
		return true
	case *ast.CompositeLit:
		return isMap(e.Type)
	case *ast.CallExpr:
		name, ok := e.Fun.(*ast.Ident)
		return ok && name.Name == "make" && isMap(e.Args[0])
	}
	return false
}

// isEmbedded tells a variable that has the content of a file.
func isEmbedded(d ast.Decl) bool {
	v, ok := d.(*ast.GenDecl)
	return ok && v.Doc != nil && slices.ContainsFunc(v.Doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// eachFile visits the Go files of the tree, tests aside.
func eachFile(t *testing.T, visit func(name string, text []byte)) {
	t.Helper()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	if err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir() && name != "." && strings.HasPrefix(e.Name(), "."):
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil {
			visit(name, text)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestRooms(t *testing.T) {
	t.Parallel()
	files := map[string]int{} // by room
	eachFile(t, func(name string, text []byte) {
		if strings.HasPrefix(name, "cmd"+string(filepath.Separator)) {
			return
		}
		files[filepath.Dir(name)]++
		if n := bytes.Count(text, []byte("\n")); n > mostLines {
			t.Errorf("%s has %d lines, at most %d: make it two", name, n, mostLines)
		}
	})
	for room, n := range files {
		if n > mostFiles {
			t.Errorf("%s has %d files, at most %d: a part of it is a room of its own", room, n, mostFiles)
		}
	}
}
