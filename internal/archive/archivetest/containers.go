package archivetest

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"testing"
	"unicode/utf16"

	"github.com/ulikunitz/xz"
)

// Behind is an archive behind a program of so many octets, as those that unpack
// themselves are.
func Behind(n int, archive []byte) []byte {
	b := make([]byte, n)
	copy(b, "MZ")
	return append(b, archive...)
}

// XZOf is an xz of some content.
func XZOf(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// CabOf is a cabinet that lists files.
func CabOf(names ...string) []byte {
	const header = 36
	b := make([]byte, header)
	copy(b, "MSCF")
	binary.LittleEndian.PutUint32(b[16:], header)
	b[24], b[25] = 3, 1 // version
	binary.LittleEndian.PutUint16(b[28:], uint16(len(names)))
	for _, name := range names {
		b = append(b, make([]byte, 16)...)
		b = append(append(b, name...), 0)
	}
	binary.LittleEndian.PutUint32(b[8:], uint32(len(b)))
	return b
}

// ISOOf is an image with one folder of files, named in the primary descriptor
// in capital letters with a version, and as they are in Joliet's.
func ISOOf(names ...string) []byte { return ISOWith([]byte{0}, names...) }

// ISOWith is an image of files that all have one content.
func ISOWith(content []byte, names ...string) []byte {
	const sector, folders = 2048, 2
	const behind = 16 + 3 + 1 + folders // sectors before the content
	b := make([]byte, 20*sector)
	record := func(id []byte, at, size uint32, flags byte) []byte {
		r := make([]byte, 33+len(id)+(len(id)+1)%2)
		r[0], r[25], r[32] = byte(len(r)), flags, byte(len(id))
		binary.LittleEndian.PutUint32(r[2:], at)
		binary.LittleEndian.PutUint32(r[10:], size)
		copy(r[33:], id)
		return r
	}
	for i, kind := range []byte{1, 2, 255} {
		d := b[(16+i)*sector:]
		d[0] = kind
		copy(d[1:], "CD001\x01")
		if kind == 255 {
			break
		}
		binary.LittleEndian.PutUint16(d[128:], sector)
		at := uint32(len(b) / sector)
		folder := append(record([]byte{0}, at, sector, 2), record([]byte{1}, at, sector, 2)...)
		for _, name := range names {
			id := []byte(string(bytes.ToUpper([]byte(name))) + ";1")
			if kind == 2 {
				id = nil
				for _, u := range utf16.Encode([]rune(name)) {
					id = binary.BigEndian.AppendUint16(id, u)
				}
			}
			folder = append(folder, record(id, behind, uint32(len(content)), 0)...)
		}
		copy(d[156:], record([]byte{0}, at, sector, 2))
		b = append(b, append(folder, make([]byte, sector-len(folder))...)...)
	}
	return append(b, content...)
}

// UDFOf is what is left of a UDF image: that it is one, and the names.
func UDFOf(names ...string) []byte {
	const sector = 2048
	b := make([]byte, 20*sector)
	copy(b[16*sector+1:], "BEA01")
	copy(b[17*sector+1:], "NSR02")
	for _, name := range names {
		d := make([]byte, 38)
		copy(d, "\x01\x01\x02\x00")
		d[19] = byte(len(name) + 1)
		for i, c := range d[:16] {
			if i != 4 {
				d[4] += c
			}
		}
		d = append(append(d, 8), name...)
		for len(d)%4 != 0 {
			d = append(d, 0)
		}
		b = append(b, d...)
	}
	return b
}

// TNEFOf is a winmail.dat with attached files: the first of its names is short,
// the second in its properties.
func TNEFOf(short, long string) []byte { return TNEFWith([]byte("MZ"), short, long) }

// TNEFWith is a winmail.dat with a file that has some content.
func TNEFWith(content []byte, short, long string) []byte {
	b := []byte("\x78\x9f\x3e\x22\x01\x00")
	attribute := func(level byte, id uint32, value []byte) {
		b = append(b, level)
		b = binary.LittleEndian.AppendUint32(b, id)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
		b = append(append(b, value...), 0, 0)
	}
	attribute(1, 0x00089006, []byte{0, 0, 1, 0})
	attribute(2, 0x00069002, make([]byte, 14))
	attribute(2, 0x00018010, append([]byte(short), 0))
	var wide []byte
	for _, u := range utf16.Encode([]rune(long + "\x00")) {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	p := []byte{2, 0, 0, 0, 0x03, 0, 0x05, 0x37, 1, 0, 0, 0} // PR_ATTACH_METHOD
	p = append(p, 0x1f, 0, 0x07, 0x37, 1, 0, 0, 0)
	p = append(binary.LittleEndian.AppendUint32(p, uint32(len(wide))), wide...)
	for len(p)%4 != 0 {
		p = append(p, 0)
	}
	attribute(2, 0x0006800f, content)
	attribute(2, 0x00069005, p)
	return b
}

// OLEOf is a compound file with storages of these names.
func OLEOf(storages ...string) []byte {
	b := make([]byte, 1024)
	copy(b, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	for _, name := range append([]string{"Root Entry"}, storages...) {
		e := make([]byte, 128)
		for i, u := range utf16.Encode([]rune(name)) {
			binary.LittleEndian.PutUint16(e[2*i:], u)
		}
		e[64], e[66] = byte(2*len(name)+2), 1
		b = append(b, e...)
	}
	return append(b, make([]byte, 512-len(b)%512)...)
}

// DocmOf is an office document whose project of macros is called part.
func DocmOf(t testing.TB, part string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range [][2]string{
		{"[Content_Types].xml", `<Types><Override PartName="/` + part + `" ContentType="application/vnd.ms-office.vbaProject"/></Types>`},
		{"word/document.xml", "<x/>"}, {part, "x"},
	} {
		p, err := w.Create(f[0])
		if err == nil {
			_, err = io.WriteString(p, f[1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Attached is a message with one attached file.
func Attached(name string, content []byte) []byte {
	return fmt.Appendf(nil, "MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=%q\r\n"+
		"Content-Transfer-Encoding: base64\r\n\r\n%s\r\n", name, base64.StdEncoding.EncodeToString(content))
}

// Disguise is a container or a disguise that a program is sent in.
type Disguise struct {
	Name    string // of the attached file
	Content []byte
	// Inside: the name of the file within is listed. Otherwise a symbol says
	// that something was not read.
	Inside bool
}

// Disguises are all of them, each with a file of that name within.
func Disguises(t testing.TB, file string) []Disguise {
	t.Helper()
	tarball := TarOf(t, "readme.txt", file)
	rar5, rar4 := Rar5Of("readme.txt", file), Rar4Of(0, "readme.txt", file)
	plain := ZipOf(t, "readme.txt", file)
	noDirectory := plain[:bytes.Index(plain, []byte("PK\x01\x02"))]
	emptyDirectory := append(bytes.Clone(noDirectory), "PK\x05\x06"+string(make([]byte, 18))...)
	binary.LittleEndian.PutUint32(emptyDirectory[len(noDirectory)+16:], uint32(len(noDirectory)))
	inner := Attached(file, []byte("MZ"))
	return []Disguise{
		{"docs.zip", plain, true},
		{"docs.docx", append([]byte("some octets before it "), plain...), true},
		{"nodirectory.zip", noDirectory, true},
		{"emptydirectory.zip", emptyDirectory, true},
		{"hidden.zip", append(bytes.Clone(noDirectory), ZipOf(t, "readme.txt")...), true},
		{"nul.zip", RawZip(t, "", []byte("x"), zip.FileHeader{Name: file + "\x00.txt"}), true},
		{"folder.zip", bytes.ReplaceAll(RawZip(t, "", []byte("x"), zip.FileHeader{Name: file + "!"}), []byte(file+"!"), []byte(file+"/")), true},
		{"dots.zip", RawZip(t, "", []byte("x"), zip.FileHeader{Name: file + " . ."}), true},
		{"docs.rar", rar5, true},
		{"old.rar", rar4, true},
		{"sfx.rar", Behind(100, rar5), true},
		{"sfx-old.rar", Behind(1<<20-100, rar4), true},
		{"photo.jpg", Behind(70_000, rar5)[2:], true},
		{"docs.7z", SevenZipOf("readme.txt", file), true},
		{"sfx.7z", Behind(5000, SevenZipOf("readme.txt", file)), true},
		{"decoy.rar", append([]byte("Rar!\x1a\x07\x01\x00 no "), rar5...), false},
		{"docs.tar", tarball, true},
		{"docs.tgz", GzipOf(t, "", tarball), true},
		{"docs.txz", XZOf(t, tarball), true},
		{file + ".gz", GzipOf(t, "", []byte("MZ")), true},
		{file + ".xz", XZOf(t, []byte("MZ")), true},
		{"docs.cab", CabOf("readme.txt", file), true},
		{"scan.iso", ISOOf("readme.txt", file), true},
		{"scan.img", ISOOf(file), true},
		{"scan.udf", UDFOf("readme.txt", file), true},
		{"forwarded.msg", CompoundOf(MSGOf(file, []byte("MZ"), true)), true},
		{"old.msg", CompoundOf(MSGOf(file, make([]byte, 70_000), false)), true},
		{"within.msg", CompoundOf(MSGWithin(MSGWithin(MSGOf(file, []byte("MZ"), true)))), true},
		{"letter.doc", CompoundOf(PackageOf(file, make([]byte, 9000))), true},
		{"winmail.dat", TNEFOf("INVOIC~1.EXE", file), true},
		{"smime.p7m", SignedOf(inner, 0), true},
		{"smime-pieces.p7m", SignedOf(inner, 16), true},
		{"forwarded.eml", inner, true},
		{"none.rar", []byte("no archive at all"), false},
		{"none.7z", []byte("no archive at all"), false},
		{"none.tgz", []byte("no archive at all"), false},
		{"none.tar", []byte("no archive at all"), false},
		{"none.cab", []byte("no archive at all"), false},
		{"none.xz", []byte("no archive at all"), false},
		{"none.gz", []byte("no archive at all"), false},
		{"none.iso", []byte("no archive at all"), false},
		{"cut.rar", rar5[:12], false},
	}
}
