package archivetest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ulikunitz/xz/lzma"
)

// Container is a way to put a file into an archive.
type Container struct {
	Name string // of the archive, with "%s" where something of its own may stand; of what has no name for its file, that which follows the file's
	Of   func(name string, content []byte) []byte
	// Opened: what is within an archive in it is looked for. Of the others only the
	// name of that is known.
	Opened bool
}

// Containers are all of them.
func Containers(t testing.TB) []Container {
	t.Helper()
	method := func(method uint16, pack func([]byte) []byte) func(string, []byte) []byte {
		return func(name string, content []byte) []byte {
			return packedZip(t, zip.FileHeader{Name: name, Method: method, UncompressedSize64: uint64(len(content))}, pack(content))
		}
	}
	same := func(b []byte) []byte { return b }
	return []Container{
		{"deflated%s.zip", func(name string, content []byte) []byte { return ZipWith(t, name, content) }, true},
		{"stored%s.zip", method(zip.Store, same), true},
		{"lzma%s.zip", method(14, func(b []byte) []byte { return zipLZMA(t, b) }), true},
		{"xz%s.zip", method(95, func(b []byte) []byte { return XZOf(t, b) }), true},
		{"docs%s.docx", func(name string, content []byte) []byte { return ZipWith(t, "word/embeddings/"+name, content) }, true},
		{"docs%s.tar", func(name string, content []byte) []byte { return tarWith(t, name, content) }, true},
		{"docs%s.tgz", func(name string, content []byte) []byte { return GzipOf(t, "", tarWith(t, name, content)) }, true},
		{"docs%s.gz", func(name string, content []byte) []byte { return GzipOf(t, name, content) }, true},
		{".xz", func(_ string, content []byte) []byte { return XZOf(t, content) }, true},
		{"new%s.rar", func(name string, content []byte) []byte { return Rar5With(content, 0, name) }, true},
		{"old%s.rar", func(name string, content []byte) []byte { return Rar4With(content, 0, name) }, true},
		{"scan%s.iso", func(name string, content []byte) []byte { return ISOWith(content, name) }, true},
		{"winmail%s.tnef", func(name string, content []byte) []byte { return TNEFWith(content, "DOCS~1", name) }, true},
		{"mail%s.msg", func(name string, content []byte) []byte { return CompoundOf(MSGOf(name, content, true)) }, true},
		{"old%s.msg", func(name string, content []byte) []byte { return CompoundOf(MSGOf(name, content, false)) }, true},
		{"within%s.msg", func(name string, content []byte) []byte { return CompoundOf(MSGWithin(MSGOf(name, content, true))) }, true},
		{"letter%s.eml", Attached, true},
		{"signed%s.p7m", func(name string, content []byte) []byte { return SignedOf(Attached(name, content), 0) }, true},
		{"deflate64%s.zip", method(9, same), false},
		{"locked%s.zip", func(name string, content []byte) []byte {
			return RawZip(t, "", content, zip.FileHeader{Name: name, Flags: 1})
		}, false},
		{"locked%s.rar", func(name string, content []byte) []byte { return Rar5With(content, 0, name+"*") }, false},
		{"packed%s.rar", func(name string, content []byte) []byte { return Rar5With(content, 3, name) }, false},
		{"docs%s.7z", func(name string, _ []byte) []byte { return SevenZipOf(name) }, false},
		{"docs%s.cab", func(name string, _ []byte) []byte { return CabOf(name) }, false},
	}
}

// Nest puts a file into so many archives within each other, any of them. What
// comes back is the outermost, and whether all of them are opened.
func Nest(t testing.TB, random *rand.Rand, depth int, name string, content []byte) (outer string, archive []byte, opened bool) {
	t.Helper()
	all := Containers(t)
	opened = true
	for n := range depth {
		c := all[random.IntN(len(all))]
		for !c.Opened && strings.HasSuffix(name, ".docx") { // a document, whatever is in it
			c = all[random.IntN(len(all))]
		}
		// The innermost has a list of names, whether it is unpacked or not.
		opened = opened && (c.Opened || n == 0)
		content = c.Of(name, content)
		name = c.Called(fmt.Sprint(n), name)
	}
	return name, content, opened
}

// Called is what an archive of a file is called.
func (c Container) Called(own, file string) string {
	if strings.HasPrefix(c.Name, ".") {
		return file + c.Name
	}
	return fmt.Sprintf(c.Name, own)
}

// ZipWith is a zip of one file.
func ZipWith(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packedZip is a zip of one file that has been packed.
func packedZip(t testing.TB, h zip.FileHeader, packed []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	h.CompressedSize64 = uint64(len(packed))
	f, err := w.CreateRaw(&h)
	if err == nil {
		_, err = f.Write(packed)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zipLZMA packs as a zip has LZMA (APPNOTE.TXT §5.8.8).
func zipLZMA(t testing.TB, content []byte) []byte {
	t.Helper()
	const properties, header = 5, 13
	var b bytes.Buffer
	w, err := lzma.WriterConfig{Size: int64(len(content)), SizeInHeader: true, DictCap: 1 << 16}.NewWriter(&b)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	packed := append([]byte{9, 20, properties, 0}, b.Bytes()[:properties]...)
	return append(packed, b.Bytes()[header:]...)
}

func tarWith(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o600})
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

// SevenZipOf is a 7z that lists files of no content.
func SevenZipOf(names ...string) []byte {
	var list []byte
	for _, name := range names {
		for _, u := range utf16.Encode([]rune(name + "\x00")) {
			list = binary.LittleEndian.AppendUint16(list, u)
		}
	}
	number := func(n int) []byte { return []byte{0xc0, byte(n), byte(n >> 8)} }
	all := bytes.Repeat([]byte{0xff}, (len(names)+7)/8)
	h := append([]byte{1, 5}, number(len(names))...) // header, files
	h = append(append(append(h, 0x0e), number(len(all))...), all...)
	h = append(append(append(h, 0x0f), number(len(all))...), all...)
	h = append(append(append(h, 0x11), number(len(list)+1)...), 0)
	h = append(append(h, list...), 0, 0)
	b := make([]byte, 32)
	copy(b, "7z\xbc\xaf\x27\x1c\x00\x04")
	binary.LittleEndian.PutUint64(b[20:], uint64(len(h)))
	binary.LittleEndian.PutUint32(b[28:], crc32.ChecksumIEEE(h))
	binary.LittleEndian.PutUint32(b[8:], crc32.ChecksumIEEE(b[12:32]))
	return append(b, h...)
}
