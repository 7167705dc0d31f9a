package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// look has the writer see whether its segment still stands in the folder, without a
// message that is to be written.
func (s *Spool) look() {
	s.looks.Store(true)
	signal(s.queue.wake)
}

// looked does what look asks for.
func (w *writer) looked() {
	if !w.spool.looks.Swap(false) {
		return
	}
	err := w.still()
	if err == nil && w.cur == nil {
		err = w.spool.remade()
	}
	w.spool.wrote(err)
}

// still makes sure that the segment that is written stands in the folder. One that
// somebody removed has a descriptor alone: what waits in it is gone with the process. So
// it is where another file has its name, a copy that was put back.
// What was made durable in it is written again under its name, and the next write makes
// another, for who reads the removed one would not see what comes behind.
func (w *writer) still() error {
	if w.cur == nil {
		return nil
	}
	s, name := w.spool, segmentName(w.cur.seq)
	if is, err := s.fs.Stands(s.path(name), w.cur.file); !w.cur.removed && (is || err != nil) {
		return nil // of anything else the write will tell
	}
	// What has its name from now on is another file, made whole or not.
	w.cur.removed = true
	err := s.remade()
	if err == nil {
		err = w.again(s.path(name))
	}
	if err != nil {
		return fmt.Errorf("spool: %s was removed, and cannot be made again: %w", name, err)
	}
	s.o.Log.Error("a segment of the spool was removed while it was in use: it is made again", "segment", name, "bytes", w.cur.synced)
	if err := w.cur.file.Close(); err != nil {
		s.o.Log.Warn("closing a spool segment", "error", err)
	}
	w.drop()
	return nil
}

// again writes what is durable in the current segment to a new file. One that a try
// before has left is replaced.
func (w *writer) again(path string) error {
	files, temp := w.spool.fs, path+".new"
	if err := files.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := files.Create(temp)
	if err != nil {
		return err
	}
	if _, err = io.Copy(f, io.NewSectionReader(w.cur.file, 0, w.cur.synced)); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = files.Rename(temp, path)
	}
	if err != nil {
		return errors.Join(err, files.Remove(temp))
	}
	return files.SyncDir(w.spool.dir)
}

// remade makes what must be in the folder besides segments, where somebody removed it:
// the folder, its lock, the cursor, without which the spool would be another one. A
// folder that another process has taken meanwhile is left alone.
func (s *Spool) remade() error {
	if err := s.fs.MakeDir(s.dir); err != nil {
		return err
	}
	if !s.fs.Holds(s.dir, s.lock) {
		l, err := s.fs.Lock(s.dir)
		if err != nil {
			return err
		}
		if err := s.lock.Close(); err != nil {
			s.o.Log.Warn("the lock of a spool that was removed", "error", err)
		}
		s.lock = l
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	if _, err := s.fs.Stat(s.path(cursorName)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.mu.Lock()
	c := s.cursor
	s.mu.Unlock()
	return errors.Join(saveCursor(s.fs, s.dir, c), s.fs.SyncDir(filepath.Dir(s.dir)))
}
