package attachment

import (
	"bytes"
	"encoding/binary"
)

// kind is what the content of a part is, by the octets that it begins with.
type kind uint8

const (
	kindOther kind = iota
	kindProgram
	kindZip
	kindTar
	kindGzip
	kindBzip2
	kindRar
	kind7z
	kindPacked // an archive that is not read
)

// headSize is how many octets kindOf wants to see: a block of tar.
const headSize = 512

// kindOf recognises content.
func kindOf(head []byte) kind {
	has := func(at int, magic string) bool {
		return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
	}
	switch {
	case isProgram(head):
		return kindProgram
	case has(0, "PK\x03\x04"), has(0, "PK\x05\x06"), has(0, "PK\x07\x08PK"), has(0, "PK00PK\x03\x04"):
		return kindZip
	case has(0, "Rar!\x1a\x07"):
		return kindRar
	case has(0, "7z\xbc\xaf\x27\x1c"):
		return kind7z
	case has(0, "\x1f\x8b\x08"):
		return kindGzip
	case has(0, "BZh") && (has(4, "1AY&SY") || has(4, "\x17rE8P\x90")):
		return kindBzip2
	case isTar(head):
		return kindTar
	case has(0, "\xfd7zXZ\x00"), has(0, "\x28\xb5\x2f\xfd"), has(0, "MSCF\x00"), has(7, "**ACE**"), has(0, "LZIP"),
		has(0, "\x60\xea") && len(head) > 10 && head[10] <= 2, has(2, "-lh") && has(6, "-"), has(0, "\x1f\x9d"), has(0, "RE~^"):
		return kindPacked
	}
	return kindOther
}

// isProgram tells whether an operating system would run the content.
func isProgram(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	switch magic := binary.BigEndian.Uint32(head); {
	case magic == 0x7f454c46: // ELF
		return true
	case magic == 0xfeedface, magic == 0xfeedfacf, magic == 0xcefaedfe, magic == 0xcffaedfe: // Mach-O
		return true
	case magic == 0x4c000000: // a Windows shortcut, with its class
		return bytes.HasPrefix(head[4:], []byte{0x01, 0x14, 0x02, 0x00})
	case head[0] == 'M' && head[1] == 'Z', head[0] == 'Z' && head[1] == 'M':
		// A text may begin so, but has no NUL.
		return len(head) >= 28 && bytes.IndexByte(head[:28], 0) >= 0
	case head[0] == '#' && head[1] == '!':
		line, _, _ := bytes.Cut(head[2:], []byte("\n"))
		return bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("/"))
	}
	return false
}

// isTar checks the sum that a block of tar has, as a number of octal digits,
// over all octets but its own.
func isTar(head []byte) bool {
	const at, size = 148, 8
	if len(head) < headSize {
		return false
	}
	want, digits := 0, 0
	for _, c := range bytes.Trim(head[at:at+size], " \x00") {
		if c < '0' || c > '7' {
			return false
		}
		want = want<<3 | int(c-'0')
		digits++
	}
	sum := size * int(' ')
	for i, c := range head[:headSize] {
		if i < at || i >= at+size {
			sum += int(c)
		}
	}
	return digits > 0 && sum == want
}
