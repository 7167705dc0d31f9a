package expr

import (
	"math"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// Index finds, in one pass over a text, which of many expressions can match
// it at all: those of which a required literal occurs.
type Index struct {
	tables []gramTable
	// The literals one behind the other, and where each begins; the last begins
	// where all end.
	text   []byte
	begins []uint32
	// The expressions that need each literal, and where those of each begin.
	needing []int32
	first   []int32
	always  []int32 // expressions of which no literal is known, ascending
	count   int     // of expressions
}

// NewIndex takes what [Parsed.Required] says of each expression, whose number is its
// place there.
func NewIndex(required []Required) *Index {
	x := &Index{count: len(required), begins: []uint32{0}}
	common := countGrams(required)
	ids := make(map[string]int32, len(required))
	var entries [gramSize + 1][]gramEntry
	entries[gramSize] = make([]gramEntry, 0, len(required))
	needs := make([]need, 0, len(required))
	x.begins = slices.Grow(x.begins, len(required))
	var room unpacked
	for p, packed := range required {
		set := common.rarest(room.of(packed))
		if set == nil || !x.fits(set) {
			x.always = append(x.always, int32(p))
			continue
		}
		for _, literal := range set {
			id, ok := ids[literal]
			if !ok {
				id = x.add(literal)
				ids[literal] = id
				size := min(len(literal), gramSize)
				offset, _ := common.place(literal)
				entries[size] = append(entries[size], gramEntry{
					gram: gramOf(literal[offset : offset+size]), literal: id, offset: int32(offset),
				})
			}
			needs = append(needs, need{id, int32(p)})
		}
	}
	x.enter(needs)
	for size, e := range entries {
		if len(e) > 0 {
			x.tables = append(x.tables, newGramTable(size, e))
		}
	}
	return x
}

// need says that an expression needs a literal.
type need struct{ literal, pattern int32 }

// fits tells whether there are places for the literals of a set.
func (x *Index) fits(set []string) bool {
	n := len(x.text)
	for _, literal := range set {
		n += len(literal)
	}
	return n <= math.MaxUint32 && len(x.begins)+len(set) < math.MaxInt32
}

func (x *Index) add(literal string) (id int32) {
	x.text = append(x.text, literal...)
	x.begins = append(x.begins, uint32(len(x.text)))
	return int32(len(x.begins) - 2)
}

// literals is how many there are.
func (x *Index) literals() int { return len(x.begins) - 1 }

func (x *Index) literal(id int32) []byte { return x.text[x.begins[id]:x.begins[id+1]] }

// enter arranges the expressions by the literals that they need.
func (x *Index) enter(needs []need) {
	// Each count stands two places on, so that filling leaves every first where it
	// has to be.
	x.first = make([]int32, x.literals()+2)
	for _, n := range needs {
		x.first[n.literal+2]++
	}
	for i := 1; i < len(x.first); i++ {
		x.first[i] += x.first[i-1]
	}
	x.needing = make([]int32, len(needs))
	for _, n := range needs {
		x.needing[x.first[n.literal+1]] = n.pattern
		x.first[n.literal+1]++
	}
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
					m.see(e.literal, n, x.needing[x.first[e.literal]:x.first[e.literal+1]])
				}
			}
		}
	}
}

// stands tells whether the whole literal is there, given one of its grams.
func (x *Index) stands(e gramEntry, folded []byte, at int) bool {
	literal, start := x.literal(e.literal), at-int(e.offset)
	return start >= 0 && start+len(literal) <= len(folded) && string(folded[start:start+len(literal)]) == string(literal)
}
