package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Looks is the journal of who looked at other people's mail. It is searched only
// where it is named.
const Looks = "looks"

// appendLook writes an entry of it.
func appendLook(b []byte, e *Entry) []byte {
	b = appendHead(b, Looks, e)
	b = appendField(b, "by", e.By)
	b = appendField(b, "event", e.Event)
	b = appendField(b, "detail", e.Detail)
	return append(b, '}')
}

// Look writes that somebody looked, where no daemon does: into the file that is there,
// or, for root, a new one that is the folder's owner's.
func Look(dir string, e *Entry) error {
	e.Kind = Looks
	path := filepath.Join(dir, fileName(Looks))
	flags := os.O_RDWR | os.O_APPEND
	if os.Geteuid() == 0 {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(path, flags, 0o640)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if info, err := os.Stat(dir); err == nil && os.Geteuid() == 0 {
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			if err := f.Chown(int(s.Uid), int(s.Gid)); err != nil && !errors.Is(err, fs.ErrPermission) {
				return errors.Join(err, f.Close())
			}
		}
	}
	line := appendLook(nil, e)
	if endsTorn(f) {
		line = append([]byte{'\n'}, line...)
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}
