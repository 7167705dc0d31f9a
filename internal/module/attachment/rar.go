package attachment

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// rar lists the headers of a RAR archive, as they stand before each file.
// rardecode would get a window for each file, as large as its header says, and
// ends at a file that it cannot unpack.
func (l *listing) rar(r io.Reader) error {
	br := bufio.NewReader(r)
	sig, err := br.Peek(8)
	if err != nil {
		return l.damaged(err)
	}
	if sig[6] == 0 {
		_, _ = br.Discard(7) // they are buffered
		return l.damaged(l.rar4(br))
	}
	_, _ = br.Discard(8)
	return l.damaged(l.rar5(br))
}

// maxRarHeader is how long a header may be. A name has at most 2048
// characters.
const maxRarHeader = 64 << 10

// rar5 lists an archive of RAR 5.
func (l *listing) rar5(r *bufio.Reader) error {
	const (
		typeFile       = 2
		typeEncryption = 4
		typeEnd        = 5
		withExtra      = 0x01
		withData       = 0x02
	)
	for {
		if _, err := r.Discard(4); err != nil { // a checksum
			return err
		}
		size, err := binary.ReadUvarint(r)
		if err != nil || size > maxRarHeader {
			return errUnreadable
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(r, b); err != nil {
			return err
		}
		h := rarFields{b: b}
		kind, flags := h.vint(), h.vint()
		var extra, data uint64
		if flags&withExtra != 0 {
			extra = h.vint()
		}
		if flags&withData != 0 {
			data = h.vint()
		}
		switch {
		case h.short:
			return errUnreadable
		case kind == typeEncryption:
			return errEncrypted
		case kind == typeEnd:
			return nil
		case kind == typeFile:
			if err := l.rar5File(&h, extra); err != nil {
				return err
			}
		}
		if err := discard(r, data); err != nil {
			return err
		}
	}
}

func (l *listing) rar5File(h *rarFields, extra uint64) error {
	const (
		folder   = 0x01
		withTime = 0x02
		withSum  = 0x04

		recordEncryption = 0x01
	)
	flags := h.vint()
	h.vint() // length
	h.vint() // attributes
	if flags&withTime != 0 {
		h.next(4)
	}
	if flags&withSum != 0 {
		h.next(4)
	}
	h.vint() // compression
	h.vint() // system
	name := h.next(h.vint())
	if h.short {
		return errUnreadable
	}
	if flags&folder == 0 {
		if err := l.add(string(name)); err != nil {
			return err
		}
	}
	if extra > uint64(len(h.b)) {
		return errUnreadable
	}
	records := rarFields{b: h.b[uint64(len(h.b))-extra:]}
	for len(records.b) > 0 {
		record := rarFields{b: records.next(records.vint())}
		if record.vint() == recordEncryption && !record.short {
			l.found(SymbolArchiveEncrypted)
		}
		if records.short {
			return errUnreadable
		}
	}
	return nil
}

// rarFields are those of a header of RAR 5.
type rarFields struct {
	b     []byte
	short bool
}

func (h *rarFields) vint() uint64 {
	v, n := binary.Uvarint(h.b)
	if n <= 0 {
		h.short, h.b = true, nil
		return 0
	}
	h.b = h.b[n:]
	return v
}

func (h *rarFields) next(n uint64) []byte {
	if n > uint64(len(h.b)) {
		h.short, h.b = true, nil
		return nil
	}
	b := h.b[:n]
	h.b = h.b[n:]
	return b
}

// discard passes over the content of a file. That of the last one may lack:
// the list is complete all the same when the archive goes on in another file.
func discard(r io.Reader, n uint64) error {
	const most = 1 << 62
	if n > most {
		return errUnreadable
	}
	_, err := io.CopyN(io.Discard, r, int64(n))
	return err
}

// rar4 lists an archive of RAR before 5.
func (l *listing) rar4(r *bufio.Reader) error {
	const (
		typeMain = 0x73
		typeFile = 0x74
		typeSub  = 0x7a
		typeEnd  = 0x7b

		flagMasked    = 0x0080 // of typeMain: all headers are encrypted
		flagEncrypted = 0x0004 // of typeFile
		flagFolder    = 0x00e0
		flagLarge     = 0x0100
		flagUnicode   = 0x0200
		flagData      = 0x8000
	)
	for {
		var start [7]byte // checksum, type, flags, size
		if _, err := io.ReadFull(r, start[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil // the end needs no header
			}
			return err
		}
		kind, flags := start[2], binary.LittleEndian.Uint16(start[3:])
		size := int(binary.LittleEndian.Uint16(start[5:]))
		if size < len(start) {
			return errUnreadable
		}
		h := make([]byte, size-len(start))
		if _, err := io.ReadFull(r, h); err != nil {
			return err
		}
		var data uint64
		if flags&flagData != 0 || kind == typeFile || kind == typeSub {
			if len(h) < 4 {
				return errUnreadable
			}
			data = uint64(binary.LittleEndian.Uint32(h))
		}
		switch kind {
		case typeMain:
			if flags&flagMasked != 0 {
				return errEncrypted
			}
		case typeEnd:
			return nil
		case typeFile, typeSub:
			const fixed = 25
			if len(h) < fixed {
				return errUnreadable
			}
			name := h[fixed:]
			if flags&flagLarge != 0 {
				if len(name) < 8 {
					return errUnreadable
				}
				data |= uint64(binary.LittleEndian.Uint32(name)) << 32
				name = name[8:]
			}
			if kind == typeSub {
				break
			}
			n := int(binary.LittleEndian.Uint16(h[19:]))
			if n > len(name) {
				return errUnreadable
			}
			if flags&flagEncrypted != 0 {
				l.found(SymbolArchiveEncrypted)
			}
			if flags&flagFolder != flagFolder {
				if err := l.add(rar4Name(name[:n], flags&flagUnicode != 0)); err != nil {
					return err
				}
			}
		}
		if err := discard(r, data); err != nil {
			return err
		}
	}
}

// rar4Name reads a name: in the system's charset or UTF-8, or both in the
// system's charset and, after a NUL, in what makes UTF-16 of it.
func rar4Name(b []byte, inUnicode bool) string {
	plain, packed, both := bytes.Cut(b, []byte{0})
	if !inUnicode || !both || len(packed) == 0 {
		return toUTF8(string(plain))
	}
	var units []uint16
	high := uint16(packed[0]) << 8
	packed = packed[1:]
	var flags byte
	for bits := 0; len(packed) > 0 && len(units) < 1<<12; bits -= 2 {
		if bits == 0 {
			flags, packed, bits = packed[0], packed[1:], 8
			if len(packed) == 0 {
				break
			}
		}
		op := flags >> 6
		flags <<= 2
		c := packed[0]
		packed = packed[1:]
		switch op {
		case 0:
			units = append(units, uint16(c))
		case 1:
			units = append(units, high|uint16(c))
		case 2:
			if len(packed) == 0 {
				break
			}
			units = append(units, uint16(packed[0])<<8|uint16(c))
			packed = packed[1:]
		case 3: // a run of the plain name
			n := int(c&0x7f) + 2
			var add byte
			if c&0x80 != 0 {
				if len(packed) == 0 {
					break
				}
				add, packed = packed[0], packed[1:]
			}
			for ; n > 0 && len(units) < len(plain); n-- {
				p := plain[len(units)] + add
				if c&0x80 != 0 {
					units = append(units, high|uint16(p))
				} else {
					units = append(units, uint16(p))
				}
			}
		}
	}
	return utf16Name(units)
}
