package expr

import "github.com/tollgate-mail/tollgate/internal/budget"

// Index finds, in one pass over a text, which of many expressions can match
// it at all: those of which a required literal occurs.
type Index struct {
	tables   []gramTable
	literals []string
	patterns [][]int32 // of each literal, the expressions that need it
	always   []int32   // expressions of which no literal is known, ascending
	count    int       // of expressions
}

// NewIndex takes what [Parsed.Required] says of each expression, whose number is its
// place there.
func NewIndex(required [][][]string) *Index {
	x := &Index{count: len(required)}
	common := countGrams(required)
	ids := make(map[string]int32)
	var entries [gramSize + 1][]gramEntry
	for p, sets := range required {
		set := common.rarest(sets)
		if set == nil {
			x.always = append(x.always, int32(p))
		}
		for _, literal := range set {
			id, ok := ids[literal]
			if !ok {
				id = int32(len(x.literals))
				ids[literal] = id
				x.literals = append(x.literals, literal)
				x.patterns = append(x.patterns, nil)
				size := min(len(literal), gramSize)
				offset, _ := common.place(literal)
				entries[size] = append(entries[size], gramEntry{
					gram: gramOf(literal[offset : offset+size]), literal: id, offset: int32(offset),
				})
			}
			x.patterns[id] = append(x.patterns[id], int32(p))
		}
	}
	for size, e := range entries {
		if len(e) > 0 {
			x.tables = append(x.tables, newGramTable(size, e))
		}
	}
	return x
}

// Always are the expressions of which no literal is known: they may match any
// text, and are never among those that a scan marks.
func (x *Index) Always() []int32 { return x.always }

// Scan marks the expressions that text number n, s, may match, as far
// as b covers it.
func (x *Index) Scan(s string, n int32, m *Marks, b *budget.Budget) {
	if b.Charge(len(s)+1) != nil {
		return
	}
	m.folded = foldPadded(m.folded, s)
	padded, folded := m.folded, m.folded[:len(m.folded)-gramSize]
	for i := range x.tables {
		t := &x.tables[i]
		for at := 0; at+t.size <= len(folded); at++ {
			gram := gramAt(padded[at:at+gramSize]) & t.mask
			hash := hashGram(gram)
			if t.bitmap[hash>>t.fine/64]&(1<<(hash>>t.fine%64)) == 0 {
				continue
			}
			for _, e := range t.bucket(hash) {
				if e.gram == gram && m.seen[e.literal] != n+1 && x.stands(e, folded, at) {
					m.see(e.literal, n, x.patterns[e.literal])
				}
			}
		}
	}
}

// stands tells whether the whole literal is there, given one of its grams.
func (x *Index) stands(e gramEntry, folded []byte, at int) bool {
	literal, start := x.literals[e.literal], at-int(e.offset)
	return start >= 0 && start+len(literal) <= len(folded) && string(folded[start:start+len(literal)]) == literal
}

// gramCount counts how many literals of a policy have a gram.
type gramCount map[uint64]int

// gramKey tells grams of different length apart.
func gramKey(s string) uint64 { return uint64(len(s))<<32 | uint64(gramOf(s)) }

func countGrams(required [][][]string) gramCount {
	c := make(gramCount)
	for _, sets := range required {
		for _, set := range sets {
			for _, literal := range set {
				size := min(len(literal), gramSize)
				for at := 0; at+size <= len(literal); at++ {
					c[gramKey(literal[at:at+size])]++
				}
			}
		}
	}
	return c
}

// place is where the literal's rarest gram begins, and how common that is.
func (c gramCount) place(literal string) (offset, count int) {
	size := min(len(literal), gramSize)
	for at := 0; at+size <= len(literal); at++ {
		if n := c[gramKey(literal[at:at+size])]; at == 0 || n < count {
			offset, count = at, n
		}
	}
	return offset, count
}

// rarest returns the set that will raise the fewest false alarms, nil of none.
// What is rare in the policy is taken to be rare in mail; of equals the longer
// one is rarer.
func (c gramCount) rarest(sets [][]string) []string {
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
