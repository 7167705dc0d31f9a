package attachment

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

// How many octets are unpacked in search of the names of a tar: what takes
// about a second.
const (
	maxGunzip  = 256 << 20
	maxBunzip2 = 32 << 20
)

// tar reads the names of a tar.
func (l *listing) tar(r io.Reader) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return l.damaged(err)
		}
		if err := l.add(toUTF8(h.Name)); err != nil {
			return err
		}
	}
}

// gzip reads the name that is stored (RFC 1952 §2.3.1), and those of a tar.
func (l *listing) gzip(r io.Reader) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return l.damaged(err)
	}
	// The standard says ISO 8859-1; what is stored is what the system has.
	octets := make([]byte, 0, len(z.Name))
	for _, c := range z.Name {
		octets = append(octets, byte(c))
	}
	return l.packed(z, maxGunzip, toUTF8(string(octets)))
}

func (l *listing) bzip2(r io.Reader) error {
	return l.packed(bzip2.NewReader(r), maxBunzip2, "")
}

// packed reads what one file is packed into; stored is its name, if it has
// one.
func (l *listing) packed(r io.Reader, most int64, stored string) error {
	limited := &io.LimitedReader{R: r, N: most}
	head := make([]byte, headSize)
	n, err := io.ReadFull(limited, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	if err == nil && isTar(head[:n]) {
		err := l.tar(io.MultiReader(bytes.NewReader(head), limited))
		if errors.Is(err, errUnreadable) && limited.N <= 0 {
			return errLimit
		}
		return err
	}
	for _, name := range []string{stored, unpackedName(l.archive)} {
		if name != "" {
			if err := l.add(name); err != nil {
				return err
			}
		}
	}
	if kindOf(head[:n]) == kindProgram {
		l.found(SymbolArchiveExecutable)
	}
	return l.damaged(err)
}

// unpackedName is the name that a packed file gets when it is unpacked.
func unpackedName(name string) string {
	switch ext := path.Ext(name); strings.ToLower(ext) {
	case ".gz", ".bz2", ".bz", ".z":
		return strings.TrimSuffix(name, ext)
	case ".tgz", ".tbz", ".tbz2", ".taz":
		return strings.TrimSuffix(name, ext) + ".tar"
	}
	return ""
}
