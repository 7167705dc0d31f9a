package archivetest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
)

// SignedOf is a message with a signature around it (RFC 8551 §3.5.2), without
// its signers: in pieces of some octets with lengths that are not said, or as a
// whole where piece is 0.
func SignedOf(message []byte, piece int) []byte {
	oid := func(last byte) []byte { return []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, last} }
	element := func(tag byte, parts ...[]byte) []byte {
		content := bytes.Join(parts, nil)
		if piece > 0 && tag&0x20 != 0 {
			return append(append([]byte{tag, 0x80}, content...), 0, 0)
		}
		b := []byte{tag, 0x84}
		b = binary.BigEndian.AppendUint32(b, uint32(len(content)))
		return append(b, content...)
	}
	octets := element(4, message)
	if piece > 0 {
		var pieces [][]byte
		for len(message) > piece {
			pieces = append(pieces, element(4, message[:piece]))
			message = message[piece:]
		}
		octets = element(0x24, append(pieces, element(4, message))...)
	}
	data := element(0x30, element(2, []byte{1}), element(0x31), element(0x30, oid(1), element(0xa0, octets)))
	return element(0x30, oid(2), element(0xa0, data))
}

// CompressedOf is a message that is compressed (RFC 3274).
func CompressedOf(message []byte) []byte {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	_, _ = w.Write(message) // neither fails in memory
	_ = w.Close()
	element := func(tag byte, parts ...[]byte) []byte {
		content := bytes.Join(parts, nil)
		return append(binary.BigEndian.AppendUint32([]byte{tag, 0x84}, uint32(len(content))), content...)
	}
	deflate := element(0x30, []byte{6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x10, 3, 8})
	content := element(0x30, []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1}, element(0xa0, element(4, packed.Bytes())))
	data := element(0x30, element(2, []byte{0}), deflate, content)
	return element(0x30, []byte{6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x10, 1, 9}, element(0xa0, data))
}

// EnvelopedOf is what only its recipient can read.
func EnvelopedOf() []byte {
	return []byte{0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3, 0xa0, 0}
}
