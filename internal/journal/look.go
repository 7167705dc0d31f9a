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
// or, for root, a new one that is the folder's owner's. The folder belongs to another
// user than root, and what stands there under the name may be a link to anything: it
// is not followed, and a file that was there keeps its owner.
func Look(dir string, e *Entry) (err error) {
	e.Kind = Looks
	f, err := openLooks(dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	line := appendLook(nil, e)
	if endsTorn(f) {
		line = append([]byte{'\n'}, line...)
	}
	_, err = f.Write(append(line, '\n'))
	return err
}

// openLooks opens the file to append to.
func openLooks(dir string) (*os.File, error) {
	path := filepath.Join(dir, fileName(Looks))
	const flags = os.O_RDWR | os.O_APPEND | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	f, err := os.OpenFile(path, flags, 0)
	if errors.Is(err, fs.ErrNotExist) && os.Geteuid() == 0 {
		return newLooks(dir, path)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if s, ok := info.Sys().(*syscall.Stat_t); !info.Mode().IsRegular() || ok && s.Nlink > 1 {
		return nil, errors.Join(fmt.Errorf("%s is no file of its own", path), f.Close())
	}
	return f, nil
}

// newLooks makes the file, for root.
func newLooks(dir, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := f.Chown(int(s.Uid), int(s.Gid)); err != nil && !errors.Is(err, fs.ErrPermission) {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}
