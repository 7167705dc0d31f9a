package archive

import (
	"bytes"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// The ids of a header of 7z that say what follows.
const (
	id7zEnd     = 0
	id7zHeader  = 1
	id7zEncoded = 0x17

	id7zPackInfo   = 6
	id7zUnpackInfo = 7
	id7zSubStreams = 8
	id7zSize       = 9
	id7zCRC        = 0x0a
	id7zFolder     = 0x0b
	id7zUnpackSize = 0x0c
	id7zUnpackNum  = 0x0d
)

// header7z reads a header of 7z. Each look at it is a step, and so is each turn
// of a loop that looks at nothing.
type header7z struct {
	b      []byte
	short  bool // or not what it should be, or dearer than may be
	budget *budget.Budget
}

func (h *header7z) fail() { h.short, h.b = true, nil }

func (h *header7z) charge(steps int) {
	if h.budget.Charge(steps) != nil {
		h.fail()
	}
}

func (h *header7z) byte() byte {
	if h.charge(1); len(h.b) == 0 {
		h.fail()
		return 0
	}
	c := h.b[0]
	h.b = h.b[1:]
	return c
}

func (h *header7z) next(n uint64) []byte {
	if h.charge(1); n > uint64(len(h.b)) {
		h.fail()
		return nil
	}
	b := h.b[:n]
	h.b = h.b[n:]
	return b
}

// count is a number of things that have at least one bit each in what follows.
func (h *header7z) count() uint64 {
	n := h.number()
	if n > uint64(len(h.b))*8 {
		h.fail()
		return 0
	}
	return n
}

// streams7z is where content is and how it is packed. Of a packed header,
// which is the first folder, more is known than of others.
type streams7z struct {
	position  uint64
	packed    uint64 // size of the first
	coder     coder7z
	coders    int    // of the first folder
	unpacked  uint64 // size of the first
	folders   []folder7z
	encrypted bool
}

// folder7z is what files are packed in together. There may be as many as
// there are files.
type folder7z struct {
	outs uint8 // of its coders
	sum  bool  // it has a checksum
}

type coder7z struct {
	method, properties []byte
}

// streams reads StreamsInfo, whose sections stand there once each, in this
// order.
func (h *header7z) streams() streams7z {
	var s streams7z
	for last := byte(id7zEnd); ; {
		id := h.byte()
		if id != id7zEnd && id <= last {
			h.fail()
		}
		last = id
		switch id {
		case id7zEnd:
			return s
		case id7zPackInfo:
			s.position = h.number()
			n := h.count()
			for id := h.byte(); id != id7zEnd; id = h.byte() {
				switch id {
				case id7zSize:
					for i := uint64(0); i < n && !h.short; i++ {
						if size := h.number(); i == 0 {
							s.packed = size
						}
					}
				case id7zCRC:
					h.sums(n)
				default:
					h.fail()
				}
			}
		case id7zUnpackInfo:
			h.folders(&s)
		case id7zSubStreams:
			h.subStreams(&s)
		default:
			h.fail()
		}
	}
}

// sums passes over checksums: which there are, and those.
func (h *header7z) sums(n uint64) {
	if n > uint64(len(h.b))*8 {
		h.fail()
		return
	}
	there := n
	if h.byte() == 0 { // not all
		there = 0
		h.charge(int(n))
		b := h.next((n + 7) / 8)
		for i := range int(n) {
			if bit7z(b, i) {
				there++
			}
		}
	}
	h.next(4 * there)
}

func (h *header7z) folders(s *streams7z) {
	if h.byte() != id7zFolder {
		h.fail()
		return
	}
	n := h.count()
	if h.byte() != 0 { // they are somewhere else
		h.fail()
		return
	}
	for i := uint64(0); i < n && !h.short; i++ {
		h.folder(s)
	}
	for id := h.byte(); id != id7zEnd; id = h.byte() {
		switch id {
		case id7zUnpackSize:
			for i := range s.folders {
				for j := range s.folders[i].outs {
					if size := h.number(); i == 0 && j == 0 {
						s.unpacked = size
					}
				}
			}
		case id7zCRC:
			h.folderSums(s.folders)
		default:
			h.fail()
		}
	}
}

// folderSums notes which folders have a checksum, for the files of those have
// none.
func (h *header7z) folderSums(folders []folder7z) {
	h.charge(len(folders))
	all := h.byte() != 0
	var which []byte
	if !all {
		which = h.next(uint64(len(folders)+7) / 8)
	}
	for i := range folders {
		if folders[i].sum = all || bit7z(which, i); folders[i].sum {
			h.next(4)
		}
	}
}

func (h *header7z) folder(s *streams7z) {
	const (
		maxCoders   = 32
		methodSize  = 0x0f
		withStreams = 0x10
		withDetails = 0x20
	)
	n := h.number()
	var ins, outs uint64
	for i := uint64(0); i < n && !h.short; i++ {
		flags := h.byte()
		c := coder7z{method: h.next(uint64(flags & methodSize))}
		in, out := uint64(1), uint64(1)
		if flags&withStreams != 0 {
			in, out = h.number(), h.number()
		}
		if flags&withDetails != 0 {
			c.properties = h.next(h.number())
		}
		if n > maxCoders || in > maxCoders || out > maxCoders || outs+out > maxCoders {
			h.fail()
		}
		ins += in
		outs += out
		if len(s.folders) == 0 {
			s.coder = c
			s.coders++
		}
		// Every method of 06 is a cipher; 7zAES is 06F10701.
		s.encrypted = s.encrypted || bytes.HasPrefix(c.method, []byte{6})
	}
	if h.short || outs == 0 || ins+1 < outs {
		h.fail()
		return
	}
	bound := outs - 1
	for range bound {
		h.number()
		h.number()
	}
	if packed := ins - bound; packed > 1 {
		for range packed {
			h.number()
		}
	}
	s.folders = append(s.folders, folder7z{outs: uint8(outs)})
}

// subStreams passes over how many files each folder has, their sizes and
// checksums.
func (h *header7z) subStreams(s *streams7z) {
	const passes = 3 // over the folders, besides the numbers that are read
	h.charge(passes * len(s.folders))
	files := make([]uint64, len(s.folders))
	for i := range files {
		files[i] = 1
	}
	id := h.byte()
	if id == id7zUnpackNum {
		for i := range files {
			files[i] = h.count()
		}
		id = h.byte()
	}
	if id == id7zSize {
		for _, n := range files {
			for i := uint64(1); i < n && !h.short; i++ { // the last one is the rest
				h.number()
			}
		}
		id = h.byte()
	}
	if id == id7zCRC {
		var sums uint64
		for i, n := range files {
			if n != 1 || !s.folders[i].sum {
				sums += n
			}
		}
		h.sums(sums)
		id = h.byte()
	}
	if id != id7zEnd {
		h.fail()
	}
}
