package keyfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// writer writes keys that come in the order of their hashes.
type writer struct {
	header *header
	out    *bufio.Writer
	at     uint64   // where the next bucket begins
	starts []uint64 // of buckets that are written
	bucket []byte   // the one after them
}

// add writes keys behind those before.
func (w *writer) add(k *keys) error {
	for _, r := range k.refs {
		number := w.header.bucketOf(r.hash)
		for uint64(len(w.starts)) < number {
			if err := w.close(); err != nil {
				return err
			}
		}
		w.bucket = append(w.bucket, k.of(r)...)
		w.header.keys++
	}
	return nil
}

// close writes the bucket.
func (w *writer) close() error {
	if len(w.bucket) > maxBucket-crc32.Size {
		return errors.New("a bucket is too large")
	}
	w.starts = append(w.starts, w.at)
	if err := binary.Write(w.out, binary.LittleEndian, checksum(w.bucket)); err != nil {
		return err
	}
	_, err := w.out.Write(w.bucket)
	w.at += crc32.Size + uint64(len(w.bucket))
	w.bucket = w.bucket[:0]
	return err
}

// end writes what follows the buckets, and completes the header.
func (w *writer) end(about []byte) error {
	for uint64(len(w.starts)) < w.header.buckets() {
		if err := w.close(); err != nil {
			return err
		}
	}
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	var b [8]byte
	for _, at := range append(w.starts, w.at) {
		binary.LittleEndian.PutUint64(b[:], at)
		_, _ = sum.Write(b[:]) // a hash has no error
		if _, err := w.out.Write(b[:]); err != nil {
			return err
		}
	}
	if _, err := w.out.Write(about); err != nil {
		return err
	}
	h := w.header
	h.directory, h.dirCRC = w.at, sum.Sum32()
	h.about, h.aboutCRC = uint32(len(about)), checksum(about)
	h.size = w.at + (h.buckets()+1)*8 + uint64(len(about))
	return w.out.Flush()
}
