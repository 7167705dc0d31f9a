// Package keyfile has sets of keys in files: hundreds of millions of them, found
// without a scan and without memory. A key is any octets, and is found whole, never by
// a hash of it alone. A file is built beside its place and renamed into it, never
// changed; what is damaged in it is an error and never an absence.
package keyfile

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// A file is, in little-endian order,
//
//	its header, of headerSize octets
//	its buckets, one behind the other: a CRC, then each key behind its length
//	its directory: where each bucket begins and where the last ends, 8 octets each
//	what its owner says of it
//
// A key is in the bucket that the first bits of its hash tell. The hash is keyed by a
// seed that is drawn for each file, so that who can have keys put into a list cannot
// crowd them into one bucket.
const (
	magic      = "tollgate keys 1\n"
	seedSize   = 16
	headerSize = 80

	// MaxKey bounds one key, in octets.
	MaxKey = 1 << 10
	// MaxAbout bounds what the owner says.
	MaxAbout = 1 << 16

	// keysOfBucket is about how many keys a bucket has, twice as many at most, so that
	// what is read for a look-up is about a page.
	keysOfBucket = 32
	// maxBucket bounds one bucket, in octets: of random hashes none comes near it.
	maxBucket = 1 << 20
	maxBits   = 40
)

// ErrDamaged is wrapped by errors of files that are not as they were built.
var ErrDamaged = errors.New("the file is damaged; build it again")

var errNewer = errors.New("the file is of a newer version of tollgate")

// Is tells whether a file that begins so is one of keys, of whatever version.
func Is(beginning []byte) bool {
	family := magic[:len(magic)-2]
	return strings.HasPrefix(string(beginning), family)
}

// MagicSize is how much of a file Is wants to see, in octets.
const MagicSize = len(magic)

// header is what a file says of itself.
type header struct {
	seed      [seedSize]byte
	keys      uint64
	bits      uint64 // of a hash, that tell the bucket
	directory uint64 // where it begins
	size      uint64 // of the file
	dirCRC    uint32
	about     uint32 // octets of it
	aboutCRC  uint32
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func (h *header) encode() []byte {
	le := binary.LittleEndian
	b := append(make([]byte, 0, headerSize), magic...)
	b = append(b, h.seed[:]...)
	b = le.AppendUint64(b, h.keys)
	b = le.AppendUint64(b, h.bits)
	b = le.AppendUint64(b, h.directory)
	b = le.AppendUint64(b, h.size)
	b = le.AppendUint32(b, h.dirCRC)
	b = le.AppendUint32(b, h.about)
	b = le.AppendUint32(b, h.aboutCRC)
	return le.AppendUint32(b, checksum(b))
}

func (h *header) decode(b []byte) error {
	le := binary.LittleEndian
	switch {
	case string(b[:len(magic)]) != magic && Is(b):
		return errNewer
	case string(b[:len(magic)]) != magic:
		return errors.New("the file is none that was built")
	case le.Uint32(b[headerSize-4:]) != checksum(b[:headerSize-4]):
		return damaged("its header")
	}
	copy(h.seed[:], b[len(magic):])
	b = b[len(magic)+seedSize:]
	h.keys, h.bits, h.directory, h.size = le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[16:]), le.Uint64(b[24:])
	h.dirCRC, h.about, h.aboutCRC = le.Uint32(b[32:]), le.Uint32(b[36:]), le.Uint32(b[40:])
	if h.bits > maxBits || h.about > MaxAbout || h.directory < headerSize || h.directory > h.size ||
		h.size-h.directory != (h.buckets()+1)*8+uint64(h.about) {
		return damaged("its header")
	}
	return nil
}

func (h *header) buckets() uint64 { return 1 << h.bits }

// hash is that of a key in the file. A hash that nobody can find collisions of would
// not have to be this one; it is in the processor.
func (h *header) hash(key []byte) uint64 {
	var room [seedSize + 128]byte
	sum := sha256.Sum256(append(append(room[:0], h.seed[:]...), key...))
	return binary.LittleEndian.Uint64(sum[:])
}

// bucketOf is the bucket of a hash.
func (h *header) bucketOf(hash uint64) uint64 {
	if h.bits == 0 {
		return 0
	}
	return hash >> (64 - h.bits)
}

func damaged(what string) error { return fmt.Errorf("%w: %s", ErrDamaged, what) }
