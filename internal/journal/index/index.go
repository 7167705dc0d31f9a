// Package index tells which members of a packed journal can have an entry that
// somebody looks for. What it says "no" of has none; what it says "yes" of has to
// be read. docs/journal.md has the form of its files.
package index

import (
	"encoding/hex"
	"errors"
	"math/bits"
)

// ID binds an index to the file that it is of.
type ID [16]byte

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ErrDamaged: the octets are no index, or not those that were written.
var ErrDamaged = errors.New("the index is damaged")

// Member is a piece of the packed file that can be unpacked by itself.
type Member struct {
	Offset, Size int64 // where it stands in the packed file, octets
	Text         int64 // octets of it unpacked
	Lines        int64
	// Earliest and Latest are the times of its entries, in milliseconds since
	// 1970; Latest is before Earliest where it has none.
	Earliest, Latest int64
}

// Whole is what is known of all members together.
type Whole struct {
	ID    ID
	Size  int64  // of the packed file
	First string // the time of the first entry, as its line has it; "" for none
}

const (
	// groupSize is how many members share a table of bits: a row of it is a word.
	groupSize = 64
	// mostSlots is how many rows a table has at most: 96 KiB for each member, of
	// about 1 MiB of text. Fewer are a half of it, of that a half, and so on.
	mostSlots  = 3 << leastShift << 12
	leastShift = 6
	// share is the part of the text that an index may take, frame what it takes
	// beside its bits.
	share, frame = 10, 8 << 10
	// keyBits is how many bits a key sets, and the others a run of characters. With a
	// quarter of all bits set, a member without a key has its bits once in a thousand,
	// one without three characters once in sixty.
	keyBits, shortBits, longBits = 5, 3, 2
)

// Short and Long are how many characters a run has: three tell little where any
// letter may follow any other, as in what machines write.
const (
	Short = 3
	Long  = 6
)

// LeastText is how many octets of text are worth an index: of less it would be more
// than a tenth of them.
const LeastText = 128 << 10

// Term is what a member may have.
type Term struct {
	hash uint64
	bits int
}

// Key is a whole value of a kind.
func Key(kind byte, value []rune) Term {
	// FNV-1a; what is kept has to mean the same to every later version.
	const prime = 1099511628211
	h := (uint64(14695981039346656037) ^ uint64(kind)) * prime
	for _, r := range value {
		h = (h ^ uint64(r)) * prime
	}
	return Term{mix(h), keyBits}
}

// Run is Short or Long characters in a row.
func Run(of []rune) Term {
	if len(of) == Short {
		return Term{mix(uint64(of[0])<<42 | uint64(of[1])<<21 | uint64(of[2])), shortBits}
	}
	return Term{Key('6', of).hash, longBits}
}

// mix spreads every bit over all.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// slot is the n-th row of a term, of so many.
func (t Term) slot(n int, slots uint64) uint64 {
	return (t.hash + uint64(n)*(bits.RotateLeft64(t.hash, 32)|1)) % slots
}
