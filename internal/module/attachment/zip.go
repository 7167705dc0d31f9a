package attachment

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// Lengths of the records of a zip (APPNOTE.TXT §4.3), and their signatures.
const (
	zipLocal     = 30 // of the header before each file
	zipEntry     = 46 // in the central directory
	zipEnd       = 22 // of the central directory
	zip64End     = 56
	zip64Locator = 20

	sigLocal     = "PK\x03\x04"
	sigEntry     = "PK\x01\x02"
	sigEnd       = "PK\x05\x06"
	sig64End     = "PK\x06\x06"
	sig64Locator = "PK\x06\x07"

	zipEncrypted = 1 << 0
	zipUTF8      = 1 << 11
	zipMasked    = 1 << 13 // the central directory is encrypted
)

// zip lists a zip: what every central directory says that some program may
// take for the one, where the files' own headers say otherwise both, and the
// files' own headers alone where the directory is damaged or something stands
// before the archive.
//
// archive/zip would hold all entries of a directory in memory, about 400
// octets for 46, and shows neither damaged archives nor contradictions.
func (l *listing) zip(f *spooled) error {
	const maxComment = 1<<16 - 1
	tail := make([]byte, min(f.size, zipEnd+maxComment))
	start := f.size - int64(len(tail))
	if _, err := f.ReadAt(tail, start); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	result := errUnreadable
	scan := true
	const mostEnds = 8 // a comment may hold some
	at := len(tail)
	for n := range mostEnds {
		at = bytes.LastIndex(tail[:at], []byte(sigEnd))
		if at < 0 {
			break
		}
		// That of an archive within this one is none of ours: the last one
		// counts for most programs, and those whose comment ends with the
		// archive, for some.
		if len(tail)-at < zipEnd || n > 0 && len(tail)-at != zipEnd+int(binary.LittleEndian.Uint16(tail[at+20:])) {
			continue
		}
		first, shift, ok := l.zipDirectory(f, tail[at:], start+int64(at))
		if !ok {
			continue
		}
		err := l.zipEntries(f, first, start+int64(at), shift)
		if err != nil && !errors.Is(err, errUnreadable) {
			return err
		}
		if result != nil {
			result, scan = err, err != nil || shift > 0
		}
	}
	if !scan {
		return result
	}
	if err := l.zipHeaders(f); err != nil {
		return err
	}
	return result
}

// zipDirectory finds the central directory by its end: its first entry, and
// how far all offsets are off because of what stands before the archive.
func (l *listing) zipDirectory(f *spooled, end []byte, at int64) (first, shift int64, ok bool) {
	size := int64(binary.LittleEndian.Uint32(end[12:]))
	offset := int64(binary.LittleEndian.Uint32(end[16:]))
	count := binary.LittleEndian.Uint16(end[10:])
	if size == 1<<32-1 || offset == 1<<32-1 || count == 1<<16-1 {
		// APPNOTE.TXT §4.3.14: a longer record stands before it.
		b := make([]byte, zip64End+zip64Locator)
		if _, err := f.ReadAt(b, at-int64(len(b))); err == nil && string(b[:4]) == sig64End && string(b[zip64End:][:4]) == sig64Locator {
			size = int64(binary.LittleEndian.Uint64(b[40:]) & (1<<62 - 1))
			offset = int64(binary.LittleEndian.Uint64(b[48:]) & (1<<62 - 1))
			at -= int64(len(b))
		}
	}
	if size == 0 && count == 0 {
		return at, max(at-offset, 0), true
	}
	for _, first := range []int64{at - size, offset} {
		b := make([]byte, len(sigEntry))
		if first < 0 || first >= at {
			continue
		}
		if _, err := f.ReadAt(b, first); err == nil && string(b) == sigEntry {
			return first, max(first-offset, 0), true
		}
	}
	return 0, 0, false
}

// zipEntries lists a central directory that ends before end.
func (l *listing) zipEntries(f *spooled, first, end, shift int64) error {
	r := bufio.NewReader(io.NewSectionReader(f, first, end-first))
	var h [zipEntry]byte
	for {
		if err := l.ctx.Err(); err != nil {
			return err
		}
		if b, err := r.Peek(4); errors.Is(err, io.EOF) && len(b) == 0 || err == nil && string(b) != sigEntry {
			return nil
		}
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return errUnreadable
		}
		flags := binary.LittleEndian.Uint16(h[8:])
		name := make([]byte, binary.LittleEndian.Uint16(h[28:]))
		extra := make([]byte, binary.LittleEndian.Uint16(h[30:]))
		if _, err := io.ReadFull(r, name); err != nil {
			return errUnreadable
		}
		if _, err := io.ReadFull(r, extra); err != nil {
			return errUnreadable
		}
		if _, err := r.Discard(int(binary.LittleEndian.Uint16(h[32:]))); err != nil {
			return errUnreadable
		}
		if flags&zipMasked != 0 {
			return errEncrypted
		}
		if err := l.zipName(flags, name); err != nil {
			return err
		}
		if path := unicodePath(extra); path != "" && path != string(name) {
			if err := l.add(path); err != nil {
				return err
			}
		}
		offset := int64(binary.LittleEndian.Uint32(h[42:]))
		if offset == 1<<32-1 {
			continue
		}
		local, err := readLocal(f, shift+offset)
		if err != nil {
			l.found(SymbolArchiveUnreadable)
			continue
		}
		if !bytes.Equal(local.name, name) {
			if err := l.zipName(local.flags, local.name); err != nil {
				return err
			}
		}
	}
}

func (l *listing) zipName(flags uint16, name []byte) error {
	if flags&zipEncrypted != 0 {
		l.found(SymbolArchiveEncrypted)
	}
	if flags&zipUTF8 != 0 {
		return l.add(string(name))
	}
	return l.add(toUTF8(string(name)))
}

// unicodePath is the name in UTF-8 that stands in an extra field (APPNOTE.TXT
// §4.6.9), "" when there is none.
func unicodePath(extra []byte) string {
	const id, fixed = 0x7075, 5 // version, checksum of the other name
	for len(extra) >= 4 {
		n := int(binary.LittleEndian.Uint16(extra[2:]))
		if n > len(extra)-4 {
			break
		}
		if binary.LittleEndian.Uint16(extra) == id && n > fixed {
			return string(extra[4+fixed : 4+n])
		}
		extra = extra[4+n:]
	}
	return ""
}

// zipHeader is the header before a file.
type zipHeader struct {
	flags uint16
	name  []byte
	next  int64 // offset behind the file, if its length is known
	data  int64 // offset of its content
}

func readLocal(f *spooled, at int64) (zipHeader, error) {
	var b [zipLocal]byte
	if _, err := f.ReadAt(b[:], at); err != nil || string(b[:4]) != sigLocal {
		return zipHeader{}, errUnreadable
	}
	h := zipHeader{flags: binary.LittleEndian.Uint16(b[6:]), name: make([]byte, binary.LittleEndian.Uint16(b[26:]))}
	if _, err := f.ReadAt(h.name, at+zipLocal); err != nil && len(h.name) > 0 {
		return zipHeader{}, errUnreadable
	}
	h.data = at + zipLocal + int64(len(h.name)) + int64(binary.LittleEndian.Uint16(b[28:]))
	if size := int64(binary.LittleEndian.Uint32(b[18:])); size > 0 && size < 1<<32-1 {
		h.next = h.data + size
	}
	return h, nil
}

// zipHeaders lists the headers before the files, one after the other.
func (l *listing) zipHeaders(f *spooled) error {
	w := &window{f: f}
	for at := int64(0); ; {
		at = w.find(at, sigLocal)
		if at < 0 {
			return nil
		}
		if err := l.ctx.Err(); err != nil {
			return err
		}
		h, err := readLocal(f, at)
		if err != nil {
			at++
			continue
		}
		if err := l.zipName(h.flags, h.name); err != nil {
			return err
		}
		at = h.data
		if h.next > 0 && h.next <= f.size {
			at = h.next
		}
	}
}

// window finds texts in an archive, further and further on.
type window struct {
	f     *spooled
	buf   [32 << 10]byte
	start int64
	n     int
}

// find is the offset of a text from some offset on, -1 when there is none.
func (w *window) find(from int64, text string) int64 {
	for from < w.f.size {
		if from < w.start || from+int64(len(text)) > w.start+int64(w.n) {
			n, err := w.f.ReadAt(w.buf[:], from)
			if n < len(text) || err != nil && !errors.Is(err, io.EOF) {
				return -1
			}
			w.start, w.n = from, n
		}
		if i := bytes.Index(w.buf[from-w.start:w.n], []byte(text)); i >= 0 {
			return from + int64(i)
		}
		from = w.start + int64(w.n-len(text)+1)
	}
	return -1
}
