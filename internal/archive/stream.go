package archive

import (
	"archive/tar"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"
	"path"
	"strings"
)

// slowness is how much longer bzip2 and xz take than gzip.
const slowness = 8

// tar reads the names of a tar, and of those behind it: programs that are told so, and
// some that are not, read on behind the two empty blocks that end one.
func (l *listing) tar(r io.Reader) error {
	for {
		if err := l.oneTar(r); err != nil {
			return err
		}
		block, err := l.nextTar(r)
		if block == nil || err != nil {
			return err
		}
		r = io.MultiReader(bytes.NewReader(block), r)
	}
}

// nextTar reads up to the first block of another tar, nil where there is none.
func (l *listing) nextTar(r io.Reader) ([]byte, error) {
	block := make([]byte, HeadShort)
	for {
		if _, err := io.ReadFull(r, block); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		if err := l.Budget.Charge(1); err != nil {
			return nil, err
		}
		if isTar(block) {
			return block, nil
		}
	}
}

// oneTar reads up to the end that a tar says.
func (l *listing) oneTar(r io.Reader) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := toUTF8(h.Name)
		if isFolder(name, uint64(max(h.Size, 0))) || h.Typeflag == tar.TypeDir {
			if err := l.Budget.Charge(1); err != nil {
				return err
			}
			continue
		}
		if err := l.file(t, name); err != nil {
			return err
		}
	}
}

// gzip reads the name that is stored (RFC 1952 §2.3.1), and those of a tar.
func (l *listing) gzip(r io.Reader) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	// The standard says ISO 8859-1; what is stored is what the system has.
	octets := make([]byte, 0, len(z.Name))
	for _, c := range z.Name {
		octets = append(octets, byte(c))
	}
	return l.packed(z, 1, toUTF8(string(octets)))
}

func (l *listing) bzip2(r io.Reader) error {
	return l.packed(bzip2.NewReader(r), slowness, "")
}

// packed reads what one file is packed into; each of its octets counts as
// price. Stored is its name, if it has one.
func (l *listing) packed(r io.Reader, price int64, stored string) error {
	u := &unpacking{listing: l, r: r, price: price}
	head := make([]byte, HeadShort)
	n, err := io.ReadFull(u, head)
	head = head[:n]
	if err == nil && isTar(head) {
		err := l.tar(io.MultiReader(bytes.NewReader(head), u))
		if err != nil && u.over {
			return ErrLimit
		}
		return err
	}
	names := []string{stored, UnpackedName(l.archive)}
	rest := io.Reader(u)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF) && u.ended:
		err = nil // a short file
	case err != nil:
		rest = failed{err}
	}
	if err := l.file(io.MultiReader(bytes.NewReader(head), rest), names...); err != nil {
		return err
	}
	if u.over {
		return ErrLimit
	}
	return err
}

// failed is what cannot be read any further.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }

// unpacking charges what is unpacked.
type unpacking struct {
	*listing
	r     io.Reader
	price int64
	spent int64
	over  bool // more than may be unpacked
	ended bool
}

func (u *unpacking) Read(p []byte) (int, error) {
	const (
		least    = 512 // or a short rest would be read for long
		atFirst  = 16 << 20
		perOctet = 64 // of what is packed
	)
	left := min(u.Unpacked, atFirst+perOctet*u.source.read-u.spent)
	if left <= 0 {
		u.over = true
		return 0, ErrLimit
	}
	p = p[:min(int64(len(p)), left/u.price+least)]
	n, err := u.r.Read(p)
	u.Unpacked -= int64(n) * u.price
	u.spent += int64(n) * u.price
	u.ended = errors.Is(err, io.EOF)
	if spent := u.Budget.Octets(n); spent != nil {
		return 0, spent
	}
	return n, err
}

// UnpackedName is the name that a packed file gets when it is unpacked, "" where
// its own does not tell.
func UnpackedName(name string) string {
	name = path.Base(name)
	switch ext := path.Ext(name); strings.ToLower(ext) {
	case ".gz", ".bz2", ".bz", ".z", ".xz":
		return strings.TrimSuffix(name, ext)
	case ".tgz", ".tbz", ".tbz2", ".taz", ".txz":
		return strings.TrimSuffix(name, ext) + ".tar"
	}
	return ""
}
