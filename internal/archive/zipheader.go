package archive

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
)

// zipRecord is what a zip says of a file, in its directory or before it.
type zipRecord struct {
	flags, method uint16
	name          []byte
	size          int64  // as it is packed; 0 where it is not known yet
	full          uint32 // unpacked
	data          int64  // offset of the content; in headers before files
}

// local reads the header before a file. Together they are no longer than the
// archive, for they cannot overlap: what points to one again and again is a
// limit.
func (z *zipFile) local(at int64) (zipRecord, error) {
	var b [zipLocal]byte
	if at < 0 || at > z.f.size-zipLocal {
		return zipRecord{}, ErrUnreadable
	}
	if _, err := z.f.ReadAt(b[:], at); err != nil || string(b[:4]) != sigLocal {
		return zipRecord{}, ErrUnreadable
	}
	h := zipRecord{
		flags: binary.LittleEndian.Uint16(b[6:]), method: binary.LittleEndian.Uint16(b[8:]),
		size: int64(binary.LittleEndian.Uint32(b[18:])), full: binary.LittleEndian.Uint32(b[22:]),
	}
	n := int64(binary.LittleEndian.Uint16(b[26:]))
	h.data = at + zipLocal + n + int64(binary.LittleEndian.Uint16(b[28:]))
	if h.size == 1<<32-1 {
		h.size = 0 // it stands in an extra field
	}
	if at+zipLocal+n > z.f.size {
		return zipRecord{}, ErrUnreadable
	}
	if z.locals -= zipLocal + n; z.locals < 0 {
		return zipRecord{}, ErrLimit
	}
	if err := z.Budget.Octets(int(zipLocal + n)); err != nil {
		return zipRecord{}, err
	}
	h.name = make([]byte, n)
	if _, err := z.f.ReadAt(h.name, at+zipLocal); err != nil && n > 0 {
		return zipRecord{}, ErrUnreadable
	}
	return h, nil
}

// headers lists the files that no directory has, or has otherwise, as they
// stand one after the other.
func (z *zipFile) headers() error {
	slices.SortFunc(z.files, func(a, b place) int { return int(min(max(a.from-b.from, -1), 1)) })
	z.locals = z.f.size // each is read once more at most
	w := &window{listing: z.listing, f: z.f}
	known := z.files
	for at := int64(0); ; {
		for len(known) > 0 && known[0].from <= at {
			at = max(at, known[0].to)
			known = known[1:]
		}
		if err := z.Budget.Charge(1); err != nil {
			return err
		}
		end := z.f.size
		if len(known) > 0 {
			end = known[0].from
		}
		next, err := w.find(at, end, sigLocal)
		if err != nil {
			return err
		}
		if next < 0 {
			if at = end; len(known) == 0 {
				return nil
			}
			continue
		}
		at = next
		h, err := z.local(at)
		if errors.Is(err, ErrUnreadable) {
			at++
			continue
		}
		if err != nil {
			return err
		}
		if err := z.record(&h); err != nil {
			return err
		}
		if isContentTypes(h.name) {
			if err := z.contentTypes(h.method, h.data, h.size); err != nil {
				return err
			}
		}
		at = h.data
		if h.flags&zipDescribed == 0 && h.data+h.size <= z.f.size {
			at += h.size
		}
	}
}

func isContentTypes(name []byte) bool {
	return strings.EqualFold(string(name), "[Content_Types].xml")
}

// contentTypes looks whether the list of what an office document is made of
// names macros: their project may be called anything (ECMA-376 part 2 §10).
func (z *zipFile) contentTypes(method uint16, at, size int64) error {
	const stored, deflated = 0, 8
	const most = 256 << 10 // octets of the list
	if size == 0 {
		size = most
	}
	var r io.Reader = z.Budget.Reader(io.NewSectionReader(z.f, at, min(size, most)))
	switch method {
	case stored:
	case deflated:
		u := &unpacking{listing: z.listing, r: flate.NewReader(r), price: 1}
		r = u
	default:
		return nil
	}
	list, err := io.ReadAll(io.LimitReader(r, most))
	if z.Budget.Err() != nil {
		return err
	}
	list = bytes.ToLower(list) // what can be read of it
	for _, kind := range []string{"vbaproject", "macrosheet"} {
		if bytes.Contains(list, []byte(kind)) {
			z.Sign(Macro)
		}
	}
	return nil
}
