package archive

import (
	"encoding/binary"
	"errors"
	"io"
)

// compound is a compound file ([MS-CFB]): a file system of streams in storages.
type compound struct {
	l        *listing
	f        *seekable
	sector   int64    // octets
	small    int64    // octets of a sector within the stream of small ones
	cutoff   int64    // streams below it stand there
	tables   []uint32 // the sectors of the table of sectors
	smalls   []uint32 // those of the table of small sectors
	within   []uint32 // those of the stream of small sectors
	storages []oleStorage
	damaged  bool
}

// oleStorage is a storage with its streams.
type oleStorage struct {
	name    string
	streams []oleObject
}

// The sectors that are none ([MS-CFB] §2.1).
const (
	maxSector = 0xfffffffa
	noObject  = 0xffffffff
)

// openCompound reads the directory. What is damaged in it is left out.
func (l *listing) openCompound(f *seekable) (*compound, error) {
	const header, difat, inHeader = 512, 76, 109
	var h [header]byte
	if _, err := f.ReadAt(h[:], 0); err != nil {
		return nil, ErrUnreadable
	}
	shift, smallShift := binary.LittleEndian.Uint16(h[30:]), binary.LittleEndian.Uint16(h[32:])
	if shift < 7 || shift > 16 || smallShift < 4 || smallShift >= shift {
		return nil, ErrUnreadable
	}
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(h[at:]) }
	c := &compound{l: l, f: f, sector: 1 << shift, small: 1 << smallShift, cutoff: int64(u32(56))}
	for i := range inHeader {
		c.tables = append(c.tables, u32(difat+4*i))
	}
	// Further sectors of the table stand in a chain of their own (§2.5).
	each := int(c.sector/4) - 1
	for next := u32(68); next < maxSector && int64(len(c.tables)*each) <= c.sectors()+inHeader*int64(each); {
		b, err := c.read(next)
		if err != nil {
			return nil, err
		}
		for i := range each {
			c.tables = append(c.tables, binary.LittleEndian.Uint32(b[4*i:]))
		}
		next = binary.LittleEndian.Uint32(b[4*each:])
	}
	var err error
	if c.smalls, err = c.chain(u32(60)); err != nil {
		return nil, err
	}
	directory, err := c.chain(u32(48))
	if err != nil {
		return nil, err
	}
	return c, c.directory(directory)
}

// sectors is how many the file has.
func (c *compound) sectors() int64 { return c.f.size/c.sector + 1 }

// read reads a sector; what the file ends before is zero.
func (c *compound) read(n uint32) ([]byte, error) {
	if err := c.l.Budget.Charge(1); err != nil {
		return nil, err
	}
	b := make([]byte, c.sector)
	if got, err := c.f.ReadAt(b, (int64(n)+1)*c.sector); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	} else if got == 0 {
		c.damaged = true
	}
	return b, nil
}

// entry is an entry of a table that stands in these sectors.
func (c *compound) entry(table []uint32, n uint32) (uint32, error) {
	if err := c.l.Budget.Charge(1); err != nil {
		return 0, err
	}
	each := uint32(c.sector / 4)
	if int64(n/each) >= int64(len(table)) || table[n/each] >= maxSector {
		c.damaged = true
		return noObject, nil
	}
	var b [4]byte
	if _, err := c.f.ReadAt(b[:], (int64(table[n/each])+1)*c.sector+int64(n%each)*4); err != nil {
		if !errors.Is(err, io.EOF) {
			return 0, err
		}
		c.damaged = true
		return noObject, nil
	}
	return binary.LittleEndian.Uint32(b[:]), nil
}

// chain are the sectors that follow one.
func (c *compound) chain(start uint32) (all []uint32, err error) {
	for n := start; n < maxSector; {
		if int64(len(all)) > c.sectors() {
			c.damaged = true
			break
		}
		all = append(all, n)
		if n, err = c.entry(c.tables, n); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// directory reads the entries, and puts streams to their storages. Those that
// nothing leads to stand in a storage without a name: a program that repairs
// files finds them.
func (c *compound) directory(sectors []uint32) error {
	const most = 64 << 10
	var objects []oleObject
	for _, n := range sectors {
		if len(objects) > most {
			return ErrLimit
		}
		b, err := c.read(n)
		if err != nil {
			return err
		}
		for ; len(b) >= oleEntry; b = b[oleEntry:] {
			e, _ := entryOf(b)
			objects = append(objects, e)
		}
	}
	if len(objects) == 0 {
		return ErrUnreadable
	}
	var err error
	if c.within, err = c.chain(objects[0].start); err != nil {
		return err
	}
	seen := make([]bool, len(objects))
	for i, e := range objects {
		if e.name == "" || e.stream {
			continue
		}
		storage := oleStorage{name: e.name}
		for next := []uint32{e.child}; len(next) > 0; {
			n := next[len(next)-1]
			next = next[:len(next)-1]
			if err := c.l.Budget.Charge(1); err != nil {
				return err
			}
			if int64(n) >= int64(len(objects)) || seen[n] || int(n) == i {
				c.damaged = c.damaged || n != noObject
				continue
			}
			seen[n] = true
			if objects[n].stream {
				storage.streams = append(storage.streams, objects[n])
			}
			next = append(next, objects[n].left, objects[n].right)
		}
		c.storages = append(c.storages, storage)
	}
	lost := oleStorage{}
	for i, e := range objects {
		if e.stream && !seen[i] {
			lost.streams = append(lost.streams, e)
		}
	}
	if len(lost.streams) > 0 {
		c.damaged = true
		c.storages = append(c.storages, lost)
	}
	return nil
}

// spoiled notes that a stream cannot be read, and goes on.
func (c *compound) spoiled(err error) error {
	if errors.Is(err, ErrUnreadable) {
		c.damaged = true
		return nil
	}
	return err
}

// open reads a stream.
func (c *compound) open(e oleObject) io.Reader {
	return &oleStream{compound: c, next: e.start, left: e.size, small: e.size < c.cutoff}
}

// oleStream goes from sector to sector.
type oleStream struct {
	*compound
	next  uint32
	at    int64 // in the file, of what is left of a sector
	rest  int64 // of the sector
	left  int64 // of the stream
	small bool
}

func (s *oleStream) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, io.EOF
	}
	if s.rest == 0 {
		if err := s.step(); err != nil {
			return 0, err
		}
	}
	n, err := s.f.ReadAt(p[:min(int64(len(p)), s.rest, s.left)], s.at)
	s.at, s.rest, s.left = s.at+int64(n), s.rest-int64(n), s.left-int64(n)
	if n == 0 && errors.Is(err, io.EOF) {
		s.damaged = true
		return 0, ErrUnreadable
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// step goes to the next sector.
func (s *oleStream) step() (err error) {
	n := s.next
	if n >= maxSector {
		s.damaged = true
		return ErrUnreadable
	}
	if !s.small {
		s.at, s.rest = (int64(n)+1)*s.sector, s.sector
		s.next, err = s.entry(s.tables, n)
		return err
	}
	at := int64(n) * s.compound.small
	if at/s.sector >= int64(len(s.within)) {
		s.damaged = true
		return ErrUnreadable
	}
	s.at, s.rest = (int64(s.within[at/s.sector])+1)*s.sector+at%s.sector, s.compound.small
	s.next, err = s.entry(s.smalls, n)
	return err
}
