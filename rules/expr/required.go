package expr

import "encoding/binary"

// Required are sets of literals such that a text that an expression matches has,
// once folded, a literal of every set in it. "" means that nothing is known of it.
// They are packed: of very many expressions they are a large part of what is in
// memory while a policy is read.
type Required string

func pack(sets [][]string) Required {
	var b []byte
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
	number := func() int {
		n, shift := 0, 0
		for i := range len(r) {
			n |= int(r[i]&0x7f) << shift
			if shift += 7; r[i] < 0x80 {
				r = r[i+1:]
				break
			}
		}
		return n
	}
	for len(r) > 0 {
		count, first := number(), len(u.literals)
		for range count {
			n := number()
			u.literals = append(u.literals, string(r[:n]))
			r = r[n:]
		}
		u.sets = append(u.sets, u.literals[first:len(u.literals):len(u.literals)])
	}
	return u.sets
}
