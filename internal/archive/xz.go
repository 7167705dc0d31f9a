package archive

import (
	"bufio"
	"errors"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

const sigXZ = "\xfd7zXZ\x00"

// xz unpacks the blocks of an xz file. The package has a reader for whole files
// as well, which gets memory for as large a dictionary as a file says, up to 4
// GiB.
func (l *listing) xz(r io.Reader) error {
	x, err := l.newXZ(r)
	if err != nil {
		return err
	}
	return l.packed(x, slowness, "")
}

func (l *listing) newXZ(r io.Reader) (*xzReader, error) {
	x := &xzReader{listing: l, r: bufio.NewReader(r)}
	return x, x.stream()
}

// stream begins one.
func (x *xzReader) stream() error {
	const header = 12
	h, err := x.take(header)
	if err != nil {
		return err
	}
	if string(h[:6]) != sigXZ || h[6] != 0 || h[7] > 0x0f {
		return ErrUnreadable
	}
	x.check = 0
	if kind := int64(h[7]); kind > 0 {
		x.check = 4 << ((kind - 1) / 3) // file format §2.1.1.2
	}
	return nil
}

// xzReader reads what is in the blocks, one after the other.
type xzReader struct {
	*listing
	r     *bufio.Reader
	read  int64 // octets of the file
	check int64 // octets of a checksum
	block *lzma.Reader2
	ended bool
}

// ReadByte makes the package take no more than it needs.
func (x *xzReader) ReadByte() (byte, error) {
	c, err := x.r.ReadByte()
	if err == nil {
		x.read++
	}
	return c, err
}

// octets is the reader of packed octets.
type octets struct{ *xzReader }

func (o octets) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	o.read += int64(n)
	return n, err
}

func (x *xzReader) take(n int64) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(octets{x}, b)
	return b, err
}

func (x *xzReader) Read(p []byte) (int, error) {
	for {
		if x.ended {
			return 0, io.EOF
		}
		if x.block == nil {
			if err := x.next(); err != nil {
				return 0, err
			}
			continue
		}
		n, err := x.block.Read(p)
		if err == io.EOF { //nolint:errorlint // as io.Reader has it
			x.block = nil
			// §3.3, §3.4: the block is padded to a multiple of four, before its
			// checksum.
			if _, err := x.take(-x.read&3 + x.check); err != nil {
				return n, err
			}
			err = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// next begins a block, or finds that there is none any more.
func (x *xzReader) next() error {
	const (
		filters, withPacked, withUnpacked = 0x03, 0x40, 0x80
		filterLZMA2, firstBCJ, lastBCJ    = 0x21, 0x04, 0x0b
		maxDictionary                     = 8 << 20 // xz has it with its usual setting
	)
	if err := x.Budget.Charge(1); err != nil {
		return err
	}
	size, err := x.ReadByte()
	if err != nil {
		return err
	}
	if size == 0 {
		return x.index()
	}
	b, err := x.take((int64(size)+1)*4 - 1)
	if err != nil {
		return err
	}
	flags, b := b[0], b[1:len(b)-4]
	h := rarFields{b: b} // numbers are written in the same way
	if flags&withPacked != 0 {
		h.vint()
	}
	if flags&withUnpacked != 0 {
		h.vint()
	}
	dictionary := int64(-1)
	for range int(flags&filters) + 1 {
		id := h.vint()
		properties := h.next(h.vint())
		switch {
		case id == filterLZMA2 && len(properties) == 1 && properties[0] <= 40:
			bits := int64(properties[0])
			dictionary = (2 | bits&1) << (bits/2 + 11)
		case id >= firstBCJ && id <= lastBCJ: // changes addresses in programs, no names
		default:
			return ErrUnreadable
		}
	}
	if h.short || dictionary < 0 {
		return ErrUnreadable
	}
	dictionary = max(min(dictionary, maxDictionary), lzma.MinDictCap)
	if err := x.memory(dictionary); err != nil {
		return err
	}
	config := lzma.Reader2Config{DictCap: int(dictionary)}
	x.block, err = config.NewReader2(octets{x})
	return err
}

// index passes over the index, whose first octet has been read, and over the end of a
// stream, and begins the stream behind it: files of several are unpacked as one (file
// format §2.2, §4).
func (x *xzReader) index() error {
	const footer, sum = 12, 4
	records, err := x.vint()
	if err != nil {
		return err
	}
	for records *= 2; records > 0; records-- {
		if err := x.Budget.Charge(1); err != nil {
			return err
		}
		if _, err := x.vint(); err != nil {
			return err
		}
	}
	end, err := x.take(-x.read&3 + sum + footer)
	if err != nil {
		return err
	}
	if string(end[len(end)-2:]) != "YZ" {
		return ErrUnreadable
	}
	for {
		next, err := x.r.Peek(1)
		switch {
		case errors.Is(err, io.EOF):
			x.ended = true
			return nil
		case err != nil:
			return err
		case next[0] != 0:
			return x.stream()
		}
		if _, err := x.ReadByte(); err != nil {
			return err
		}
		if err := x.Budget.Charge(1); err != nil {
			return err
		}
	}
}

// vint reads a number (file format §1.2).
func (x *xzReader) vint() (n uint64, err error) {
	const longest = 9 // octets
	for i := range longest {
		c, err := x.ReadByte()
		if err != nil {
			return 0, err
		}
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return n, nil
		}
	}
	return 0, ErrUnreadable
}

var _ io.ByteReader = octets{}
