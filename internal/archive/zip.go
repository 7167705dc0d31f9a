package archive

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
	zipDescribed = 1 << 3 // lengths stand behind the file
	zipUTF8      = 1 << 11
	zipMasked    = 1 << 13 // the central directory is encrypted
)

// zipFile is a zip under inspection.
type zipFile struct {
	*listing
	f      *seekable
	locals int64   // octets of local headers that may still be read: they cannot overlap
	files  []place // of files that both the directory and their own header know
}

// place is where something stands.
type place struct{ from, to int64 }

// zip lists a zip: what every central directory says that some program may
// take for the one, where the files' own headers say otherwise both, and the
// files that only have headers of their own: programs that read a zip as it
// comes look at nothing else.
//
// archive/zip would hold all entries of a directory in memory, about 400
// octets for 46, and shows neither damaged archives nor contradictions.
func (l *listing) zip(f *seekable) error {
	z := &zipFile{listing: l, f: f, locals: f.size}
	err := z.directories()
	if err != nil && !errors.Is(err, ErrUnreadable) {
		return err
	}
	if err := z.headers(); err != nil {
		return err
	}
	return err
}

// directories lists every central directory. It is unreadable when the one
// that counts for most programs, the last, is.
func (z *zipFile) directories() error {
	const maxComment = 1<<16 - 1
	tail := make([]byte, min(z.f.size, zipEnd+maxComment))
	start := z.f.size - int64(len(tail))
	if _, err := z.f.ReadAt(tail, start); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	result, found := ErrUnreadable, false
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
		first, shift, ok := z.directory(tail[at:], start+int64(at))
		if !ok {
			continue
		}
		err := z.entries(first, start+int64(at), shift)
		if err != nil && !errors.Is(err, ErrUnreadable) {
			return err
		}
		if !found {
			result, found = err, true
		}
	}
	return result
}

// directory finds the central directory by its end: its first entry, and
// how far all offsets are off because of what stands before the archive, or
// was left out there.
func (z *zipFile) directory(end []byte, at int64) (first, shift int64, ok bool) {
	size := int64(binary.LittleEndian.Uint32(end[12:]))
	offset := int64(binary.LittleEndian.Uint32(end[16:]))
	count := binary.LittleEndian.Uint16(end[10:])
	if size == 1<<32-1 || offset == 1<<32-1 || count == 1<<16-1 {
		// APPNOTE.TXT §4.3.14: a longer record stands before it.
		b := make([]byte, zip64End+zip64Locator)
		if _, err := z.f.ReadAt(b, at-int64(len(b))); err == nil && string(b[:4]) == sig64End && string(b[zip64End:][:4]) == sig64Locator {
			size = int64(binary.LittleEndian.Uint64(b[40:]) & (1<<62 - 1))
			offset = int64(binary.LittleEndian.Uint64(b[48:]) & (1<<62 - 1))
			at -= int64(len(b))
		}
	}
	if size == 0 && count == 0 {
		return at, at - offset, true
	}
	for _, first := range []int64{at - size, offset} {
		b := make([]byte, len(sigEntry))
		if first < 0 || first >= at {
			continue
		}
		if _, err := z.f.ReadAt(b, first); err == nil && string(b) == sigEntry {
			return first, first - offset, true
		}
	}
	return 0, 0, false
}

// entries lists a central directory that ends before end.
func (z *zipFile) entries(first, end, shift int64) error {
	r := bufio.NewReader(z.Budget.Reader(io.NewSectionReader(z.f, first, end-first)))
	var h [zipEntry]byte
	for {
		if b, err := r.Peek(4); errors.Is(err, io.EOF) && len(b) == 0 || err == nil && string(b) != sigEntry {
			return nil
		}
		if err := z.Budget.Charge(1); err != nil {
			return err
		}
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return ErrUnreadable
		}
		e := zipRecord{
			flags: binary.LittleEndian.Uint16(h[8:]), method: binary.LittleEndian.Uint16(h[10:]),
			size: int64(binary.LittleEndian.Uint32(h[20:])), full: uint64(binary.LittleEndian.Uint32(h[24:])),
		}
		e.name = make([]byte, binary.LittleEndian.Uint16(h[28:]))
		extra := make([]byte, binary.LittleEndian.Uint16(h[30:]))
		if _, err := io.ReadFull(r, e.name); err != nil {
			return ErrUnreadable
		}
		if _, err := io.ReadFull(r, extra); err != nil {
			return ErrUnreadable
		}
		if _, err := r.Discard(int(binary.LittleEndian.Uint16(h[32:]))); err != nil {
			return ErrUnreadable
		}
		if e.flags&zipMasked != 0 {
			return ErrHidden
		}
		if e.unicode = unicodePath(extra); e.unicode == string(e.name) {
			e.unicode = ""
		}
		offset := e.long(extra, int64(binary.LittleEndian.Uint32(h[42:])))
		if err := z.record(&e); err != nil {
			return err
		}
		if err := z.compare(&e, shift+offset); err != nil {
			return err
		}
	}
}

// compare lists the header before a file where it is not what the directory
// has.
func (z *zipFile) compare(e *zipRecord, at int64) error {
	local, err := z.local(at)
	switch {
	case errors.Is(err, ErrUnreadable):
		z.Sign(Damaged)
		return nil
	case err != nil:
		return err
	}
	if !bytes.Equal(local.name, e.name) || local.unicode != e.unicode || local.flags&zipEncrypted != 0 {
		if err := z.record(&local); err != nil {
			return err
		}
	}
	if err := z.unpacked(e, &local); err != nil {
		return err
	}
	if err := z.described(e, &local); err != nil {
		return err
	}
	// What a header says as the directory does needs no other look.
	if local.size == e.size && local.flags&zipDescribed == 0 {
		z.files = append(z.files, place{at, local.data + local.size})
	}
	return nil
}

// record lists what a file is called.
func (z *zipFile) record(r *zipRecord) error {
	if r.flags&zipEncrypted != 0 {
		z.Sign(Encrypted)
	}
	for _, name := range r.names() {
		if isFolder(name, uint64(r.size)) {
			continue
		}
		if err := z.add(name); err != nil {
			return err
		}
	}
	return nil
}

// unicodePath is the name in UTF-8 that stands in an extra field (APPNOTE.TXT
// §4.6.9), "" when there is none.
func unicodePath(extra []byte) string {
	const id, fixed = 0x7075, 5 // version, checksum of the other name
	if value := extraField(extra, id); len(value) > fixed {
		return string(value[fixed:])
	}
	return ""
}
