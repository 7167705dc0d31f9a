package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// made is what opening has put into the file system.
type made struct {
	files   []string
	folders []string // the outermost first
}

// remove takes it away again. What meanwhile holds something of others stays.
func (m made) remove() {
	for _, path := range m.files {
		if info, err := os.Stat(path); err == nil && info.Size() == 0 {
			_ = os.Remove(path)
		}
	}
	for i := len(m.folders) - 1; i >= 0; i-- {
		_ = os.Remove(m.folders[i])
	}
}

// opened are files that journals can continue in.
type opened struct {
	dir   string
	files []*file
	next  []*os.File
	made  made
}

// openAll opens the files in dir, which it makes as well; on an error none.
func openAll(dir string, files ...*file) (*opened, error) {
	o := &opened{dir: dir, files: files}
	if err := o.open(dir); err != nil {
		err = errors.Join(err, o.close())
		o.made.remove()
		return nil, err
	}
	return o, nil
}

func (o *opened) open(dir string) error {
	for parent := dir; ; parent = filepath.Dir(parent) {
		if _, err := os.Stat(parent); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		o.made.folders = append([]string{parent}, o.made.folders...)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	for _, a := range o.files {
		path := filepath.Join(dir, fileName(a.kind))
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			o.made.files = append(o.made.files, path)
		}
		f, err := openFile(path)
		if err != nil {
			return err
		}
		o.next = append(o.next, f)
	}
	return nil
}

// replace continues in the files. Its error is of closing those before.
func (o *opened) replace() error {
	var err error
	for i, a := range o.files {
		err = errors.Join(err, a.replace(o.next[i], filepath.Join(o.dir, fileName(a.kind))))
	}
	return err
}

func (o *opened) close() error {
	var err error
	for _, f := range o.next {
		err = errors.Join(err, f.Close())
	}
	return err
}

// Move is a prepared continuation in another folder.
type Move struct {
	journal *Journal
	dir     string
	opened  *opened
}

// PrepareMove opens the files in another folder; the journals are written on
// where they are until Commit.
func (j *Journal) PrepareMove(dir string) (*Move, error) {
	next, err := openAll(dir, j.files()...)
	if err != nil {
		return nil, err
	}
	return &Move{journal: j, dir: dir, opened: next}, nil
}

// Commit continues in the new folder.
func (m *Move) Commit() {
	m.journal.moving.Lock()
	defer m.journal.moving.Unlock()
	if err := m.opened.replace(); err != nil {
		m.journal.log.Warn("journals that were moved from cannot be closed", "dir", m.journal.dir, "error", err)
	}
	m.journal.dir = m.dir
}

// Discard leaves the journals where they are, and nothing where they were to go.
func (m *Move) Discard() {
	if err := m.opened.close(); err != nil {
		m.journal.log.Warn("journals that were not moved to cannot be closed", "dir", m.dir, "error", err)
	}
	m.opened.made.remove()
}

// Discard closes journals that nothing was written to, and leaves nothing that
// opening them has made.
func (j *Journal) Discard() {
	if err := j.Close(); err != nil {
		j.log.Warn("journals that were given up cannot be closed", "error", err)
	}
	j.made.remove()
}
