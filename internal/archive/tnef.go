package archive

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// sigTNEF is what a winmail.dat begins with.
const sigTNEF = "\x78\x9f\x3e\x22"

// tnef lists the files that TNEF has attached ([MS-OXTNEF] §2.1.3).
func (l *listing) tnef(r io.Reader) error {
	const (
		ofAttachment = 2
		title        = 0x00018010
		properties   = 0x00069005
		maxValue     = 1 << 20 // of what names a file
	)
	br := bufio.NewReader(r)
	if _, err := br.Discard(6); err != nil { // signature, key
		return err
	}
	for {
		var h [9]byte // level, id, length
		if _, err := io.ReadFull(br, h[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := l.Budget.Charge(1); err != nil {
			return err
		}
		id, size := binary.LittleEndian.Uint32(h[1:]), binary.LittleEndian.Uint32(h[5:])
		if h[0] != ofAttachment && h[0] != 1 {
			return ErrUnreadable
		}
		if h[0] == ofAttachment && (id == title || id == properties) && size <= maxValue {
			value := make([]byte, 0, min(size, 4<<10))
			value, err := readAppend(br, value, int64(size))
			if err != nil {
				return err
			}
			if id == title {
				err = l.addTNEF(toUTF8(string(value)))
			} else {
				err = l.mapi(value)
			}
			if err != nil {
				return err
			}
		} else if _, err := io.CopyN(io.Discard, br, int64(size)); err != nil {
			return err
		}
		if _, err := br.Discard(2); err != nil { // a checksum
			return err
		}
	}
}

// readAppend reads n octets, and takes memory only for those that are there.
func readAppend(r io.Reader, b []byte, n int64) ([]byte, error) {
	more, err := io.ReadAll(io.LimitReader(r, n))
	if err == nil && int64(len(more)) < n {
		err = io.ErrUnexpectedEOF
	}
	return append(b, more...), err
}

func (l *listing) addTNEF(name string) error {
	return l.add(strings.TrimRight(name, "\x00"))
}

// mapi lists the names among the properties of a file ([MS-OXTNEF] §2.1.3.4).
func (l *listing) mapi(b []byte) error {
	const (
		named          = 0x8000
		multiple       = 0x1000
		longName, name = 0x3707, 0x3704
		display        = 0x3001
		text, wide     = 0x1e, 0x1f
	)
	h := &fields{b: b}
	for range h.u32() {
		if err := l.Budget.Charge(1); err != nil {
			return err
		}
		kind, id := h.u16(), h.u16()
		if id >= named {
			h.next(16)
			if h.u32() == 0 {
				h.next(4)
			} else {
				h.padded(h.u32())
			}
		}
		values := uint32(1)
		if kind&multiple != 0 {
			values = h.u32()
		}
		for range values {
			if h.short {
				return ErrUnreadable
			}
			if err := l.Budget.Charge(1); err != nil {
				return err
			}
			var value []byte
			switch kind &^ multiple {
			case 0x02, 0x03, 0x04, 0x0a, 0x0b:
				h.next(4)
			case 0x05, 0x06, 0x07, 0x14, 0x40:
				h.next(8)
			case 0x48:
				h.next(16)
			case text, wide, 0x0d, 0x102:
				n := uint32(1)
				if kind&multiple == 0 {
					n = h.u32()
				}
				for range n {
					if h.short {
						return ErrUnreadable
					}
					value = h.padded(h.u32())
				}
			case 0x00, 0x01:
			default:
				return ErrUnreadable
			}
			if id != longName && id != name && id != display {
				continue
			}
			s := toUTF8(string(value))
			if kind&^multiple == wide {
				units := make([]uint16, len(value)/2)
				for i := range units {
					units[i] = binary.LittleEndian.Uint16(value[2*i:])
				}
				s = utf16Name(units)
			}
			if err := l.addTNEF(s); err != nil {
				return err
			}
		}
	}
	if h.short {
		return ErrUnreadable
	}
	return nil
}

// fields are those of a structure, little endian.
type fields struct {
	b     []byte
	short bool
}

func (h *fields) next(n uint32) []byte {
	if uint64(n) > uint64(len(h.b)) {
		h.short, h.b = true, nil
		return nil
	}
	b := h.b[:n]
	h.b = h.b[n:]
	return b
}

// padded is n octets; the next field begins at a multiple of four.
func (h *fields) padded(n uint32) []byte {
	b := h.next(n)
	h.next(min(-n&3, uint32(len(h.b))))
	return b
}

func (h *fields) u16() uint16 {
	if b := h.next(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (h *fields) u32() uint32 {
	if b := h.next(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}
