package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// Of images of disks: ISO 9660 (ECMA-119), its Joliet names, those of Rock
// Ridge, and UDF (ECMA-167).
const (
	sectorISO = 2048
	firstISO  = 16 // the sector of the first descriptor
)

// isImage looks for a descriptor of either system in the sectors where they
// begin.
func isImage(head []byte) bool {
	for at := firstISO*sectorISO + 1; at+5 <= len(head); at += sectorISO {
		for _, id := range []string{"CD001", "BEA01", "NSR02", "NSR03"} {
			if string(head[at:at+5]) == id {
				return true
			}
		}
	}
	return false
}

// image lists the files of an image, by every tree that it has. Where there is
// none that can be read, what looks like a name is one.
func (l *listing) image(f *seekable) error {
	before := l.Names
	err := l.trees(f)
	if err == nil || errors.Is(err, ErrUnreadable) {
		if err := l.udf(f); err != nil {
			return err
		}
		if l.Names == before {
			if err := l.versions(f); err != nil {
				return err
			}
		}
	}
	return err
}

// extent is where the records of a folder are.
type extent struct{ at, size int64 }

// trees reads the trees of the primary and the supplementary descriptors
// (ECMA-119 §8.4, §8.5).
func (l *listing) trees(f *seekable) error {
	const primary, supplementary, terminator, most = 1, 2, 255, 64
	var d [sectorISO]byte
	read, found := false, false
	for n := range most {
		if _, err := f.ReadAt(d[:], int64(firstISO+n)*sectorISO); err != nil || string(d[1:6]) != "CD001" || d[0] == terminator {
			break
		}
		if err := l.Budget.Octets(sectorISO); err != nil {
			return err
		}
		if d[0] != primary && d[0] != supplementary {
			continue
		}
		found = true
		block := int64(binary.LittleEndian.Uint16(d[128:]))
		if block == 0 {
			block = sectorISO
		}
		err := l.tree(f, block, d[156:190], d[0] == supplementary)
		if err != nil && !errors.Is(err, ErrUnreadable) {
			return err
		}
		read = read || err == nil
	}
	if found && !read {
		return ErrUnreadable
	}
	return nil
}

// tree lists the files below a folder whose record is given. No folder is read
// twice, and together they are no longer than the image.
func (l *listing) tree(f *seekable, block int64, root []byte, wide bool) error {
	queue := []extent{folderISO(root, block)}
	seen := map[int64]bool{}
	for left := f.size; len(queue) > 0; queue = queue[1:] {
		folder := queue[0]
		if seen[folder.at] {
			continue
		}
		seen[folder.at] = true
		if folder.at <= 0 || folder.size <= 0 || folder.at > f.size || folder.size > f.size-folder.at {
			return ErrUnreadable
		}
		if left -= folder.size; left < 0 {
			return ErrLimit
		}
		more, err := l.folder(f, folder, block, wide)
		if err != nil {
			return err
		}
		queue = append(queue, more...)
	}
	return nil
}

// folder lists the records of a folder (ECMA-119 §9.1), and returns the folders
// in it.
func (l *listing) folder(f *seekable, at extent, block int64, wide bool) ([]extent, error) {
	const fixed, isFolder = 33, 0x02
	var folders []extent
	var sector [sectorISO]byte
	r := l.Budget.Reader(io.NewSectionReader(f, at.at, at.size))
	for {
		n, err := io.ReadFull(r, sector[:])
		if l.Budget.Err() != nil {
			return nil, l.Budget.Err()
		}
		for b := sector[:n]; len(b) > fixed && b[0] != 0; b = b[b[0]:] {
			if err := l.Budget.Charge(1); err != nil {
				return nil, err
			}
			size, length := int(b[0]), int(b[32])
			if size > len(b) || fixed+length > size {
				return nil, ErrUnreadable
			}
			id := b[fixed : fixed+length]
			folder := b[25]&isFolder != 0
			switch {
			case length == 1 && id[0] <= 1: // the folder itself, the one around
			case folder:
				folders = append(folders, folderISO(b, block))
			default:
				names := append(rockRidge(b[fixed+length:size]), nameISO(id, wide))
				content := folderISO(b, block)
				if err := l.file(l.metered(io.NewSectionReader(f, content.at, content.size)), names...); err != nil {
					return nil, err
				}
			}
		}
		if err != nil { // the end
			return folders, nil
		}
	}
}

func folderISO(record []byte, block int64) extent {
	return extent{int64(binary.LittleEndian.Uint32(record[2:])) * block, int64(binary.LittleEndian.Uint32(record[10:]))}
}

// nameISO reads a name, without its version.
func nameISO(id []byte, wide bool) string {
	name := ""
	if wide {
		units := make([]uint16, len(id)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(id[2*i:])
		}
		name = utf16Name(units)
	} else {
		name = toUTF8(string(id))
	}
	name, _, _ = strings.Cut(name, ";")
	return name
}

// rockRidge is the name among the fields behind a record (RRIP §4.1.4), if there
// is one.
func rockRidge(b []byte) []string {
	const fixed = 5
	if len(b) > 0 && b[0] == 0 { // padding
		b = b[1:]
	}
	var name []byte
	for len(b) >= 4 && int(b[2]) >= 4 && int(b[2]) <= len(b) {
		if string(b[:2]) == "NM" && b[2] >= fixed {
			name = append(name, b[fixed:b[2]]...)
		}
		b = b[b[2]:]
	}
	if name == nil {
		return nil
	}
	return []string{toUTF8(string(name))}
}

// udf lists what File Identifier Descriptors name (ECMA-167 part 4 §14.4),
// wherever they stand: the way to them is long, and an image that lacks a part
// of it may still be opened.
func (l *listing) udf(f *seekable) error {
	const fixed, isFolder, isParent = 38, 0x02, 0x08
	for _, tag := range []string{"\x01\x01\x02\x00", "\x01\x01\x03\x00"} { // 257, version 2 or 3
		w := &window{listing: l, f: f}
		for at := int64(0); ; at++ {
			if err := l.Budget.Charge(1); err != nil {
				return err
			}
			var err error
			if at, err = w.find(at, f.size, tag); err != nil || at < 0 {
				if err != nil {
					return err
				}
				break
			}
			var d [fixed]byte
			if _, err := f.ReadAt(d[:], at); err != nil || at%4 != 0 {
				continue
			}
			var sum byte
			for i, c := range d[:16] {
				if i != 4 {
					sum += c
				}
			}
			n := int64(d[19])
			if sum != d[4] || n < 2 || d[18]&(isFolder|isParent) != 0 {
				continue
			}
			if err := l.Budget.Octets(fixed + int(n)); err != nil {
				return err
			}
			name := make([]byte, n)
			if _, err := f.ReadAt(name, at+fixed+int64(binary.LittleEndian.Uint16(d[36:]))); err != nil {
				l.Sign(Damaged)
				continue
			}
			text := toUTF8(string(name[1:]))
			if name[0] == 16 {
				text = nameISO(name[1:], true)
			}
			if err := l.file(nil, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// versions lists what looks like a name with a version: NAME.EXT;1.
func (l *listing) versions(f *seekable) error {
	const longest = 221
	w := &window{listing: l, f: f}
	last := int64(0)
	for at := int64(0); ; at++ {
		var err error
		if at, err = w.find(at, f.size, ";1"); err != nil || at < 0 {
			return err
		}
		if err := l.Budget.Charge(1); err != nil {
			return err
		}
		from := max(at-longest, last)
		last = at
		b := make([]byte, at-from)
		if err := l.Budget.Octets(len(b)); err != nil {
			return err
		}
		if _, err := f.ReadAt(b, from); err != nil {
			return err
		}
		name := b[bytes.LastIndexFunc(b, func(r rune) bool {
			return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '.' && r != '_' && r != '-'
		})+1:]
		if bytes.IndexByte(name, '.') < 0 {
			continue
		}
		if err := l.file(nil, string(name)); err != nil {
			return err
		}
	}
}
