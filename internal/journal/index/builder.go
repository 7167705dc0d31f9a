package index

import (
	"encoding/binary"
	"fmt"
	"io"
)

// magic begins the trailer; its last octet is the version.
const magic = "tgindex\x01"

const (
	trailerSize = 8 + 16 + 8 + 8 + 4 + 4 + 24
	memberSize  = 6 * 8
	groupRecord = 8 + 4 + 4
	timeSize    = 24 // of Whole.First
)

// group is where the table of up to groupSize members stands.
type group struct {
	at      int64 // of the data
	slots   uint32
	members uint32
}

// Builder writes an index, member by member, with one table of 6 MiB in memory.
type Builder struct {
	out     blockWriter
	table   []uint64 // a row a slot, a bit a member
	in      uint     // members that are in the table
	text    int64    // octets of those
	members []Member
	groups  []group
}

// NewBuilder writes to w.
func NewBuilder(w io.Writer) *Builder {
	return &Builder{out: blockWriter{w: w}, table: make([]uint64, mostSlots)}
}

// Add says that the member under way has a term.
func (b *Builder) Add(t Term) {
	for n := range t.bits {
		b.table[t.slot(n, mostSlots)] |= 1 << b.in
	}
}

// End ends the member under way.
func (b *Builder) End(m Member) error {
	b.members = append(b.members, m)
	b.text += m.Text
	if b.in++; b.in == groupSize {
		b.endGroup()
	}
	return b.failed()
}

// endGroup writes the table of the members since the last one, with as many rows as
// their text is worth.
func (b *Builder) endGroup() {
	if b.in == 0 {
		return
	}
	slots := uint64(mostSlots)
	for slots > 3<<leastShift && int64(slots)/8*int64(b.in)+frame > b.text/share {
		slots /= 2
		for i := range slots {
			b.table[i] |= b.table[i+slots]
		}
	}
	b.groups = append(b.groups, group{b.out.at(), uint32(slots), uint32(b.in)})
	p := packer{out: &b.out, width: b.in}
	for _, row := range b.table[:slots] {
		p.row(row)
	}
	p.end()
	clear(b.table)
	b.in, b.text = 0, 0
}

// packer writes rows of some bits one behind the other, the lowest first.
type packer struct {
	out   *blockWriter
	width uint
	held  uint64
	n     uint // bits held
}

func (p *packer) row(row uint64) {
	p.held |= row << p.n
	if p.n+p.width >= 64 {
		p.word(p.held)
		p.held = row >> (64 - p.n) // nothing where p.n is 0: a shift of 64
		p.n += p.width - 64
		return
	}
	p.n += p.width
}

func (p *packer) word(w uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], w)
	p.out.write(b[:])
}

func (p *packer) end() {
	if p.n > 0 {
		p.word(p.held)
	}
}

// Finish writes the rest. Nothing is in the file for sure before it was synced.
func (b *Builder) Finish(w Whole) error {
	b.endGroup()
	tables := b.out.at()
	for _, m := range b.members {
		var r [memberSize]byte
		for i, v := range [...]int64{m.Offset, m.Size, m.Text, m.Lines, m.Earliest, m.Latest} {
			binary.LittleEndian.PutUint64(r[8*i:], uint64(v))
		}
		b.out.write(r[:])
	}
	for _, g := range b.groups {
		var r [groupRecord]byte
		binary.LittleEndian.PutUint64(r[:], uint64(g.at))
		binary.LittleEndian.PutUint32(r[8:], g.slots)
		binary.LittleEndian.PutUint32(r[12:], g.members)
		b.out.write(r[:])
	}
	if b.out.n > blockData-trailerSize {
		b.out.end()
	}
	b.out.write(make([]byte, blockData-trailerSize-b.out.n))
	t := append(make([]byte, 0, trailerSize), magic...)
	t = append(t, w.ID[:]...)
	t = binary.LittleEndian.AppendUint64(t, uint64(w.Size))
	t = binary.LittleEndian.AppendUint64(t, uint64(tables))
	t = binary.LittleEndian.AppendUint32(t, uint32(len(b.members)))
	t = binary.LittleEndian.AppendUint32(t, uint32(len(b.groups)))
	var first [timeSize]byte
	copy(first[:], w.First)
	b.out.write(append(t, first[:]...))
	return b.failed()
}

func (b *Builder) failed() error {
	if b.out.err != nil {
		return fmt.Errorf("journal index: %w", b.out.err)
	}
	return nil
}
