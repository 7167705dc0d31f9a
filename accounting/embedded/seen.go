package embedded

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
)

// memory is which records were seen, with what a group adds.
type memory struct {
	bucket *bolt.Bucket
	last   []byte // the greatest key in the bucket
	added  map[mark]int64
	voids  int    // of those added
	order  []mark // in which they came, which is nearly that of the bucket
}

// mark is a key of the bucket seen: by time first, so that records of one hour
// share pages and old ones lie together.
type mark [20]byte

func newMemory(tx *bolt.Tx) *memory {
	m := &memory{bucket: tx.Bucket([]byte(seen)), added: map[mark]int64{}}
	m.bucket.FillPercent = 0.9 // keys of the day only grow
	last, _ := m.bucket.Cursor().Last()
	m.last = bytes.Clone(last)
	return m
}

// seenKey is where a record is remembered.
func seenKey(origin time.Time, name string) (k mark) {
	sum := sha256.Sum256([]byte(name))
	putTime(&k, origin)
	copy(k[8:], sum[:])
	return k
}

func putTime(k *mark, origin time.Time) { binary.BigEndian.PutUint64(k[:], uint64(origin.UnixMilli())) }

// get is where a record stands, as the bucket has it; nil where it was not seen.
// Most are later than all that are in the bucket.
func (m *memory) get(k mark) []byte {
	if at, ok := m.added[k]; ok {
		return place(at)
	}
	if bytes.Compare(k[:], m.last) > 0 {
		return nil
	}
	return m.bucket.Get(k[:])
}

// voided is where the void of a record stands that has the mark other, nil where there
// is none. It is later than all that is in the bucket for nearly all: no name is hashed then.
func (m *memory) voided(origin time.Time, other string) []byte {
	if m.voids == 0 {
		var k mark
		putTime(&k, origin)
		const size = 8 // of the time
		if bytes.Compare(k[:size], m.last[:min(size, len(m.last))]) > 0 {
			return nil
		}
	}
	return m.get(seenKey(origin, other))
}

// add notes where a record of a kind stands.
func (m *memory) add(k mark, kind string, at int64) {
	if kind == accounting.Void {
		m.voids++
	}
	m.added[k] = at
	m.order = append(m.order, k)
}

// write puts what was added, in the order of the bucket.
func (m *memory) write() error {
	slices.SortFunc(m.order, func(a, b mark) int { return bytes.Compare(a[:], b[:]) })
	for _, k := range m.order {
		if err := m.bucket.Put(k[:], place(m.added[k])); err != nil {
			return err
		}
	}
	return nil
}

// place is a record's position, as the bucket seen has it. Those of layout 1 begin
// with a year, or are of few octets.
func place(position int64) []byte { return append([]byte{'@'}, octets(position)...) }

// position reads a place; false where it is of layout 1.
func position(place []byte) (int64, bool) {
	if len(place) != 9 || place[0] != '@' {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(place[1:])), true
}
