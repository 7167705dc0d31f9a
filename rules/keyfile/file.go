package keyfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"sync"
)

// File is an open file of keys. It is safe for use by many goroutines. What it needs
// stands in the system's memory for files, not in ours; a file that is cut while it is
// open is an error of the look-ups.
type File struct {
	// About is what the owner said when it was built.
	About []byte

	f      *os.File
	header header
	rooms  sync.Pool // of *[]byte
}

// Open takes an open file, which is the File's from then on; with an error it is still
// the caller's. The header and the directory are checked, each bucket when it is
// looked into.
func Open(f *os.File) (*File, error) {
	var b [headerSize]byte
	if _, err := f.ReadAt(b[:], 0); err != nil {
		return nil, short(err, "its header")
	}
	k := &File{f: f}
	if err := k.header.decode(b[:]); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() != int64(k.header.size) {
		return nil, damaged(fmt.Sprintf("it has %d octets and was built with %d", info.Size(), k.header.size))
	}
	k.About = make([]byte, k.header.about)
	if _, err := f.ReadAt(k.About, int64(k.header.size)-int64(k.header.about)); err != nil {
		return nil, short(err, "what is said of it")
	}
	if checksum(k.About) != k.header.aboutCRC {
		return nil, damaged("what is said of it")
	}
	return k, k.checkDirectory()
}

// short is the error of a read that came to an end too early.
func short(err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged(what + " is cut off")
	}
	return err
}

func (k *File) checkDirectory() error {
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	n := int64(k.header.buckets()+1) * 8
	room := make([]byte, 1<<16)
	if _, err := io.CopyBuffer(onlyWriter{sum}, io.NewSectionReader(k.f, int64(k.header.directory), n), room); err != nil {
		return short(err, "its directory")
	}
	if sum.Sum32() != k.header.dirCRC {
		return damaged("its directory")
	}
	return nil
}

// onlyWriter has no other method, so that the room given is used.
type onlyWriter struct{ io.Writer }

// Close closes the file. A File that nobody has any more is closed, too.
func (k *File) Close() error { return k.f.Close() }

// Len is the number of keys.
func (k *File) Len() int { return int(k.header.keys) }

// Has tells whether a key is there. The error wraps ErrDamaged or is the system's.
func (k *File) Has(key []byte) (bool, error) {
	if len(key) > MaxKey {
		return false, nil
	}
	room, _ := k.rooms.Get().(*[]byte)
	if room == nil {
		room = new([]byte)
	}
	defer k.rooms.Put(room)
	bucket, err := k.bucket(k.header.bucketOf(k.header.hash(key)), room)
	if err != nil {
		return false, err
	}
	for len(bucket) > 0 {
		var one []byte
		if one, bucket, err = next(bucket); err != nil {
			return false, err
		}
		if string(one) == string(key) {
			return true, nil
		}
	}
	return false, nil
}

// bucket reads the keys of one into room.
func (k *File) bucket(number uint64, room *[]byte) ([]byte, error) {
	b := grown(room, 16)
	if _, err := k.f.ReadAt(b, int64(k.header.directory+number*8)); err != nil {
		return nil, short(err, "its directory")
	}
	from, to := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	if from < headerSize || to < from+crc32.Size || to-from > maxBucket || to > k.header.directory {
		return nil, damaged("its directory")
	}
	b = grown(room, int(to-from))
	if _, err := k.f.ReadAt(b, int64(from)); err != nil {
		return nil, short(err, "a bucket")
	}
	if binary.LittleEndian.Uint32(b) != checksum(b[crc32.Size:]) {
		return nil, damaged(fmt.Sprintf("the keys from octet %d on", from))
	}
	return b[crc32.Size:], nil
}

func grown(room *[]byte, n int) []byte {
	if cap(*room) < n {
		*room = make([]byte, n, 2*n)
	}
	return (*room)[:n]
}

// next takes a key from the beginning of a bucket.
func next(bucket []byte) (key, rest []byte, err error) {
	n, size := binary.Uvarint(bucket)
	if size <= 0 || n > MaxKey || int(n) > len(bucket)-size {
		return nil, nil, damaged("the length of a key")
	}
	return bucket[size : size+int(n)], bucket[size+int(n):], nil
}

// Keys are all of them, in no order; each is good until the next. After an error there
// are none.
func (k *File) Keys() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var room []byte
		for number := range k.header.buckets() {
			bucket, err := k.bucket(number, &room)
			for err == nil && len(bucket) > 0 {
				var key []byte
				if key, bucket, err = next(bucket); err == nil && !yield(key, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// Verify reads the whole file.
func (k *File) Verify() error {
	n := uint64(0)
	number := uint64(0)
	for key, err := range k.Keys() {
		if err != nil {
			return err
		}
		at := k.header.bucketOf(k.header.hash(key))
		if at < number {
			return damaged("the order of its keys")
		}
		number = at
		n++
	}
	if n != k.header.keys {
		return damaged(fmt.Sprintf("it has %d keys and was built with %d", n, k.header.keys))
	}
	return nil
}
