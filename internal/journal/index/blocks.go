package index

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// A file is blocks, each with a checksum at its end, so that a look into the middle
// of a large index believes nothing that was not checked.
const (
	blockSize = 4096
	blockData = blockSize - 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is of a block's data, in its place: a block of another file or of elsewhere
// does not have it.
func sum(number int64, data []byte) uint32 {
	var place [8]byte
	binary.LittleEndian.PutUint64(place[:], uint64(number))
	return crc32.Update(crc32.Checksum(place[:], castagnoli), castagnoli, data)
}

// blockWriter makes blocks of a stream.
type blockWriter struct {
	w      io.Writer
	number int64
	block  [blockSize]byte
	n      int // octets of data in the block
	err    error
}

func (b *blockWriter) write(p []byte) {
	for len(p) > 0 && b.err == nil {
		n := copy(b.block[b.n:blockData], p)
		b.n, p = b.n+n, p[n:]
		if b.n == blockData {
			b.end()
		}
	}
}

// end ends a block, filled up with zeros.
func (b *blockWriter) end() {
	clear(b.block[b.n:blockData])
	binary.LittleEndian.PutUint32(b.block[blockData:], sum(b.number, b.block[:blockData]))
	if b.err == nil {
		_, b.err = b.w.Write(b.block[:])
	}
	b.number, b.n = b.number+1, 0
}

// at is how much data was written.
func (b *blockWriter) at() int64 { return b.number*blockData + int64(b.n) }

// blockReader reads data out of blocks.
type blockReader struct {
	r      io.ReaderAt
	blocks int64
	held   int64 // the number of the block in buf; -1: none
	buf    [blockSize]byte
}

// read fills p from an offset of the data on.
func (b *blockReader) read(p []byte, at int64) error {
	for len(p) > 0 {
		number := at / blockData
		if at < 0 || number >= b.blocks {
			return fmt.Errorf("%w: it ends before its data", ErrDamaged)
		}
		if err := b.hold(number); err != nil {
			return err
		}
		n := copy(p, b.buf[at%blockData:blockData])
		p, at = p[n:], at+int64(n)
	}
	return nil
}

func (b *blockReader) hold(number int64) error {
	if b.held == number {
		return nil
	}
	b.held = -1
	if _, err := b.r.ReadAt(b.buf[:], number*blockSize); err != nil {
		return fmt.Errorf("journal index: %w", err)
	}
	if sum(number, b.buf[:blockData]) != binary.LittleEndian.Uint32(b.buf[blockData:]) {
		return fmt.Errorf("%w: block %d has another checksum", ErrDamaged, number)
	}
	b.held = number
	return nil
}
