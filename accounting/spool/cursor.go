package spool

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
)

// position is a place between two frames.
type position struct {
	seq uint64 // of the segment
	off int64
}

func (p position) before(q position) bool {
	return p.seq < q.seq || p.seq == q.seq && p.off < q.off
}

// cursor says up to where frames were applied. The spool's name, made once,
// tells its positions from those of another that had the same folder before.
type cursor struct {
	spool string
	position
	count int64 // records spooled before the position, since the spool was made
}

// String is the cursor as the sink's mark and, with a checksum, as the file.
func (c cursor) String() string { return fmt.Sprintf("%s %d %d %d", c.spool, c.seq, c.off, c.count) }

var errNoCursor = errors.New("this is no cursor")

// parseCursor also reads cursors without a count, as they were once written.
func parseCursor(s string) (cursor, error) {
	var c cursor
	if strings.Count(s, " ") == 2 {
		s += " 0"
	}
	_, err := fmt.Sscanf(s, "%s %d %d %d", &c.spool, &c.seq, &c.off, &c.count)
	if err != nil || c.off < 0 || c.count < 0 || c.String() != s {
		return cursor{}, errNoCursor
	}
	return c, nil
}

const cursorName = "cursor"

// loadCursor reads the cursor; errors.Is(err, fs.ErrNotExist) when there is
// none, errNoCursor when it is damaged.
func loadCursor(fs FileSystem, dir string) (cursor, error) {
	b, err := fs.ReadFile(filepath.Join(dir, cursorName))
	if err != nil {
		return cursor{}, err
	}
	text, sum, ok := strings.Cut(strings.TrimSuffix(string(b), "\n"), " crc32c=")
	if !ok || sum != checksum(text) {
		return cursor{}, fmt.Errorf("%s: %w", cursorName, errNoCursor)
	}
	c, err := parseCursor(text)
	if err != nil {
		return cursor{}, fmt.Errorf("%s: %w", cursorName, err)
	}
	return c, nil
}

// saveCursor replaces the cursor so that a crash leaves the old one or the
// new one.
func saveCursor(fs FileSystem, dir string, c cursor) error {
	temp := filepath.Join(dir, cursorName+".new")
	text := c.String()
	if err := writeFile(fs, temp, []byte(text+" crc32c="+checksum(text)+"\n")); err != nil {
		return err
	}
	if err := fs.Rename(temp, filepath.Join(dir, cursorName)); err != nil {
		return err
	}
	return fs.SyncDir(dir)
}

// writeFile makes a file with the content, durable but for its name. One that
// is there from a try before is replaced.
func writeFile(fs FileSystem, path string, content []byte) error {
	if err := fs.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := fs.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func checksum(s string) string {
	return fmt.Sprintf("%08x", crc32.Checksum([]byte(s), castagnoli))
}
