package archive

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
)

// Signed reads the content that a signature is around (smime.p7m; RFC 5652 §5.2,
// of compressed content RFC 3274), and gives it to read. The error is
// ErrEncrypted when only the recipient can read it, ErrUnreadable when it is
// nothing of the kind.
func (l *Lister) Signed(name string, r io.Reader, read func(io.Reader) error) error {
	one := l.listing(name, r)
	file, err := one.seekable(one.source)
	if err != nil {
		return one.result(err)
	}
	defer file.close()
	b := &ber{listing: one, f: file}
	if _, err := b.elements(0, file.size, notContent, 0); err != nil {
		return one.result(err)
	}
	if len(b.content) == 0 {
		return ErrUnreadable
	}
	var parts []io.Reader
	for _, p := range b.content {
		parts = append(parts, io.NewSectionReader(file, p.from, p.to-p.from))
	}
	content := io.MultiReader(parts...)
	if b.compressed {
		z, err := zlib.NewReader(content)
		if err != nil {
			return ErrUnreadable
		}
		content = &unpacking{listing: one, r: z, price: 1}
	}
	return read(content)
}

// ber reads the Basic Encoding Rules (X.690) of a signed message.
type ber struct {
	*listing
	f          *seekable
	content    []place // octets, piece by piece
	compressed bool
	typed      bool // the outermost type was seen
}

// part is where in the structure something stands.
type part uint8

const (
	notContent part = iota
	isContent       // it follows a type: the octets within are the content
)

// oids of RFC 5652, as far as they are of use.
const (
	oidEnveloped     = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"
	oidEncrypted     = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06"
	oidAuthEnveloped = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17"
	oidCompressed    = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09"
)

// elements reads what stands from one offset to another, or to the end of an
// element of unknown length, and returns the offset behind it.
func (b *ber) elements(at, end int64, where part, depth int) (int64, error) {
	const (
		oid, octets, manyOctets, explicit = 0x06, 0x04, 0x24, 0xa0
		constructed                       = 0x20
		maxDepth, maxPieces               = 32, 1 << 16
	)
	if depth > maxDepth {
		return at, ErrUnreadable
	}
	for last := byte(0); at < end; {
		tag, from, to, err := b.element(at, end)
		if err != nil {
			return at, err
		}
		if tag == 0 && from == to {
			return to, nil // end of contents
		}
		inner := notContent
		if where == isContent && tag == manyOctets || tag == explicit && last == oid {
			inner = isContent
		}
		switch {
		case tag == oid && to-from < 32:
			if err := b.kind(from, to); err != nil {
				return at, err
			}
		case tag == octets && where == isContent:
			if len(b.content) >= maxPieces {
				return at, ErrLimit
			}
			b.content = append(b.content, place{from, to})
		case tag&constructed != 0:
			unknown := to < 0
			if unknown {
				to = end
			}
			behind, err := b.elements(from, to, inner, depth+1)
			if err != nil {
				return at, err
			}
			if unknown {
				to = behind
			}
		}
		if to < 0 {
			return at, ErrUnreadable
		}
		at, last = to, tag
	}
	return at, nil
}

// kind looks what a type is; the first says what all is about.
func (b *ber) kind(from, to int64) error {
	id := make([]byte, to-from)
	if _, err := b.f.ReadAt(id, from); err != nil {
		return ErrUnreadable
	}
	if b.typed {
		return nil
	}
	b.typed = true
	for _, encrypted := range []string{oidEnveloped, oidEncrypted, oidAuthEnveloped} {
		if bytes.Equal(id, []byte(encrypted)) {
			return ErrEncrypted
		}
	}
	b.compressed = bytes.Equal(id, []byte(oidCompressed))
	return nil
}

// element reads a tag and a length; to is -1 when the length is not said.
func (b *ber) element(at, end int64) (tag byte, from, to int64, err error) {
	if err := b.Budget.Charge(1); err != nil {
		return 0, 0, 0, err
	}
	var h [10]byte
	n := min(end-at, int64(len(h)))
	if _, err := b.f.ReadAt(h[:n], at); err != nil || n < 2 {
		return 0, 0, 0, ErrUnreadable
	}
	tag = h[0]
	length := int64(h[1])
	from = at + 2
	switch {
	case tag&0x1f == 0x1f: // none of RFC 5652
		return 0, 0, 0, ErrUnreadable
	case h[1] == 0x80:
		return tag, from, -1, nil
	case h[1] > 0x80:
		octets := int64(h[1] & 0x7f)
		if octets > 8 || octets+2 > n {
			return 0, 0, 0, ErrUnreadable
		}
		var v [8]byte
		copy(v[8-octets:], h[2:2+octets])
		length = int64(binary.BigEndian.Uint64(v[:]) & (1<<62 - 1))
		from += octets
	}
	if length > end-from {
		return 0, 0, 0, ErrUnreadable
	}
	return tag, from, from + length, nil
}
