package archive

import (
	"bufio"
	"encoding/binary"
	"io"
)

// rar lists the headers of a RAR archive, as they stand before each file.
func (l *listing) rar(r io.Reader) error {
	br := bufio.NewReader(r)
	sig, err := br.Peek(8)
	if err != nil {
		return err
	}
	if sig[6] == 0 {
		_, _ = br.Discard(7) // they are buffered
		return l.rar4(br)
	}
	_, _ = br.Discard(8)
	return l.rar5(br)
}

// maxRarHeader is how long a header may be. A name has at most 2048
// characters.
const maxRarHeader = 64 << 10

// rar5 lists an archive of RAR 5.
func (l *listing) rar5(r *bufio.Reader) error {
	const (
		typeFile       = 2
		typeEncryption = 4
		typeEnd        = 5
		withExtra      = 0x01
		withData       = 0x02
		withBefore     = 0x08 // what begins in the volume before
		withBehind     = 0x10
	)
	for {
		if _, err := r.Discard(4); err != nil { // a checksum
			return err
		}
		size, err := binary.ReadUvarint(r)
		if err != nil || size > maxRarHeader {
			return ErrUnreadable
		}
		if err := l.Budget.Charge(1 + int(size)); err != nil {
			return err
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(r, b); err != nil {
			return err
		}
		h := rarFields{b: b}
		kind, flags := h.vint(), h.vint()
		var extra, data uint64
		if flags&withExtra != 0 {
			extra = h.vint()
		}
		if flags&withData != 0 {
			data = h.vint()
		}
		switch {
		case h.short:
			return ErrUnreadable
		case kind == typeEncryption:
			return ErrHidden
		case kind == typeEnd:
			return nil
		case kind == typeFile:
			split := flags&(withBefore|withBehind) != 0
			if err := l.rar5File(&h, extra, stored{r, data, split}); err != nil {
				return err
			}
			continue
		}
		if err := discard(r, data); err != nil {
			return err
		}
	}
}

// stored is a file of a rar as it is packed.
type stored struct {
	r     io.Reader
	size  uint64
	split bool // and goes on in another volume
}

// rarFile takes a file by its names, and passes over its content. Only what is
// not compressed is unpacked: rardecode gets a window for each file that is as
// large as its header says, and ends at a file that it cannot unpack.
func (l *listing) rarFile(s stored, readable bool, names ...string) error {
	const most = 1 << 62
	if s.size > most {
		return ErrUnreadable
	}
	left := &io.LimitedReader{R: s.r, N: int64(s.size)}
	var content io.Reader
	if readable && !s.split {
		content = left
	}
	if err := l.file(content, names...); err != nil {
		return err
	}
	return discard(s.r, uint64(left.N))
}

func (l *listing) rar5File(h *rarFields, extra uint64, content stored) error {
	const (
		folder   = 0x01
		withTime = 0x02
		withSum  = 0x04
		methods  = 0x380 // of the compression

		recordEncryption = 0x01
	)
	flags := h.vint()
	h.vint() // length
	h.vint() // attributes
	if flags&withTime != 0 {
		h.next(4)
	}
	if flags&withSum != 0 {
		h.next(4)
	}
	readable := h.vint()&methods == 0
	h.vint() // system
	name := h.next(h.vint())
	if h.short {
		return ErrUnreadable
	}
	if flags&folder == 0 {
		if err := l.add(string(name)); err != nil {
			return err
		}
	}
	if extra > uint64(len(h.b)) {
		return ErrUnreadable
	}
	records := rarFields{b: h.b[uint64(len(h.b))-extra:]}
	for len(records.b) > 0 {
		record := rarFields{b: records.next(records.vint())}
		if record.vint() == recordEncryption && !record.short {
			l.Sign(Encrypted)
			readable = false
		}
		if records.short {
			return ErrUnreadable
		}
	}
	if flags&folder != 0 {
		return discard(content.r, content.size)
	}
	return l.rarFile(content, readable, string(name))
}

// rarFields are those of a header of RAR 5.
type rarFields struct {
	b     []byte
	short bool
}

func (h *rarFields) vint() uint64 {
	v, n := binary.Uvarint(h.b)
	if n <= 0 {
		h.short, h.b = true, nil
		return 0
	}
	h.b = h.b[n:]
	return v
}

func (h *rarFields) next(n uint64) []byte {
	if n > uint64(len(h.b)) {
		h.short, h.b = true, nil
		return nil
	}
	b := h.b[:n]
	h.b = h.b[n:]
	return b
}

// discard passes over the content of a file. That of the last one may lack:
// the list is complete all the same when the archive goes on in another file.
func discard(r io.Reader, n uint64) error {
	const most = 1 << 62
	if n > most {
		return ErrUnreadable
	}
	_, err := io.CopyN(io.Discard, r, int64(n))
	return err
}
