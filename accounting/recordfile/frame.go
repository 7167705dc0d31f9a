package recordfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A segment is a file of at most Options.Size octets and what one more record
// takes. It is named by the position of its first octet, in hexadecimal, and
// begins with a header:
//
//	 0  4 bytes   magic
//	 4  uint32    CRC-32C of what follows
//	 8  16 bytes  ID of the database that the records are of
//	24  int64     position of the segment's first octet
//
// Behind it there are frames, each one record:
//
//	 0  4 bytes  magic
//	 4  uint32   CRC-32C of all that follows
//	 8  uint32   length of the payload, bytes
//	12  int64    position of the frame
//	20  int64    position of the frame before it in its chain; 0: it is the first
//	28  payload
//
// Numbers are little-endian. The position is covered by the sum: what a block of
// the disk held before is never taken for a record.
const (
	segmentHeader = 32
	frameHeader   = 28
)

// The magics begin with an octet that no UTF-8 text has, so that nothing in a
// record can pass for the begin of a frame.
const (
	segmentMagic = "\xfftR1"
	frameMagic   = "\xfftr1"
)

// maxPayload bounds what a reader takes into memory on the word of a length,
// bytes.
const maxPayload = 16 << 20

// Size is what a record of so many octets takes in a segment, bytes.
func Size(payload int) int64 { return frameHeader + int64(payload) }

var (
	// ErrDamaged: at a position there is no record, or a broken one.
	ErrDamaged = errors.New("damaged")

	// ErrTooLarge: a record does not fit into a frame.
	ErrTooLarge = errors.New("the record is too large")
)

// table returns the polynomial; package crc32 makes it once.
func table() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func appendSegmentHeader(b []byte, id [16]byte, start int64) []byte {
	begin := len(b)
	b = append(b, segmentMagic...)
	b = append(b, 0, 0, 0, 0)
	b = append(b, id[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(start))
	binary.LittleEndian.PutUint32(b[begin+4:], crc32.Checksum(b[begin+8:], table()))
	return b
}

// whose tells of which database a segment is, by its header; false where that
// cannot be told.
func whose(b []byte) (id [16]byte, start int64, ok bool) {
	if len(b) < segmentHeader || string(b[:4]) != segmentMagic || crc32.Checksum(b[8:segmentHeader], table()) != binary.LittleEndian.Uint32(b[4:]) {
		return id, 0, false
	}
	copy(id[:], b[8:])
	return id, int64(binary.LittleEndian.Uint64(b[24:])), true
}

// appendFrame appends a record; encode appends its payload.
func appendFrame(b []byte, position, prev int64, encode func([]byte) []byte) ([]byte, error) {
	begin := len(b)
	b = append(b, frameMagic...)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(position))
	b = binary.LittleEndian.AppendUint64(b, uint64(prev))
	b = encode(b)
	h := b[begin:]
	size := len(h) - frameHeader
	if size > maxPayload {
		return b[:begin], fmt.Errorf("%w: %d bytes", ErrTooLarge, size)
	}
	binary.LittleEndian.PutUint32(h[8:], uint32(size))
	binary.LittleEndian.PutUint32(h[4:], crc32.Checksum(h[8:], table()))
	return b, nil
}

// frameSize is that of the frame that b begins with, before anything else of it
// is believed; false where it cannot be one for the position.
func frameSize(b []byte, position int64) (int64, bool) {
	if len(b) < frameHeader || string(b[:4]) != frameMagic || int64(binary.LittleEndian.Uint64(b[12:])) != position {
		return 0, false
	}
	n := binary.LittleEndian.Uint32(b[8:])
	return Size(int(n)), n <= maxPayload
}

// holds tells whether b, a whole frame, is as it was written.
func holds(b []byte) bool {
	return crc32.Checksum(b[8:], table()) == binary.LittleEndian.Uint32(b[4:])
}

// Record is one as it is read.
type Record struct {
	Position int64
	Prev     int64  // of its chain; 0: it is the first
	Payload  []byte // until the reader reads again
}

func recordOf(b []byte, position int64) Record {
	return Record{position, int64(binary.LittleEndian.Uint64(b[20:])), b[frameHeader:]}
}
