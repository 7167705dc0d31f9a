package module

import (
	"os"

	"golang.org/x/sys/unix"
)

// unnamed makes a file without a name. Most file systems of Linux can do that
// in one step; where one cannot, the file has a name for a moment.
func unnamed(dir string) (*os.File, error) {
	folder := dir
	if folder == "" {
		folder = os.TempDir()
	}
	f, err := os.OpenFile(folder, os.O_RDWR|unix.O_TMPFILE, 0o600)
	if err != nil {
		return remade(dir)
	}
	return f, nil
}
