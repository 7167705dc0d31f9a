package journal

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tollgate-mail/tollgate/internal/durable"
	"github.com/tollgate-mail/tollgate/internal/journal/index"
)

// packedFile makes the index of a file of ours that has none to believe. Files that
// others packed stay as they are.
func (p *pass) packedFile(ctx context.Context, f *os.File) (index.ID, error) {
	id, first, ok := memberAt(f, 0)
	if !ok || first != 0 {
		return index.ID{}, nil
	}
	x, err := indexOf(p.dir, f)
	if x != nil {
		if p.Verify {
			err = x.Verify()
		}
		if err = errors.Join(err, x.file.Close()); err == nil {
			return id, nil
		}
	}
	if err != nil && !errors.Is(err, index.ErrDamaged) {
		return id, err
	}
	info, err := f.Stat()
	if err != nil {
		return id, err
	}
	// The ID is what the packed file says, and the folder may be another user's than
	// ours: what stands there under that name is not written to.
	made, err := os.OpenFile(p.tmp(id, ".idx"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return id, err
	}
	text, err := indexLines(ctx, f, made, id)
	if errors.Is(err, errForeign) || err == nil && text < index.LeastText {
		return id, errors.Join(made.Close(), os.Remove(made.Name()))
	}
	if err != nil {
		return id, errors.Join(err, made.Close(), os.Remove(made.Name()))
	}
	if err := p.keepIndex(made, id, info); err != nil {
		return id, err
	}
	p.done.Rebuilt++
	return id, nil
}

func (p *pass) tmp(id index.ID, what string) string {
	return filepath.Join(p.dir, indexDir, id.String()+what+".tmp")
}

// finished gives a written file the mode, owner and time of another, and syncs it.
func finished(f *os.File, like fs.FileInfo) error {
	made, err := f.Stat()
	if err != nil {
		return err
	}
	as, known := like.Sys().(*syscall.Stat_t)
	if is, ok := made.Sys().(*syscall.Stat_t); known && ok && (is.Uid != as.Uid || is.Gid != as.Gid) {
		// Who could read the old one has to be able to read the new one.
		if err := f.Chown(int(as.Uid), int(as.Gid)); err != nil {
			return err
		}
	}
	return errors.Join(f.Chmod(like.Mode().Perm()), f.Sync(), os.Chtimes(f.Name(), like.ModTime(), like.ModTime()))
}

// keepIndex puts an index in its place.
func (p *pass) keepIndex(f *os.File, id index.ID, like fs.FileInfo) error {
	at, err := f.Seek(0, io.SeekCurrent)
	if err = errors.Join(err, finished(f, like), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), indexPath(p.dir, id)); err != nil {
		return err
	}
	p.done.Index += at
	return durable.SyncDir(filepath.Join(p.dir, indexDir))
}

// plainFile packs a file.
func (p *pass) plainFile(ctx context.Context, f *os.File, info fs.FileInfo) (id index.ID, err error) {
	if _, err := rand.Read(id[:]); err != nil {
		return index.ID{}, err
	}
	zip, err := os.OpenFile(p.tmp(id, ".gz"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return index.ID{}, err
	}
	defer func() { err = errors.Join(err, os.Remove(zip.Name())) }() // it has its name by then, or none
	defer zip.Close()
	idx, err := os.OpenFile(p.tmp(id, ".idx"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return index.ID{}, err
	}
	text, err := packLines(ctx, f, zip, idx, id)
	if err == nil && text != info.Size() {
		err = errors.New("somebody writes to it")
	}
	if err == nil {
		err = finished(zip, info)
	}
	if err != nil {
		return index.ID{}, errors.Join(err, idx.Close(), os.Remove(idx.Name()))
	}
	if text < index.LeastText {
		err = errors.Join(idx.Close(), os.Remove(idx.Name()))
	} else {
		err = p.keepIndex(idx, id, info)
	}
	if err != nil {
		return index.ID{}, err
	}
	if err := p.exchange(f, info, zip.Name(), id); err != nil {
		return index.ID{}, err
	}
	p.done.Packed++
	p.done.Text += text
	if packed, err := zip.Stat(); err == nil {
		p.done.Size += packed.Size()
	}
	return id, nil
}
