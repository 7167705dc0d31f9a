package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

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
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o640)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if info, err := f.Stat(); err == nil {
		if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Nlink == 1 {
			p.own(f.Name(), p.dir)
		}
	}
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
