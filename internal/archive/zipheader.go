package archive

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/officexml"
)

// zipRecord is what a zip says of a file, in its directory or before it.
type zipRecord struct {
	flags, method uint16
	name          []byte
	unicode       string // a name in UTF-8 that stands beside it
	size          int64  // as it is packed; 0 where it is not known yet
	full          uint64 // unpacked
	data          int64  // offset of the content; in headers before files
}

// names are what a file is called.
func (r *zipRecord) names() []string {
	name := string(r.name)
	if r.flags&zipUTF8 == 0 {
		name = toUTF8(name)
	}
	if r.unicode != "" {
		return []string{name, r.unicode}
	}
	return []string{name}
}

// long reads what does not fit into the fields of a record: it stands in an
// extra field, in this order, as far as it is wanted (APPNOTE.TXT §4.5.3). The
// offset of the file comes back.
func (r *zipRecord) long(extra []byte, offset int64) int64 {
	const id, wanted = 1, 1<<32 - 1
	value := extraField(extra, id)
	next := func(v int64) int64 {
		if v != wanted || len(value) < 8 {
			return v
		}
		v = int64(binary.LittleEndian.Uint64(value) & (1<<62 - 1))
		value = value[8:]
		return v
	}
	r.full = uint64(next(int64(r.full)))
	r.size = next(r.size)
	return next(offset)
}

// extraField is the value of an extra field, nil when there is none.
func extraField(extra []byte, id uint16) []byte {
	for len(extra) >= 4 {
		n := int(binary.LittleEndian.Uint16(extra[2:]))
		if n > len(extra)-4 {
			break
		}
		if binary.LittleEndian.Uint16(extra) == id {
			return extra[4 : 4+n]
		}
		extra = extra[4+n:]
	}
	return nil
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
		size: int64(binary.LittleEndian.Uint32(b[18:])), full: uint64(binary.LittleEndian.Uint32(b[22:])),
	}
	n, extra := int64(binary.LittleEndian.Uint16(b[26:])), int64(binary.LittleEndian.Uint16(b[28:]))
	h.data = at + zipLocal + n + extra
	if at+zipLocal+n > z.f.size {
		return zipRecord{}, ErrUnreadable
	}
	extra = min(extra, z.f.size-at-zipLocal-n)
	if z.locals -= zipLocal + n + extra; z.locals < 0 {
		return zipRecord{}, ErrLimit
	}
	if err := z.Budget.Octets(int(zipLocal + n + extra)); err != nil {
		return zipRecord{}, err
	}
	rest := make([]byte, n+extra)
	if _, err := z.f.ReadAt(rest, at+zipLocal); err != nil && len(rest) > 0 {
		return zipRecord{}, ErrUnreadable
	}
	h.name = rest[:n]
	if h.unicode = unicodePath(rest[n:]); h.unicode == string(h.name) {
		h.unicode = ""
	}
	h.long(rest[n:], 0)
	if h.size == 1<<32-1 {
		h.size = 0 // it is not known
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
		if err := z.unpacked(&h, &h); err != nil {
			return err
		}
		if err := z.described(&h, &h); err != nil {
			return err
		}
		at = h.data
		if h.flags&zipDescribed == 0 && h.data+h.size <= z.f.size {
			at += h.size
		}
	}
}

// unpacked tells what a file is made of, whatever of what its two headers say of
// that is true.
func (z *zipFile) unpacked(e, local *zipRecord) error {
	names := e.names()
	if local != e {
		names = append(names, local.names()...)
	}
	size := max(e.size, local.size)
	if size == 0 && local.flags&zipDescribed != 0 {
		size = z.f.size - local.data // its end is found when it is read
	}
	if isFolder(names[0], uint64(size)) {
		return nil
	}
	if e.flags&local.flags&zipEncrypted != 0 {
		return z.content(nil, names...)
	}
	methods := []uint16{e.method}
	if local.method != e.method {
		methods = append(methods, local.method)
	}
	for _, method := range methods {
		r := z.unpack(method, z.Budget.Reader(io.NewSectionReader(z.f, local.data, max(size, 0))), max(e.full, local.full))
		if err := z.content(r, names...); err != nil {
			return err
		}
	}
	return nil
}

// described looks into a part that says what an office document is made of: the list
// of it, or a relation to what it fetches.
func (z *zipFile) described(e, local *zipRecord) error {
	var look func([]byte) officexml.Found
	for _, name := range append(e.names(), local.names()...) {
		switch {
		case officexml.IsContentTypes(name):
			look = officexml.ContentTypes
		case look == nil && officexml.IsRelations(name):
			look = officexml.Relations
		}
	}
	if look == nil {
		return nil
	}
	const most = 4 << 20 // octets of the part; documents with thousands of links have some hundred KiB
	size := e.size
	if size == 0 {
		size = most
	}
	r := z.unpack(e.method, z.Budget.Reader(io.NewSectionReader(z.f, local.data, min(size, most))), most)
	if r == nil {
		return nil
	}
	part, err := io.ReadAll(io.LimitReader(r, most+1))
	if z.Budget.Err() != nil || errors.Is(err, ErrLimit) {
		return err
	}
	if len(part) > most {
		z.Sign(Damaged)
	}
	z.found(look(part)) // what can be read of it
	// It takes so much longer than to unpack it.
	if z.Unpacked -= (slowness - 1) * int64(len(part)); z.Unpacked < 0 {
		return ErrLimit
	}
	return nil
}
