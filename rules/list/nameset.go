package list

import (
	"encoding/binary"
	"hash/maphash"
)

// nameSet is a set of short texts that never shrinks. A million entries cost
// little more than their octets: they stand one after another in chunks, and an
// open hash table of 32-bit places finds them. A Go map of strings would cost
// three times as much, and the garbage collector a look at each.
type nameSet struct {
	seed   maphash.Seed
	chunks [][]byte
	slots  []uint32 // 1 + place; 0 is free; the length is a power of two
	count  int
}

const (
	chunkBits = 20
	chunkSize = 1 << chunkBits
	// maxName bounds one entry; an address has at most 254 octets (RFC 5321
	// §4.5.3.1.3) and grows little as A-labels.
	maxName = 1 << 10
	// maxChunks is where places no longer fit in 32 bits.
	maxChunks = 1<<(32-chunkBits) - 1
)

// add puts name in and tells whether there was room.
func (s *nameSet) add(name []byte) bool {
	if 4*(s.count+1) > 3*len(s.slots) {
		s.grow()
	}
	slot, found := s.slot(name)
	if found {
		return true
	}
	place, ok := s.store(name)
	if ok {
		s.slots[slot] = place + 1
		s.count++
	}
	return ok
}

func (s *nameSet) has(name []byte) bool {
	if s.count == 0 {
		return false
	}
	_, found := s.slot(name)
	return found
}

// slot returns where name is, or the free slot where it would be.
func (s *nameSet) slot(name []byte) (uint64, bool) {
	mask := uint64(len(s.slots) - 1)
	for i := maphash.Bytes(s.seed, name) & mask; ; i = (i + 1) & mask {
		switch at := s.slots[i]; {
		case at == 0:
			return i, false
		case string(s.at(at-1)) == string(name):
			return i, true
		}
	}
}

// at returns the entry at a place: its length, then its octets.
func (s *nameSet) at(place uint32) []byte {
	b := s.chunks[place>>chunkBits][place&(chunkSize-1):]
	n, size := binary.Uvarint(b)
	return b[size : size+int(n)]
}

func (s *nameSet) store(name []byte) (uint32, bool) {
	if len(name) > maxName {
		return 0, false
	}
	last := len(s.chunks) - 1
	if last < 0 || len(s.chunks[last])+len(name)+binary.MaxVarintLen16 > chunkSize {
		if len(s.chunks) == maxChunks {
			return 0, false
		}
		var chunk []byte
		if last >= 0 { // small sets stay small
			chunk = make([]byte, 0, chunkSize)
		}
		s.chunks = append(s.chunks, chunk)
		last++
	}
	chunk := s.chunks[last]
	place := uint32(last)<<chunkBits | uint32(len(chunk))
	chunk = binary.AppendUvarint(chunk, uint64(len(name)))
	s.chunks[last] = append(chunk, name...)
	return place, true
}

func (s *nameSet) grow() {
	if s.slots == nil {
		s.seed = maphash.MakeSeed()
	}
	old := s.slots
	s.slots = make([]uint32, max(2*len(old), 16))
	for _, at := range old {
		if at != 0 {
			slot, _ := s.slot(s.at(at - 1))
			s.slots[slot] = at
		}
	}
}
