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

// slowness is how much longer bzip2 takes than gzip.
const slowness = 8

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
	return l.packed(z, l.config.MaxUnpacked, toUTF8(string(octets)))
}

func (l *listing) bzip2(r io.Reader) error {
	return l.packed(bzip2.NewReader(r), l.config.MaxUnpacked/slowness, "")
}

// packed reads what one file is packed into; stored is its name, if it has
// one.
func (l *listing) packed(r io.Reader, most int64, stored string) error {
	limited := &io.LimitedReader{R: r, N: most}
	head, err := io.ReadAll(io.LimitReader(limited, headSize))
	if err == nil && isTar(head) {
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
	if kindOf(head) == kindProgram {
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
