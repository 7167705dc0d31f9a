package journal

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/durable"
	"github.com/tollgate-mail/tollgate/internal/journal/index"
)

// aside begins the name under which an original waits for its removal, below indexDir:
// its ID and its own name follow.
const aside = "old-"

// errMoved: the name is another file's by now.
var errMoved = errors.New("it was rotated on meanwhile; the next pass takes it")

var errDiffer = errors.New("beside it is a packed file with other lines: remove one of them")

// exchange gives a packed file its name, and takes the original away: first out of
// the way, since its name may be another file's by then, and what is removed has to
// be what was packed.
func (p *pass) exchange(f *os.File, info fs.FileInfo, packed string, id index.ID) error {
	path := f.Name()
	if now, err := os.Stat(path); err != nil || !os.SameFile(now, info) || now.Size() != info.Size() {
		return errMoved
	}
	// Link does not replace what is there.
	if err := os.Link(packed, path+".gz"); err != nil {
		return err
	}
	if err := durable.SyncDir(p.dir); err != nil {
		return err
	}
	made, err := os.Stat(packed)
	if err != nil {
		return err
	}
	return p.remove(path, info, made, id)
}

// remove takes an original away whose packed file has its name.
func (p *pass) remove(path string, info, packed fs.FileInfo, id index.ID) error {
	hidden := filepath.Join(p.dir, indexDir, aside+id.String()+"-"+filepath.Base(path))
	if err := os.Rename(path, hidden); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return errors.Join(errMoved, giveUp(path+".gz", packed))
		}
		return err
	}
	now, err := os.Stat(hidden)
	if err != nil {
		return err
	}
	if !os.SameFile(now, info) || now.Size() != info.Size() {
		return errors.Join(errMoved, p.putBack(hidden, path), giveUp(path+".gz", packed))
	}
	if err := os.Remove(hidden); err != nil {
		return err
	}
	return durable.SyncDir(p.dir)
}

// giveUp removes a packed file whose original is elsewhere, if the name is still its own.
func giveUp(path string, packed fs.FileInfo) error {
	now, err := os.Stat(path)
	if err != nil || !os.SameFile(now, packed) {
		return nil
	}
	return os.Remove(path)
}

// putBack gives a file its name again, or, where that is another's by now, one beside
// it.
func (p *pass) putBack(hidden, path string) error {
	err := os.Link(hidden, path)
	for n := 1; errors.Is(err, fs.ErrExist) && n < 1000; n++ {
		err = os.Link(hidden, fmt.Sprintf("%s.%d", path, n))
	}
	if err == nil {
		err = durable.SyncDir(p.dir)
	}
	if err != nil {
		return err
	}
	return os.Remove(hidden)
}

// recover ends what a crash has left half done.
func (p *pass) recover() error {
	dir := filepath.Join(p.dir, indexDir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if strings.HasSuffix(e.Name(), ".tmp") {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("journal: %w", err)
			}
			continue
		}
		rest, ok := strings.CutPrefix(e.Name(), aside)
		id, name, whole := strings.Cut(rest, "-")
		if !ok || !whole {
			continue
		}
		// The packed file had a name, durably, before the original lost its own.
		plain := filepath.Join(p.dir, name)
		if packed := p.packedAs(id); packed != "" {
			same, err := p.twins(path, packed, id)
			if err != nil || !same {
				return fmt.Errorf("journal: %s and %s should have the same lines: %w", path, packed, errors.Join(errDiffer, err))
			}
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("journal: %w", err)
			}
			continue
		}
		if err := p.putBack(path, plain); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	return nil
}

// packedAs is the packed file of an ID, whatever it is called by now; "" for none.
func (p *pass) packedAs(id string) string {
	names, err := p.candidates()
	if err != nil {
		return ""
	}
	for _, name := range names {
		f, err := os.Open(filepath.Join(p.dir, name))
		if err != nil {
			continue
		}
		of, first, ok := memberAt(f, 0)
		_ = f.Close() // was only read
		if ok && first == 0 && of.String() == id {
			return f.Name()
		}
	}
	return ""
}

// again goes on where a pass ended between the two: a packed file stands beside its
// original.
func (p *pass) again(f *os.File, info fs.FileInfo) (index.ID, error) {
	path := f.Name()
	zip, err := os.Open(path + ".gz")
	if err != nil {
		return index.ID{}, err
	}
	defer zip.Close()
	id, _, ours := memberAt(zip, 0)
	if !ours {
		return index.ID{}, nil // being packed by somebody else just now
	}
	if same, err := p.twins(path, path+".gz", id.String()); err != nil || !same {
		return id, errors.Join(errDiffer, err)
	}
	made, err := zip.Stat()
	if err != nil {
		return id, err
	}
	return id, p.remove(path, info, made, id)
}

// twins tells whether a packed file of that ID has the text of a plain one.
func (p *pass) twins(plain, packed, id string) (bool, error) {
	a, err := os.Open(plain)
	if err != nil {
		return false, err
	}
	defer a.Close()
	b, err := os.Open(packed)
	if err != nil {
		return false, err
	}
	defer b.Close()
	if of, _, ok := memberAt(b, 0); !ok || of.String() != id {
		return false, nil
	}
	zip, err := gzip.NewReader(bufio.NewReader(b))
	if err != nil {
		return false, err
	}
	return sameText(a, zip)
}

func sameText(a, b io.Reader) (bool, error) {
	var x, y [64 << 10]byte
	for {
		n, err := io.ReadFull(a, x[:])
		m, other := io.ReadFull(b, y[:])
		if n != m || !bytes.Equal(x[:n], y[:n]) {
			return false, nil
		}
		end := func(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
		switch {
		case err == nil && other == nil:
		case end(err) && end(other):
			return true, nil
		case err != nil && !end(err):
			return false, err
		case other != nil && !end(other):
			return false, other
		default:
			return false, nil
		}
	}
}
