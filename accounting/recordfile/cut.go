package recordfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/tollgate-mail/tollgate/internal/durable"
)

// cut takes away what stands behind the end: a crash, or a change that was given
// up, left it there. More than that can leave is set aside.
func (f *File) cut() error {
	behind, tail, err := f.behind()
	if err != nil || len(behind) == 0 && tail == 0 {
		return err
	}
	total := tail
	for _, start := range behind {
		info, err := os.Stat(f.path(start))
		if err != nil {
			return err
		}
		total += info.Size()
	}
	aside := total > f.o.Tail
	if aside {
		f.o.Log.Error("there are more records than their database knows: they are set aside", "dir", f.dir, "from", f.end, "bytes", total)
	} else {
		f.o.Log.Info("records that were not counted yet are cut away: the spool brings them again", "dir", f.dir, "from", f.end, "bytes", total)
	}
	for _, start := range behind {
		if aside {
			_, err = f.setAside(start, "cut")
		} else {
			err = os.Remove(f.path(start))
		}
		if err != nil {
			return err
		}
	}
	f.mu.Lock()
	f.starts = f.starts[:len(f.starts)-len(behind)]
	f.mu.Unlock()
	if tail > 0 {
		if err := f.cutTail(aside); err != nil {
			return err
		}
	}
	return durable.SyncDir(f.dir)
}

// behind finds the segments behind the end, and the octets behind it in the one
// that it is in.
func (f *File) behind() (list []int64, tail int64, err error) {
	at := len(f.starts)
	for at > 0 && f.starts[at-1] >= f.end {
		at--
	}
	list = f.starts[at:]
	if at == 0 {
		return list, 0, nil
	}
	info, err := os.Stat(f.path(f.starts[at-1]))
	if err != nil {
		return nil, 0, err
	}
	return list, max(0, f.starts[at-1]+info.Size()-f.end), nil
}

// cutTail cuts the last segment at the end.
func (f *File) cutTail(aside bool) (err error) {
	start := f.starts[len(f.starts)-1]
	file, err := os.OpenFile(f.path(start), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if aside {
		copied, err := os.CreateTemp(f.dir, filepath.Base(f.path(start))+".tail-*")
		if err != nil {
			return err
		}
		_, err = io.Copy(copied, io.NewSectionReader(file, f.end-start, 1<<62))
		if err := errors.Join(err, copied.Sync(), copied.Close()); err != nil {
			return errors.Join(err, os.Remove(copied.Name()))
		}
	}
	if err := file.Truncate(f.end - start); err != nil {
		return err
	}
	return file.Sync()
}
