package expr

import (
	"encoding/binary"
	"math/bits"
)

// gramSize is the length of the pieces by which literals are found. Literals
// that are shorter have a table of their own length.
const gramSize = 4

// gramTable finds the literals that may stand around a place in a text by the
// few bytes there: a bitmap small enough for the processor's first cache says
// no to almost every place, a hash table has the rest.
type gramTable struct {
	mask    uint32 // which bytes of a place count
	size    int    // how many they are
	fine    uint8  // shift of a hash for the bitmap
	coarse  uint8  // for the buckets
	bitmap  []uint64
	starts  []uint32 // of the buckets in entries, and the end
	entries []gramEntry
}

// gramEntry says that a literal has the gram at that offset.
type gramEntry struct {
	gram    uint32
	literal int32
	offset  int32
}

// gramAt reads the gram at the start of b, which has at least gramSize bytes.
func gramAt(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// gramOf reads a gram of up to gramSize bytes.
func gramOf(s string) uint32 {
	var b [gramSize]byte
	copy(b[:], s)
	return gramAt(b[:])
}

// hashGram spreads a gram over 32 bits, of which the upper are best
// (Knuth's multiplicative hash).
func hashGram(g uint32) uint32 { return g * 2654435761 }

func newGramTable(size int, entries []gramEntry) gramTable {
	// Four buckets an entry and 32 bits an entry keep false alarms of the
	// bitmap near 3 %.
	width := max(bits.Len(uint(len(entries)))+2, 6)
	t := gramTable{
		mask:    uint32(1<<(8*size) - 1),
		size:    size,
		fine:    uint8(max(32-width-3, 0)),
		coarse:  uint8(max(32-width, 0)),
		entries: make([]gramEntry, len(entries)),
	}
	t.bitmap = make([]uint64, 1<<(32-int(t.fine))/64)
	t.starts = make([]uint32, 1<<(32-int(t.coarse))+1)
	for _, e := range entries {
		h := hashGram(e.gram)
		t.bitmap[h>>t.fine/64] |= 1 << (h >> t.fine % 64)
		t.starts[h>>t.coarse+1]++
	}
	for i := 1; i < len(t.starts); i++ {
		t.starts[i] += t.starts[i-1]
	}
	next := append([]uint32(nil), t.starts...)
	for _, e := range entries {
		b := hashGram(e.gram) >> t.coarse
		t.entries[next[b]] = e
		next[b]++
	}
	return t
}

// bucket returns the entries that may have the gram.
func (t *gramTable) bucket(hash uint32) []gramEntry {
	b := hash >> t.coarse
	return t.entries[t.starts[b]:t.starts[b+1]]
}
