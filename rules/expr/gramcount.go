package expr

import (
	"math"
	"math/bits"
)

// gramCount counts how many literals of a policy have a gram. Grams share counters:
// one may be taken for more common than it is, which costs false alarms at most.
type gramCount struct {
	shift  int
	counts []uint16
}

// Bounds of the counters, as powers of two: the upper are 16 MiB.
const (
	leastCounters = 10
	mostCounters  = 23
)

func countGrams(required []Required) gramCount {
	width := min(max(bits.Len(uint(len(required)))+5, leastCounters), mostCounters)
	c := gramCount{shift: 64 - width, counts: make([]uint16, 1<<width)}
	var room unpacked
	for _, packed := range required {
		for _, set := range room.of(packed) {
			for _, literal := range set {
				size := min(len(literal), gramSize)
				for at := 0; at+size <= len(literal); at++ {
					if n := c.counter(literal[at : at+size]); *n < math.MaxUint16 {
						*n++
					}
				}
			}
		}
	}
	return c
}

// counter is that of a gram; those of different lengths are told apart.
func (c *gramCount) counter(gram string) *uint16 {
	key := uint64(len(gram))<<32 | uint64(gramOf(gram))
	return &c.counts[key*0x9e3779b97f4a7c15>>c.shift] // by the golden ratio (Knuth)
}

// place is where the literal's rarest gram begins, and how common that is.
func (c *gramCount) place(literal string) (offset, count int) {
	size := min(len(literal), gramSize)
	for at := 0; at+size <= len(literal); at++ {
		if n := int(*c.counter(literal[at : at+size])); at == 0 || n < count {
			offset, count = at, n
		}
	}
	return offset, count
}

// rarest returns the set that will raise the fewest false alarms, nil of none.
// What is rare in the policy is taken to be rare in mail; of equals the longer
// one is rarer.
func (c *gramCount) rarest(sets [][]string) []string {
	var best []string
	var least int
	for _, set := range sets {
		cost := 0
		for _, literal := range set {
			_, n := c.place(literal)
			// Each byte that a literal is short of a whole gram makes it that
			// much more common.
			cost += n << (3 * (gramSize - min(len(literal), gramSize)))
		}
		if best == nil || cost < least || cost == least && shortest(set) > shortest(best) {
			best, least = set, cost
		}
	}
	return best
}
