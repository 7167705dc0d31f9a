package expr

import "encoding/binary"

// Required are sets of literals such that a text that an expression matches has,
// once folded, a literal of every set in it. "" means that nothing is known of it.
// They are packed: of very many expressions they are a large part of what is in
// memory while a policy is read.
type Required string

func pack(sets [][]string) Required {
	size := 0
	for _, set := range sets {
		size += binary.MaxVarintLen16
		for _, literal := range set {
			size += binary.MaxVarintLen16 + len(literal)
		}
	}
	b := make([]byte, 0, size)
	for _, set := range sets {
		b = binary.AppendUvarint(b, uint64(len(set)))
		for _, literal := range set {
			b = binary.AppendUvarint(b, uint64(len(literal)))
			b = append(b, literal...)
		}
	}
	return Required(b)
}

// Sets are the sets by themselves.
func (r Required) Sets() [][]string {
	var u unpacked
	return u.of(r)
}

// unpacked is room for the sets of one expression after the other.
type unpacked struct {
	sets     [][]string
	literals []string
}

// of are the sets of r, up to the next call.
func (u *unpacked) of(r Required) [][]string {
	u.sets, u.literals = u.sets[:0], u.literals[:0]
	for len(r) > 0 {
		count, first := r.number(), len(u.literals)
		for range count {
			n := r.number()
			u.literals = append(u.literals, string(r[:n]))
			r = r[n:]
		}
		u.sets = append(u.sets, u.literals[first:len(u.literals):len(u.literals)])
	}
	return u.sets
}

// number takes a number from the beginning.
func (r *Required) number() int {
	n, shift := 0, 0
	for i := range len(*r) {
		c := (*r)[i]
		n |= int(c&0x7f) << shift
		if shift += 7; c < 0x80 {
			*r = (*r)[i+1:]
			break
		}
	}
	return n
}

// longest is how many literals the set has whose shortest literal is the longest of
// all sets, and how long that is.
func (r Required) longest() (count, length int) {
	for len(r) > 0 {
		n, least := r.number(), 0
		for i := range n {
			size := r.number()
			r = r[size:]
			if i == 0 || size < least {
				least = size
			}
		}
		if least > length {
			count, length = n, least
		}
	}
	return count, length
}
