package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// Root is the folder of the module, found by walking up from the working
// directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("harness: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("harness: no go.mod above the working directory")
		}
		dir = up
	}
}

// Shared finds a folder of test material beside the repository or above it:
// shared/NAME. The error is fs.ErrNotExist where there is none.
func Shared(name string) (string, error) {
	dir, err := Root()
	if err != nil {
		return "", err
	}
	for {
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("harness: shared/%s: %w", name, fs.ErrNotExist)
		}
		dir = up
		path := filepath.Join(dir, "shared", name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
}

// Build compiles the tollgate binary into dir and returns its path. With
// TOLLGATE_RACE set it is built with the race detector; a race then ends the
// daemon with exit code 66 and is in its log.
func Build(dir string) (string, error) { return BuildProgram(dir, "tollgate", "./cmd/tollgate") }

// BuildProgram builds a program of the repository, as Build does.
func BuildProgram(dir, name, room string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, name)
	// Without a stamp: git may be missing, or refuse a checkout of somebody else's.
	args := []string{"build", "-buildvcs=false", "-o", binary}
	if os.Getenv("TOLLGATE_RACE") != "" {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, room)...)
	cmd.Dir, cmd.Env = root, os.Environ()
	if os.Getenv("TOLLGATE_RACE") == "" {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=0") // as it is shipped
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("harness: go build: %w\n%s", err, out)
	}
	return binary, nil
}
