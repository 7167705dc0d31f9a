package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
)

const (
	// sigOneNote is what a section of OneNote begins with ([MS-ONESTORE] §2.3.1).
	sigOneNote = "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"
	// sigStored is what a file within begins with (§2.6.13).
	sigStored = "\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac"
)

// oneNote lists the files within a section of OneNote: what they are made of, and all
// that may be what one of them is called, wherever that stands. Pictures of a page are
// stored likewise, and are no files to who reads it.
func (l *listing) oneNote(f *seekable) error {
	const (
		window  = 64 << 10
		overlap = 2 << 10
		head    = 16 + 8 + 4 + 8 // signature, length, unused, reserved
	)
	var names []string
	files := false
	buffer := make([]byte, window)
	for at := int64(0); at < f.size; at += window - overlap {
		n, err := f.ReadAt(buffer, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err := l.Budget.Octets(n); err != nil {
			return err
		}
		for from := 0; ; {
			i := bytes.Index(buffer[from:n], []byte(sigStored))
			if i < 0 {
				break
			}
			from += i + len(sigStored)
			if at > 0 && from <= overlap {
				continue // it was met in the window before
			}
			stored := at + int64(from-len(sigStored))
			var h [head]byte
			if _, err := f.ReadAt(h[:], stored); errors.Is(err, io.EOF) {
				break // there is no content behind it: what stands before it counts
			} else if err != nil {
				return ErrUnreadable
			}
			size := binary.LittleEndian.Uint64(h[16:])
			rest := f.size - stored - head
			content := io.NewSectionReader(f, stored+head, int64(min(size, uint64(rest)))) //nolint:gosec // rest is not below zero
			var begin [8]byte
			if n, _ := content.ReadAt(begin[:], 0); isPicture(begin[:n]) {
				continue
			}
			files = true
			if err := l.content(l.metered(content)); err != nil {
				return err
			}
		}
		if len(names) < l.Names {
			names = append(names, namesIn(buffer[:n])...)
		}
	}
	if !files {
		return nil
	}
	for _, name := range names {
		if err := l.add(name); err != nil {
			return err
		}
	}
	return nil
}

// isPicture tells a picture by its first octets. Those of a bitmap may be the letters
// that a script begins with: what is reserved in its head is zero.
func isPicture(head []byte) bool {
	if bytes.HasPrefix(head, []byte("BM")) {
		return len(head) == 8 && head[6] == 0 && head[7] == 0
	}
	for _, magic := range []string{"\x89PNG", "\xff\xd8\xff", "GIF8", "\x01\x00\x00\x00", "\xd7\xcd\xc6\x9a", "II*\x00", "MM\x00*"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// namesIn are the texts with a point and an extension behind it that stand behind
// their length, as properties do ([MS-ONE] §2.2.72, EmbeddedFileName).
func namesIn(b []byte) (names []string) {
	const longest = 255 // characters
	unit := func(at int) uint16 {
		if at < 0 || at+2 > len(b) {
			return 0
		}
		return binary.LittleEndian.Uint16(b[at:])
	}
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte(".\x00"))
		if i < 0 {
			return names
		}
		from, to := at+i, at+i+2
		at = to
		for from-at > -2*longest && unit(from-2) >= ' ' {
			from -= 2
		}
		for to-at < 2*longest && unit(to) >= ' ' {
			to += 2
		}
		dot := at
		at = max(at, to)
		size := to - from
		if from < 4 || size > 2*longest {
			continue
		}
		said := int(binary.LittleEndian.Uint32(b[from-4:]))
		switch {
		case said == size, said == size+2:
		case said > dot-from && said < size && said%2 == 0: // what follows it may look like more of it
			to = from + said
			at, size = to, said
		default:
			continue
		}
		units := make([]uint16, 0, size/2)
		for i := from; i < to; i += 2 {
			units = append(units, unit(i))
		}
		names = append(names, string(utf16.Decode(units)))
	}
}
