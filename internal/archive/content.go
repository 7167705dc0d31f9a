package archive

import (
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// file takes a file within the archive by all its names, and what it is made of,
// nil where that cannot be unpacked.
func (l *listing) file(r io.Reader, names ...string) error {
	for _, name := range names {
		if err := l.add(name); err != nil {
			return err
		}
	}
	return l.content(r, names...)
}

// content tells what a file is made of whose names have been taken.
func (l *listing) content(r io.Reader, names ...string) error {
	if l.Content == nil {
		return nil
	}
	if err := l.Budget.Charge(1); err != nil {
		return err
	}
	clean := make([]string, 0, len(names))
	for _, name := range names {
		for _, name := range l.cleaned(name) {
			if name != "" {
				clean = append(clean, name)
			}
		}
	}
	if r != nil {
		r = inner{l, r}
	}
	return l.Content(l.archive, clean, r)
}

// inner is the content of a file within an archive: what is wrong with it is the
// archive's fault.
type inner struct {
	*listing
	r io.Reader
}

func (i inner) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	switch {
	case err == nil, errors.Is(err, io.EOF):
	case i.source.err != nil:
		err = i.source.err
	case i.Budget.Err() != nil:
		err = i.Budget.Err()
	case !errors.Is(err, ErrLimit):
		err = fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return n, err
}

// metered charges what is only stored like what is unpacked: files of an archive
// may stand in the same place, again and again.
func (l *listing) metered(r io.Reader) io.Reader { return &unpacking{listing: l, r: r, price: 1} }

// The methods of a zip that are read (APPNOTE.TXT §4.4.5).
const (
	zipStored   = 0
	zipDeflated = 8
	zipBzip2    = 12
	zipLZMA     = 14
	zipXZ       = 95
)

// unpack reads a file of a zip that is packed by some method into at most so many
// octets, 0 where that is not known; nil when the method is not known here.
func (l *listing) unpack(method uint16, r io.Reader, full uint64) io.Reader {
	switch method {
	case zipStored:
		return l.metered(r)
	case zipDeflated:
		if l.deflated == nil {
			l.deflated = flate.NewReader(r)
		} else if err := l.deflated.(flate.Resetter).Reset(r, nil); err != nil {
			return failed{err}
		}
		return l.metered(l.deflated)
	case zipBzip2:
		const block = 4 * 900_000
		return &unpacking{listing: l, price: slowness, r: &begun{begin: func() (io.Reader, error) {
			return bzip2.NewReader(r), l.memory(block)
		}}}
	case zipXZ:
		return &unpacking{listing: l, price: slowness, r: &begun{begin: func() (io.Reader, error) { return l.newXZ(r) }}}
	case zipLZMA:
		return &unpacking{listing: l, price: slowness, r: &begun{begin: func() (io.Reader, error) { return l.zipLZMA(r, full) }}}
	}
	return nil
}

// memory charges what is got to unpack a file: there may be thousands of an octet
// each that want some MiB.
func (l *listing) memory(octets int64) error {
	const cheaper = 4 // to get than to unpack
	if l.Unpacked -= octets / cheaper; l.Unpacked < 0 {
		return ErrLimit
	}
	return nil
}

// begun is a reader whose own beginning is read when the first octet is wanted.
type begun struct {
	begin func() (io.Reader, error)
	r     io.Reader
}

func (b *begun) Read(p []byte) (int, error) {
	if b.r == nil {
		var err error
		if b.r, err = b.begin(); err != nil {
			return 0, err
		}
	}
	return b.r.Read(p)
}

// zipLZMA reads LZMA as a zip has it (APPNOTE.TXT §5.8.8): version, length
// of the properties, those.
func (l *listing) zipLZMA(r io.Reader, full uint64) (io.Reader, error) {
	const version, properties, unknown = 4, 5, 1<<64 - 1
	var h [version + properties]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint16(h[2:]) != properties {
		return nil, ErrUnreadable
	}
	if full == 0 {
		full = unknown
	}
	return l.newLZMA(r, h[version:], full)
}

// newLZMA reads LZMA. The package wants the header of a file of its own, and gets
// memory for as large a dictionary as that says: more than is unpacked is not
// needed, nor more than archivers have.
func (l *listing) newLZMA(r io.Reader, properties []byte, full uint64) (io.Reader, error) {
	const least, most = 1 << 12, 8 << 20
	dictionary := max(min(uint64(binary.LittleEndian.Uint32(properties[1:])), full, most), least)
	if err := l.memory(int64(dictionary)); err != nil {
		return nil, err
	}
	start := []byte{properties[0]}
	start = binary.LittleEndian.AppendUint32(start, uint32(dictionary))
	start = binary.LittleEndian.AppendUint64(start, full)
	return lzma.NewReader(io.MultiReader(bytes.NewReader(start), r))
}
