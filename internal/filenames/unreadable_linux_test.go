package filenames

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Root may list and enter any folder: a thread of root's looks as a user who may not.
func TestForbidden(t *testing.T) {
	const nobody = 65534
	dir := tree(t, "d/1.toml", "e/f/1.toml")
	folders := []string{filepath.Join(dir, "d"), filepath.Join(dir, "e"), filepath.Join(dir, "e", "f")}
	if os.Geteuid() == 0 {
		if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // who looks is another user
			t.Fatal(err)
		}
		for _, folder := range folders {
			if err := os.Chown(folder, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
	}
	look := func(pattern string) (found []string, err error) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread() // and never unlocked: the thread ends here
			if os.Geteuid() == 0 {
				if err = unix.Setfsuid(nobody); err != nil {
					return
				}
			}
			found, err = Matching(dir + pattern)
		}()
		<-done
		return found, err
	}
	mode := func(to fs.FileMode) {
		for _, folder := range folders[:2] {
			if err := os.Chmod(folder, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, pattern := range []string{"/d/*.toml", "/*/*.toml", "/e/*/1.toml"} {
		mode(0o700)
		if found, err := look(pattern); err != nil || len(found) != 1 {
			t.Errorf("%s: %q, %v", pattern, found, err)
		}
		for _, forbidden := range []fs.FileMode{0, 0o300} {
			mode(forbidden)
			if found, err := look(pattern); !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%o %s: %q, %v", forbidden, pattern, found, err)
			}
		}
	}
	mode(0o700)
}
