package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"unicode/utf16"
)

// sig7z is what a 7z begins with.
const sig7z = "7z\xbc\xaf\x27\x1c"

// max7zHeader is how many octets the list of an archive may have, packed or
// not: more than 10,000 names.
const max7zHeader = 1 << 20

// sevenZip lists a 7z archive by the header at its end (7zFormat.txt of the
// LZMA SDK). The sevenzip package would bring ten others along for unpacking
// what is not unpacked here, and holds all entries of a header of any length.
func (l *listing) sevenZip(f *seekable) error {
	const signature = 32
	var b [signature]byte
	if _, err := f.ReadAt(b[:], 0); err != nil {
		return ErrUnreadable
	}
	offset, size := binary.LittleEndian.Uint64(b[12:]), binary.LittleEndian.Uint64(b[20:])
	if size == 0 {
		return nil // empty
	}
	if size > max7zHeader || offset > uint64(f.size) {
		return ErrUnreadable
	}
	header := make([]byte, size)
	if _, err := f.ReadAt(header, signature+int64(offset)); err != nil {
		return ErrUnreadable
	}
	const mostLevels = 4 // a packed header may be that of a packed header
	for range mostLevels {
		if err := l.Budget.Octets(len(header)); err != nil {
			return err
		}
		h := &header7z{b: header, budget: l.Budget}
		switch h.byte() {
		case id7zHeader:
			return l.files7z(h)
		case id7zEncoded:
			unpacked, err := l.unpack7z(f, h)
			if err != nil {
				return err
			}
			header = unpacked
		default:
			return ErrUnreadable
		}
	}
	return ErrUnreadable
}

// unpack7z unpacks a header.
func (l *listing) unpack7z(f *seekable, h *header7z) ([]byte, error) {
	s := h.streams()
	if s.encrypted {
		return nil, ErrHidden
	}
	if h.short || s.coders != 1 || s.unpacked > max7zHeader || s.packed > max7zHeader || s.position > uint64(f.size) {
		return nil, ErrUnreadable
	}
	const signature = 32
	coder, size := s.coder, s.unpacked
	packed := io.NewSectionReader(f, signature+int64(s.position), int64(s.packed))
	var r io.Reader = packed
	switch {
	case bytes.Equal(coder.method, []byte{0}): // as it is
	case bytes.Equal(coder.method, []byte{3, 1, 1}) && len(coder.properties) == 5:
		z, err := l.newLZMA(packed, coder.properties, size)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		r = z
	default:
		return nil, ErrUnreadable
	}
	header := make([]byte, size)
	if err := l.Budget.Octets(len(header)); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return header, nil
}

// files7z lists the names of a header.
func (l *listing) files7z(h *header7z) error {
	const (
		properties, additional, streams, files = 2, 3, 4, 5
		emptyStream, emptyFile, names          = 0x0e, 0x0f, 0x11
	)
	for last := byte(0); ; {
		id := h.byte()
		if id != 0 && id <= last { // each section once, in their order
			return ErrUnreadable
		}
		last = id
		switch id {
		case properties:
			for h.byte() != 0 && !h.short {
				h.next(h.number())
			}
			continue
		case additional, streams:
			if s := h.streams(); s.encrypted {
				l.Sign(Encrypted)
			}
			if h.short {
				return ErrUnreadable
			}
			continue
		case files:
		case 0:
			if h.short {
				return ErrUnreadable
			}
			return nil // no files
		default:
			return ErrUnreadable
		}
		break
	}
	h.number() // of files
	var list, noStream, noFolder []byte
	for id := h.byte(); id != 0; id = h.byte() {
		value := h.next(h.number())
		switch id {
		case emptyStream:
			noStream = value
		case emptyFile:
			noFolder = value
		case names:
			list = value
		}
	}
	if h.short || len(list) > 0 && list[0] != 0 { // the names are somewhere else
		return ErrUnreadable
	}
	if len(list) > 0 {
		list = list[1:]
	}
	// A folder is what has no content and is no empty file either.
	empty := 0
	for i := 0; len(list) > 1; i++ {
		var name string
		name, list = cut7zName(list)
		if err := l.Budget.Charge(1 + len(name)); err != nil {
			return err
		}
		folder := false
		if bit7z(noStream, i) {
			folder = !bit7z(noFolder, empty)
			empty++
		}
		if folder {
			continue
		}
		if err := l.file(nil, name); err != nil { // all are unpacked together
			return err
		}
	}
	return nil
}

// cut7zName takes a name off: UTF-16 up to a NUL.
func cut7zName(b []byte) (name string, rest []byte) {
	var units []uint16
	for len(b) > 1 {
		u := binary.LittleEndian.Uint16(b)
		b = b[2:]
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return utf16Name(units), b
}

func utf16Name(units []uint16) string { return string(utf16.Decode(units)) }

func bit7z(b []byte, i int) bool {
	return i/8 < len(b) && b[i/8]&(0x80>>(i%8)) != 0
}

// number is 7zFormat.txt's NUMBER: the high bits of the first octet say how
// many follow.
func (h *header7z) number() uint64 {
	first := h.byte()
	n := bits.LeadingZeros8(^first)
	var v uint64
	for i := range n {
		v |= uint64(h.byte()) << (8 * i)
	}
	if n < 8 {
		v |= uint64(first&(0x7f>>n)) << (8 * n)
	}
	return v
}
