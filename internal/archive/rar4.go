package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// rar4 lists an archive of RAR before 5.
func (l *listing) rar4(r *bufio.Reader) error {
	const (
		typeMain = 0x73
		typeFile = 0x74
		typeSub  = 0x7a
		typeEnd  = 0x7b

		flagMasked    = 0x0080 // of typeMain: all headers are encrypted
		flagSplit     = 0x0003 // of typeFile: it is in several volumes
		flagEncrypted = 0x0004
		flagFolder    = 0x00e0
		flagLarge     = 0x0100
		flagUnicode   = 0x0200
		flagData      = 0x8000

		storedRar4 = 0x30
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
			return ErrUnreadable
		}
		if err := l.Budget.Charge(size); err != nil {
			return err
		}
		h := make([]byte, size-len(start))
		if _, err := io.ReadFull(r, h); err != nil {
			return err
		}
		var data uint64
		if flags&flagData != 0 || kind == typeFile || kind == typeSub {
			if len(h) < 4 {
				return ErrUnreadable
			}
			data = uint64(binary.LittleEndian.Uint32(h))
		}
		switch kind {
		case typeMain:
			if flags&flagMasked != 0 {
				return ErrHidden
			}
		case typeEnd:
			return nil
		case typeFile, typeSub:
			const fixed = 25
			if len(h) < fixed {
				return ErrUnreadable
			}
			name := h[fixed:]
			if flags&flagLarge != 0 {
				if len(name) < 8 {
					return ErrUnreadable
				}
				data |= uint64(binary.LittleEndian.Uint32(name)) << 32
				name = name[8:]
			}
			if kind == typeSub {
				break
			}
			n := int(binary.LittleEndian.Uint16(h[19:]))
			if n > len(name) {
				return ErrUnreadable
			}
			if flags&flagEncrypted != 0 {
				l.Sign(Encrypted)
			}
			if flags&flagFolder == flagFolder {
				break
			}
			content := stored{r, data, flags&flagSplit != 0}
			readable := h[18] == storedRar4 && flags&flagEncrypted == 0
			if err := l.rarFile(content, readable, rar4Names(name[:n], flags&flagUnicode != 0)...); err != nil {
				return err
			}
			continue
		}
		if err := discard(r, data); err != nil {
			return err
		}
	}
}

// rar4Names reads a name: in the system's charset or UTF-8, or both in the
// system's charset and, after a NUL, in what makes UTF-16 of it.
func rar4Names(b []byte, inUnicode bool) []string {
	plain, packed, both := bytes.Cut(b, []byte{0})
	if !inUnicode || !both || len(packed) == 0 {
		return []string{toUTF8(string(b))}
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
	return []string{utf16Name(units), toUTF8(string(plain))}
}
