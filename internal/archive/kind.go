package archive

import (
	"bytes"
	"encoding/binary"

	"github.com/tollgate-mail/tollgate/internal/biff"
	"github.com/tollgate-mail/tollgate/internal/officexml"
	"github.com/tollgate-mail/tollgate/internal/pdf"
)

// Kind is what some content is, by its octets.
type Kind uint8

// The kinds.
const (
	Other Kind = iota
	Executable
	Zip
	Tar
	Gzip
	Bzip2
	XZ
	Rar
	SevenZip
	Cab
	TNEF   // winmail.dat of Exchange and Outlook
	OLE    // the office documents of old
	Image  // of a disk: ISO 9660, Joliet, UDF
	Packed // an archive that is not read
	RTF
	OneNote
	PDF
	FlatXML    // an office document in one text
	ActiveMIME // macros of one
	Sheets     // of Excel, in no compound file
)

// Holds tells whether a kind is that of documents, which may have files or macros in
// them: what such a document is called says nothing against it.
func (k Kind) Holds() bool {
	return k == OLE || k == TNEF || k == RTF || k == PDF || k == OneNote || k == FlatXML || k == ActiveMIME || k == Sheets
}

// Head is how many octets of what may be an image KindOf wants to see; documents, which
// may have others before what they are known by, are known by HeadDocument, what else there
// is by the first HeadShort.
const (
	Head      = sectorISO * (firstISO + 4)
	HeadShort = 512 // a block of tar

	HeadDocument = 4 << 10
)

// KindOf recognises content by what it begins with.
func KindOf(head []byte) Kind {
	has := func(at int, magic string) bool {
		return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
	}
	switch {
	case isProgram(head):
		return Executable
	case has(0, "PK\x03\x04"), has(0, "PK\x05\x06"), has(0, "PK\x07\x08PK"), has(0, "PK00PK\x03\x04"):
		return Zip
	case has(0, "Rar!\x1a\x07"):
		return Rar
	case has(0, sig7z):
		return SevenZip
	case has(0, "\x1f\x8b\x08"):
		return Gzip
	case has(0, "BZh") && (has(4, "1AY&SY") || has(4, "\x17rE8P\x90")):
		return Bzip2
	case has(0, sigXZ):
		return XZ
	case has(0, "MSCF\x00\x00\x00\x00"):
		return Cab
	case has(0, sigTNEF):
		return TNEF
	case has(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
		return OLE
	case has(0, sigOneNote):
		return OneNote
	case has(0, "ActiveMime"):
		return ActiveMIME
	case biff.Is(head):
		return Sheets
	case isRTF(head):
		return RTF
	case officexml.IsFlat(head):
		return FlatXML
	case isTar(head):
		return Tar
	case isImage(head):
		return Image
	case isPacked(has, head):
		return Packed
	case pdf.Is(head): // it may stand in what programs leave out of an image
		return PDF
	}
	return Other
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
	case magic == 0xcafebabe, magic == 0xcafebabf: // Mach-O of several processors; a class of Java
		return true
	case magic == 0x6465780a: // what Android runs; a text may begin so, but has no NUL
		return len(head) >= 8 && head[7] == 0
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
	if len(head) < HeadShort {
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
	for i, c := range head[:HeadShort] {
		if i < at || i >= at+size {
			sum += int(c)
		}
	}
	return digits > 0 && sum == want
}
