package index

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
)

// Index is one that was opened. It is not for several goroutines at once.
type Index struct {
	Whole
	Members []Member

	blocks blockReader
	groups []group
}

// Open reads what an index of that size says of its file. What it says of members is
// read, and checked, when it is asked.
func Open(r io.ReaderAt, size int64) (*Index, error) {
	if size == 0 || size%blockSize != 0 {
		return nil, fmt.Errorf("%w: %d octets", ErrDamaged, size)
	}
	x := &Index{blocks: blockReader{r: r, blocks: size / blockSize, held: -1}}
	var t [trailerSize]byte
	trailer := x.blocks.blocks*blockData - trailerSize
	if err := x.blocks.read(t[:], trailer); err != nil {
		return nil, err
	}
	if string(t[:8]) != magic {
		return nil, fmt.Errorf("%w: no trailer of this version", ErrDamaged)
	}
	copy(x.ID[:], t[8:])
	x.Size = int64(binary.LittleEndian.Uint64(t[24:]))
	tables := int64(binary.LittleEndian.Uint64(t[32:]))
	members, groups := int64(binary.LittleEndian.Uint32(t[40:])), int64(binary.LittleEndian.Uint32(t[44:]))
	x.First = strings.TrimRight(string(t[48:]), "\x00")
	if tables < 0 || tables > trailer || members*memberSize+groups*groupRecord > trailer-tables {
		return nil, fmt.Errorf("%w: it has no room for its tables", ErrDamaged)
	}
	if err := x.readMembers(tables, members); err != nil {
		return nil, err
	}
	return x, x.readGroups(tables, members, groups)
}

func (x *Index) readMembers(at, n int64) error {
	b := make([]byte, n*memberSize)
	if err := x.blocks.read(b, at); err != nil {
		return err
	}
	end := int64(0)
	for ; len(b) > 0; b = b[memberSize:] {
		var v [6]int64
		for i := range v {
			v[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
		m := Member{v[0], v[1], v[2], v[3], v[4], v[5]}
		if m.Offset != end || m.Size <= 0 || m.Size > math.MaxInt64-end || m.Text < 0 || m.Lines < 0 {
			return fmt.Errorf("%w: member %d", ErrDamaged, len(x.Members))
		}
		end += m.Size
		x.Members = append(x.Members, m)
	}
	if end != x.Size {
		return fmt.Errorf("%w: its members are not the whole file", ErrDamaged)
	}
	return nil
}

func (x *Index) readGroups(at, members, n int64) error {
	b := make([]byte, n*groupRecord)
	if err := x.blocks.read(b, at+members*memberSize); err != nil {
		return err
	}
	for ; len(b) > 0; b = b[groupRecord:] {
		g := group{
			at:      int64(binary.LittleEndian.Uint64(b)),
			slots:   binary.LittleEndian.Uint32(b[8:]),
			members: binary.LittleEndian.Uint32(b[12:]),
		}
		bits := int64(g.slots) * int64(g.members)
		if g.members == 0 || g.members > groupSize || g.slots == 0 || g.slots > mostSlots || mostSlots%g.slots != 0 ||
			g.at < 0 || g.at > at || (bits+7)/8 > at-g.at {
			return fmt.Errorf("%w: group %d", ErrDamaged, len(x.groups))
		}
		members -= int64(g.members)
		x.groups = append(x.groups, g)
	}
	if members != 0 {
		return fmt.Errorf("%w: its groups are not its members", ErrDamaged)
	}
	return nil
}

// Clause is a condition of which one alternative must hold; an alternative is terms
// that a member must have all.
type Clause [][]Term

// Select returns the numbers of the members that can meet all clauses.
func (x *Index) Select(all []Clause) ([]int, error) {
	var chosen []int
	first := 0
	for _, g := range x.groups {
		may := ^uint64(0) >> (groupSize - g.members)
		for _, c := range all {
			if may == 0 {
				break
			}
			one := uint64(0)
			for _, terms := range c {
				have, err := x.have(g, terms, may)
				if err != nil {
					return nil, err
				}
				one |= have
			}
			may &= one
		}
		for n := range int(g.members) {
			if may>>n&1 != 0 {
				chosen = append(chosen, first+n)
			}
		}
		first += int(g.members)
	}
	return chosen, nil
}

// have are those of some members of a group that have all terms.
func (x *Index) have(g group, terms []Term, of uint64) (uint64, error) {
	for _, t := range terms {
		for n := range t.bits {
			if of == 0 {
				return 0, nil
			}
			row, err := x.row(g, t.slot(n, uint64(g.slots)))
			if err != nil {
				return 0, err
			}
			of &= row
		}
	}
	return of, nil
}

// row is who of a group has a bit of a slot.
func (x *Index) row(g group, slot uint64) (uint64, error) {
	bit := slot * uint64(g.members)
	shift := bit % 8
	var b [16]byte
	need := (shift + uint64(g.members) + 7) / 8
	if err := x.blocks.read(b[:need], g.at+int64(bit/8)); err != nil {
		return 0, err
	}
	row := binary.LittleEndian.Uint64(b[:]) >> shift
	if shift > 0 {
		row |= uint64(b[8]) << (64 - shift)
	}
	return row & (^uint64(0) >> (groupSize - g.members)), nil
}

// Verify reads all of it.
func (x *Index) Verify() error {
	for n := range x.blocks.blocks {
		if err := x.blocks.hold(n); err != nil {
			return err
		}
	}
	return nil
}
