package journal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tollgate-mail/tollgate/internal/durable"
	"github.com/tollgate-mail/tollgate/internal/journal/index"
)

// Packing is what a pass over the rotated files did.
type Packing struct {
	Packed   int      `json:"packed"`   // files
	Text     int64    `json:"text"`     // octets of them before
	Size     int64    `json:"size"`     // and after
	Index    int64    `json:"index"`    // octets of indexes that were written
	Rebuilt  int      `json:"rebuilt"`  // indexes that were missing or damaged
	Removed  int      `json:"removed"`  // indexes whose files are gone
	More     bool     `json:"more"`     // the time was over before all was done
	Problems []string `json:"problems"` // files that were left as they are, and why
}

// PackOptions bound a pass.
type PackOptions struct {
	// InUse tells of files that somebody still writes to; nil: of none.
	InUse func(fs.FileInfo) bool
	// Rest is how long a file has to lie still before it is touched.
	Rest time.Duration
	// Until: no further file is begun after this time; zero: none is left.
	Until time.Time
	// Verify reads all indexes, and makes those anew that are damaged.
	Verify bool
	Now    func() time.Time // nil: time.Now
}

// errBusy: another process packs in that folder.
var errBusy = errors.New("journal: another process is packing these journals")

// Pack rewrites the rotated files of a folder as gzip of members that are unpacked
// apart, with indexes, and makes indexes that are missing. At any moment a line stands
// in a file that searches read: the new one is whole and synced before it gets its
// name, and the old one goes last. A file that changes meanwhile is left alone.
func Pack(ctx context.Context, dir string, o PackOptions) (Packing, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &pass{dir: dir, PackOptions: o, done: Packing{Problems: []string{}}}
	names, err := p.candidates()
	if err != nil {
		return p.done, err
	}
	if _, err := os.Stat(filepath.Join(dir, indexDir)); len(names) == 0 && errors.Is(err, fs.ErrNotExist) {
		return p.done, nil
	}
	unlock, err := p.lock()
	if err != nil {
		return p.done, err
	}
	defer unlock()
	if err := p.recover(); err != nil {
		return p.done, err
	}
	if names, err = p.candidates(); err != nil {
		return p.done, err
	}
	kept := make(map[index.ID]bool)
	for _, name := range names {
		if ctx.Err() != nil {
			return p.done, ctx.Err()
		}
		if !o.Until.IsZero() && o.Now().After(o.Until) {
			p.done.More = true
			return p.done, nil
		}
		id, err := p.file(ctx, name)
		if id != (index.ID{}) {
			kept[id] = true
		}
		if err != nil && ctx.Err() == nil {
			p.done.Problems = append(p.done.Problems, fmt.Sprintf("%s: %v", name, err))
		}
	}
	return p.done, p.sweep(kept)
}

// pass is one over a folder.
type pass struct {
	dir string
	PackOptions
	done Packing
}

// candidates are the rotated files, plain or packed by gzip, in the order of their
// names. Those of other services are not ours to touch: nobody says whether they are
// still written to.
func (p *pass) candidates() ([]string, error) {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var names []string
	for _, e := range entries {
		of := rotated.FindStringSubmatch(e.Name())
		if of == nil || !e.Type().IsRegular() || !slices.Contains(Kinds(), of[1]) || of[2] != "" || of[3] != "" && of[3] != ".gz" || e.Name() == fileName(of[1]) {
			continue
		}
		names = append(names, e.Name())
	}
	return names, nil
}

// lock keeps other processes out: commands and the daemon may come together.
func (p *pass) lock() (unlock func(), err error) {
	dir := filepath.Join(p.dir, indexDir)
	if err := os.Mkdir(dir, 0o750); err == nil {
		p.own(dir, p.dir)
	} else if !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("journal: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	p.own(f.Name(), p.dir)
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errBusy
		}
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// own gives a new file to the owner of another, where the process may.
func (p *pass) own(path, like string) {
	if info, err := os.Stat(like); err == nil {
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			_ = os.Lchown(path, int(s.Uid), int(s.Gid))
		}
	}
}

// file packs a plain file, or sees to the index of a packed one, whose ID it returns.
func (p *pass) file(ctx context.Context, name string) (id index.ID, err error) {
	path := filepath.Join(p.dir, name)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return id, nil // rotated on
	}
	if err != nil {
		return id, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return id, err
	}
	if strings.HasSuffix(name, ".gz") {
		return p.packedFile(ctx, f)
	}
	if p.Now().Sub(info.ModTime()) < p.Rest || p.InUse != nil && p.InUse(info) {
		return id, nil
	}
	if _, err := os.Lstat(path + ".gz"); err == nil {
		return p.again(f, info)
	}
	return p.plainFile(ctx, f, info)
}

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
	made, err := os.OpenFile(p.tmp(id, ".idx"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
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

// sweep removes indexes whose files are gone.
func (p *pass) sweep(kept map[index.ID]bool) error {
	entries, err := os.ReadDir(filepath.Join(p.dir, indexDir))
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	// Looked at again: files may have been renamed while this pass went on.
	names, err := p.candidates()
	if err != nil {
		return err
	}
	for _, name := range names {
		f, err := os.Open(filepath.Join(p.dir, name))
		if err != nil {
			return nil // a file that cannot be asked may be any index's
		}
		if id, _, ok := memberAt(f, 0); ok {
			kept[id] = true
		}
		_ = f.Close() // was only read
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".idx")
		if !ok || slices.ContainsFunc(ids(kept), func(id string) bool { return id == name }) {
			continue
		}
		if err := os.Remove(filepath.Join(p.dir, indexDir, e.Name())); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		p.done.Removed++
	}
	return nil
}

func ids(of map[index.ID]bool) []string {
	var all []string
	for id := range of {
		all = append(all, id.String())
	}
	return all
}
