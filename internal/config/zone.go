package config

import (
	"io/fs"
	"os"
	"strings"
	_ "time/tzdata" // zones must load where the system has none
)

// zoneDir is where Linux and FreeBSD keep the time zone database.
const zoneDir = "/usr/share/zoneinfo"

// zoneNames are the zones this system knows by name; none where it has none.
func zoneNames() []string {
	var names []string
	// A folder that cannot be read only makes the list shorter.
	_ = fs.WalkDir(os.DirFS(zoneDir), ".", func(path string, e fs.DirEntry, err error) error {
		first := path[0]
		switch {
		case err != nil:
			return nil
		case e.IsDir() && path != "." && (first < 'A' || first > 'Z'): // posix, right
			return fs.SkipDir
		case !e.IsDir() && first >= 'A' && first <= 'Z' && !strings.Contains(path, "."):
			names = append(names, path)
		}
		return nil
	})
	return names
}
