package archive

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// sigTNEF is what a winmail.dat begins with.
const sigTNEF = "\x78\x9f\x3e\x22"

// tnefFile is one that is attached: what it is called may stand behind its
// content.
type tnefFile struct {
	names   []string // the first of them, which have been taken
	content []extent
}

// tnef lists the files that TNEF has attached ([MS-OXTNEF] §2.1.3).
func (l *listing) tnef(f *seekable) error {
	var file tnefFile
	err := l.attributes(f, &file)
	return errors.Join(l.attached(f, &file), err)
}

// attached ends a file.
func (l *listing) attached(f *seekable, file *tnefFile) error {
	if len(file.content) == 0 && len(file.names) > 0 {
		return l.content(nil, file.names...)
	}
	for _, c := range file.content {
		if err := l.content(l.metered(io.NewSectionReader(f, c.at, c.size)), file.names...); err != nil {
			return err
		}
	}
	return nil
}

// attributes reads all, and leaves the last file to be ended.
func (l *listing) attributes(f *seekable, file *tnefFile) error {
	const (
		head, attribute, checksum = 6, 9, 2
		ofMessage, ofAttachment   = 1, 2
		begins, data              = 0x00069002, 0x0006800f
		title, properties         = 0x00018010, 0x00069005
		maxTitle                  = 64 << 10
	)
	for at := int64(head); at < f.size; {
		var h [attribute]byte // level, id, length
		if _, err := f.ReadAt(h[:], at); err != nil {
			return ErrUnreadable
		}
		if err := l.Budget.Charge(1); err != nil {
			return err
		}
		level, id := h[0], binary.LittleEndian.Uint32(h[1:])
		value := extent{at + attribute, int64(binary.LittleEndian.Uint32(h[5:]))}
		at = value.at + value.size + checksum
		if level != ofMessage && level != ofAttachment || value.at+value.size > f.size {
			return ErrUnreadable
		}
		if level != ofAttachment {
			continue
		}
		var err error
		switch id {
		case begins:
			err = l.attached(f, file)
			*file = tnefFile{}
		case title:
			name := make([]byte, min(value.size, maxTitle))
			if _, err = f.ReadAt(name, value.at); err == nil || errors.Is(err, io.EOF) {
				err = l.nameTNEF(file, toUTF8(string(name)))
			}
		case data:
			file.has(value)
		case properties:
			err = l.mapi(f, value, file)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// has notes where content stands: of one that is more than once, the first few.
func (t *tnefFile) has(c extent) {
	const most = 8
	if len(t.content) < most {
		t.content = append(t.content, c)
	}
}

// nameTNEF takes a name of a file.
func (l *listing) nameTNEF(file *tnefFile, name string) error {
	const kept = 16
	name = strings.TrimRight(name, "\x00")
	if len(file.names) < kept {
		file.names = append(file.names, name)
	}
	return l.add(name)
}

// mapi lists the names among the properties of a file ([MS-OXTNEF] §2.1.3.4),
// and finds its content: that of an embedded message is TNEF in its turn.
func (l *listing) mapi(f *seekable, in extent, file *tnefFile) error {
	const (
		named          = 0x8000
		multiple       = 0x1000
		longName, name = 0x3707, 0x3704
		display        = 0x3001
		content        = 0x3701
		text, wide     = 0x1e, 0x1f
		object, blob   = 0x0d, 0x102
		interfaceID    = 16 // before an object
		maxName        = 64 << 10
	)
	h := &fields{f: f, at: in.at, end: in.at + in.size}
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
			var value extent
			switch kind &^ multiple {
			case 0x02, 0x03, 0x04, 0x0a, 0x0b:
				h.next(4)
			case 0x05, 0x06, 0x07, 0x14, 0x40:
				h.next(8)
			case 0x48:
				h.next(16)
			case text, wide, object, blob:
				n := uint32(1)
				if kind&multiple == 0 {
					n = h.u32()
				}
				for range n {
					if h.short {
						return ErrUnreadable
					}
					if err := l.Budget.Charge(1); err != nil {
						return err
					}
					value = h.padded(h.u32())
				}
			case 0x00, 0x01:
			default:
				return ErrUnreadable
			}
			switch id {
			case content:
				if kind&^multiple == object {
					value = extent{value.at + interfaceID, max(value.size-interfaceID, 0)}
				}
				if value.size > 0 {
					file.has(value)
				}
			case longName, name, display:
				b := h.octets(extent{value.at, min(value.size, maxName)})
				s := toUTF8(string(b))
				if kind&^multiple == wide {
					s = utf16LE(b)
				}
				if err := l.nameTNEF(file, s); err != nil {
					return err
				}
			}
		}
	}
	if h.short {
		return ErrUnreadable
	}
	return nil
}

// utf16LE reads UTF-16, little endian, up to its end.
func utf16LE(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return utf16Name(units)
}

// fields are those of a structure in a file, little endian.
type fields struct {
	f       *seekable
	at, end int64
	short   bool
}

func (h *fields) next(n uint32) extent {
	if int64(n) > h.end-h.at {
		h.short, h.at = true, h.end
		return extent{}
	}
	e := extent{h.at, int64(n)}
	h.at += int64(n)
	return e
}

// padded is n octets; the next field begins at a multiple of four.
func (h *fields) padded(n uint32) extent {
	e := h.next(n)
	h.next(uint32(min(int64(-n&3), h.end-h.at)))
	return e
}

// octets are what stands somewhere, which is not long.
func (h *fields) octets(e extent) []byte {
	b := make([]byte, e.size)
	if n, err := h.f.ReadAt(b, e.at); n < len(b) && err != nil {
		h.short, h.at = true, h.end
		return nil
	}
	return b
}

func (h *fields) number(size uint32) (v uint32) {
	for i, c := range h.octets(h.next(size)) {
		v |= uint32(c) << (8 * i)
	}
	return v
}

func (h *fields) u16() uint16 { return uint16(h.number(2)) }

func (h *fields) u32() uint32 { return h.number(4) }
