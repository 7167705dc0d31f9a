package attachment

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"github.com/tollgate-mail/tollgate/internal/module"
)

func zipOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		if err == nil && !strings.HasSuffix(name, "/") {
			_, err = io.WriteString(f, "content of "+name)
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

// rawZip is a zip of stored files whose names are octets.
func rawZip(t testing.TB, comment string, content []byte, headers ...zip.FileHeader) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, h := range headers {
		h.CompressedSize64, h.UncompressedSize64 = uint64(len(content)), uint64(len(content))
		f, err := w.CreateRaw(&h)
		if err == nil {
			_, err = f.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.SetComment(comment); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: 1, Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipOf(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name = name
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rar5Of is an archive of RAR 5; an encrypted file's name ends with "*".
func rar5Of(names ...string) []byte {
	block := func(b []byte, fields ...byte) []byte {
		b = append(b, 0, 0, 0, 0)
		b = binary.AppendUvarint(b, uint64(len(fields)))
		return append(b, fields...)
	}
	b := block([]byte("Rar!\x1a\x07\x01\x00"), 1, 0, 0)
	for _, name := range names {
		name, encrypted := strings.CutSuffix(name, "*")
		name, folder := strings.CutSuffix(name, "/")
		var flags, extra byte
		if encrypted {
			extra = 3
		}
		if folder {
			flags = 1
		}
		fields := []byte{2, 3, extra, 5, flags, 5, 0, 0, 0}
		fields = append(binary.AppendUvarint(fields, uint64(len(name))), name...)
		if encrypted {
			fields = append(fields, 2, 1, 0)
		}
		b = append(block(b, fields...), "abcde"...)
	}
	return block(b, 5, 0)
}

// rar4Of is an archive of RAR before 5, with names as octets.
func rar4Of(flags uint16, names ...string) []byte {
	block := func(b []byte, kind byte, flags uint16, rest []byte) []byte {
		b = append(b, 0, 0, kind)
		b = binary.LittleEndian.AppendUint16(b, flags)
		b = binary.LittleEndian.AppendUint16(b, uint16(7+len(rest)))
		return append(b, rest...)
	}
	b := block([]byte("Rar!\x1a\x07\x00"), 0x73, 0, make([]byte, 6))
	for _, name := range names {
		h := make([]byte, 25)
		h[0], h[4] = 5, 5
		binary.LittleEndian.PutUint16(h[19:], uint16(len(name)))
		b = append(block(b, 0x74, 0x8000|flags, append(h, name...)), "abcde"...)
	}
	return block(b, 0x7b, 0x4000, nil)
}

func fromBase64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func octets(t testing.TB, name string) string {
	t.Helper()
	s, err := charmap.CodePage866.NewEncoder().String(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestArchives(t *testing.T) {
	plain := zipOf(t, "folder/", "folder/Счёт.txt", "b.txt")
	inner := zipOf(t, "hidden.txt")
	damaged := bytes.Replace(plain, []byte(sigEnd), []byte("XXXX"), 1)
	contradiction := bytes.Clone(zipOf(t, "safe.txt"))
	copy(contradiction[zipLocal:], "evil.exe")
	tgz := gzipOf(t, "", tarOf(t, "a/b.exe", "c.txt"))
	for _, tt := range []struct {
		name    string
		content []byte
		inside  []string
		symbols []string
	}{
		{"a.zip", plain, []string{"folder/Счёт.txt", "b.txt"}, nil},
		{"empty.zip", zipOf(t), nil, nil},
		{"a.txt", plain, []string{"folder/Счёт.txt", "b.txt"}, []string{SymbolTypeMismatch}},
		{"nested.zip", rawZip(t, "", inner, zip.FileHeader{Name: "inner.zip"}), []string{"inner.zip"}, []string{SymbolArchiveNested}},
		{"double.zip", zipOf(t, "invoice.pdf.exe"), []string{"invoice.pdf.exe"}, []string{SymbolArchiveExecutable, SymbolDoubleExtension}},
		{"bidi.zip", zipOf(t, "a\u202efdp.exe"), []string{"afdp.exe"}, []string{SymbolArchiveExecutable, SymbolRTLOName}},
		{"folders.zip", zipOf(t, `..\..\a.txt`), []string{"../../a.txt"}, nil},
		{"macro.docm", zipOf(t, "word/vbaProject.bin"), []string{"word/vbaProject.bin"}, []string{SymbolOfficeMacro}},
		{"866.zip", rawZip(t, "", nil, zip.FileHeader{Name: octets(t, "Счёт.txt"), NonUTF8: true}), []string{"Счёт.txt"}, nil},
		{"unicode.zip", rawZip(t, "", nil, zip.FileHeader{Name: "????.exe", NonUTF8: true, Extra: append([]byte("\x75\x70\x11\x00\x01sumsС"), "чёт.exe"...)}),
			[]string{"????.exe", "Счёт.exe"}, []string{SymbolArchiveExecutable}},
		{"encrypted.zip", rawZip(t, "", []byte("x"), zip.FileHeader{Name: "a.txt", Flags: 1}), []string{"a.txt"}, []string{SymbolArchiveEncrypted}},
		{"masked.zip", rawZip(t, "", []byte("x"), zip.FileHeader{Name: "1", Flags: 1 | zipMasked}), nil, []string{SymbolArchiveEncrypted}},
		{"damaged.zip", damaged, []string{"folder/Счёт.txt", "b.txt"}, []string{SymbolArchiveUnreadable}},
		{"cut.zip", plain[:zipLocal+len("folder/")+zipLocal+20], []string{"folder/Счёт.txt"}, []string{SymbolArchiveUnreadable}},
		{"contradiction.zip", contradiction, []string{"safe.txt", "evil.exe"}, []string{SymbolArchiveExecutable}},
		{"prefixed.zip", append([]byte("something before it "), plain...), []string{"folder/Счёт.txt", "b.txt"}, nil},
		{"two.zip", append(bytes.Clone(inner), plain...), []string{"folder/Счёт.txt", "b.txt", "hidden.txt"}, nil},
		{"comment.zip", rawZip(t, string(zipOf(t, "shown.txt")), nil, zip.FileHeader{Name: "real.exe"}), []string{"shown.txt", "real.exe"}, []string{SymbolArchiveExecutable}},
		{"long.zip", rawZip(t, "", make([]byte, inMemory), zip.FileHeader{Name: "a.txt"}, zip.FileHeader{Name: "b.txt"}), []string{"a.txt", "b.txt"}, nil},

		{"a.tar", tarOf(t, "a/b.exe", "Счёт.txt"), []string{"a/b.exe", "Счёт.txt"}, []string{SymbolArchiveExecutable}},
		{"cut.tar", tarOf(t, "a.txt", "b.txt")[:1100], []string{"a.txt"}, []string{SymbolArchiveUnreadable}},
		{"a.tgz", tgz, []string{"a/b.exe", "c.txt"}, []string{SymbolArchiveExecutable}},
		{"cut.tar.gz", tgz[:len(tgz)/2], []string{"cut.tar"}, []string{SymbolArchiveNested, SymbolArchiveUnreadable}},
		{"invoice.pdf.gz", gzipOf(t, "", []byte("x")), []string{"invoice.pdf"}, nil},
		{"a.gz", gzipOf(t, "b.exe", []byte("x")), []string{"b.exe", "a"}, []string{SymbolArchiveExecutable}},
		{"b.gz", gzipOf(t, "", []byte("\x7fELF")), []string{"b"}, []string{SymbolArchiveExecutable}},
		{"a.tbz2", fromBase64(t, "QlpoOTFBWSZTWVxZiIgAAG17gMiAABBAAcWAACByAB5AAAggAFQ0hoAAPUEkkxGT0jajR9m0hIG2QhDw+5wVqgQwMRDzFNhGZINpPSuUNGO7PLEk0REA+LuSKcKEguLMREA="), []string{"a/b.exe"}, []string{SymbolArchiveExecutable}},
		{"invoice.js.bz2", fromBase64(t, "QlpoOTFBWSZTWXdLsBQAAAAAgABAIAAhGEaC7kinChIO6XYCgA=="), []string{"invoice.js"}, []string{SymbolArchiveExecutable}},

		{"a.rar", rar5Of("folder/", "folder/Счёт.txt", "b.exe"), []string{"folder/Счёт.txt", "b.exe"}, []string{SymbolArchiveExecutable}},
		{"encrypted.rar", rar5Of("a.txt", "b.txt*"), []string{"a.txt", "b.txt"}, []string{SymbolArchiveEncrypted}},
		{"masked.rar", []byte("Rar!\x1a\x07\x01\x00sums\x03\x04\x00\x00"), nil, []string{SymbolArchiveEncrypted}},
		{"cut.rar", rar5Of("a.txt", "b.txt")[:50], []string{"a.txt"}, []string{SymbolArchiveUnreadable}},
		{"old.rar", rar4Of(0, "a.txt", octets(t, "Счёт.txt")), []string{"a.txt", "Счёт.txt"}, nil},
		{"old-encrypted.rar", rar4Of(4, "a.txt"), []string{"a.txt"}, []string{SymbolArchiveEncrypted}},
		{"old-folder.rar", rar4Of(0xe0, "a"), nil, nil},
		{"old-unicode.rar", rar4Of(0x200, "S.txt\x00\x04\x70\x21\x02\x00"), []string{"С.txt"}, nil},
		{"old-utf8.rar", rar4Of(0x200, "Счёт.txt"), []string{"Счёт.txt"}, nil},
		{"old-masked.rar", []byte("Rar!\x1a\x07\x00\x00\x00\x73\x80\x00\x0d\x00xxxxxx"), nil, []string{SymbolArchiveEncrypted}},

		{"a.7z", fromBase64(t, packed7z), []string{"d/empty.txt", "d/invoice.pdf.exe", "d/sub/счёт.txt"}, []string{SymbolArchiveExecutable, SymbolDoubleExtension}},
		{"plain.7z", fromBase64(t, plain7z), []string{"d/empty.txt", "d/invoice.pdf.exe", "d/sub/счёт.txt"}, []string{SymbolArchiveExecutable, SymbolDoubleExtension}},
		{"encrypted.7z", fromBase64(t, encrypted7z), []string{"d/empty.txt", "d/invoice.pdf.exe", "d/sub/счёт.txt"}, []string{SymbolArchiveEncrypted, SymbolArchiveExecutable, SymbolDoubleExtension}},
		{"masked.7z", fromBase64(t, masked7z), nil, []string{SymbolArchiveEncrypted}},
		{"cut.7z", fromBase64(t, packed7z)[:100], nil, []string{SymbolArchiveUnreadable}},
		{"damaged.7z", bytes.Replace(fromBase64(t, packed7z), []byte("\x17\x06"), []byte("\x17\x07"), 1), nil, []string{SymbolArchiveUnreadable}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			f := inspected(t, Config{Dir: dir}, tt.name, "application/octet-stream", tt.content)
			want := []string{tt.name}
			for _, name := range tt.inside {
				want = append(want, tt.name+"/"+name)
			}
			if !slices.Equal(f.Names, want) {
				t.Errorf("names %q, want %q", f.Names, want)
			}
			if !slices.Equal(f.Symbols, tt.symbols) {
				t.Errorf("symbols %q, want %q", f.Symbols, tt.symbols)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%v is left, %v", left, err)
			}
			if f := inspected(t, Config{Archives: SkipArchives}, tt.name, "a/b", tt.content); !slices.Equal(f.Names, want[:1]) {
				t.Errorf("names %q without archives", f.Names)
			}
		})
	}
}

// Archives made by 7-Zip of the same four files and folders.
const (
	packed7z = `N3q8ryccAAQGJZ0eqwAAAAAAAAAiAAAAAAAAALCP3VgBAAdoZWxsbwp4CgAAAIEzB64PzpwGxQkqrtOqhSYoExi7AyVn4P+Z3iLM` +
		`8GUdrs6kBTNLXbr2oZHFBSW72ExnWB66MgqNGacH93gu8d+GlNevNXZi22AASEEMMmZwZFf9KtAAmRcZ1abLjm4f06S5ngqNskG/` +
		`w9IyhCEIgkVUT/75zmneJs0Ey5090ZBj17tPxmMk+BQHVaaWigsk3VZJIl67WAfDUqTAAAAXBgwBCYCfAAcLAQABIwMBAQVdABAA` +
		`AAyBFgoBKFtEigAA`
	plain7z = `N3q8ryccAAQFl19iDAAAAAAAAAAWAQAAAAAAAChbRIoBAAdoZWxsbwp4CgABBAYAAQkMAAcLAQABISEBAAwIAAgNAgkGCgEgMDo2` +
		`HwjqRgAABQYOAfAPARAZDQAAAAAAAAAAAAAAAAARgIEAZAAAAGQALwBlAG0AcAB0AHkAZABpAHIAAABkAC8AcwB1AGIAAABkAC8A` +
		`ZQBtAHAAdAB5AC4AdAB4AHQAAABkAC8AaQBuAHYAbwBpAGMAZQAuAHAAZABmAC4AZQB4AGUAAABkAC8AcwB1AGIALwBBBEcEUQRC` +
		`BC4AdAB4AHQAAAAZAgAAFDIBALqDB8vFe90BuoMHy8V73QGregfLxXvdAat6B8vFe90Bq3oHy8V73QGregfLxXvdARUaAQAQgO1B` +
		`EIDtQRCA7UEggKSBIICkgSCApIEAAA==`
	encrypted7z = `N3q8ryccAAQoJiwbyAAAAAAAAAAiAAAAAAAAAGF+AJhnfkV5Pox5DtMyYVs6Otd6AACBMweuD87ysgwHsMPa919FiphISvfhOssU` +
		`FlmpfcY+wDDVYyzQ2UWlFDUioWGFKCMlzuRSTIXQOhSRq10XK0Y/hfsNKQq1oE8zim6bpIp/puIkkakgkCus5ihaf8p1v5EDmtJ2` +
		`DbAeBpQnKaTtKDcpn7CVPdRwdCJVn2US/9ppels8iqbKKu7qsnx93VFIbGFHxn0tnE3EuezOgTeXfwX5DlX/WEH0qIGXwRcGmN2i` +
		`epD5MeAAABcGEAEJgLgABwsBAAEjAwEBBV0AEAAADIEmCgGpyl3jAAA=`
	masked7z = `N3q8ryccAATLrSJL0AAAAAAAAAA+AAAAAAAAACj45IgYcn0ZXlgztgbsFulW+fEzMZmLku885epHq1b0mVlEmFhYeH52hlRbmiVu` +
		`jB3F2lk/IhhAfWLvmCRdCHDAwsCHnLqlQubzyG/U8oEHMI/eth5r9D2ysWZgYq/1avn78jBVny0sr9Yn5qpbS9oLvgXpEeaobaIs` +
		`1R40RphD6+tqIlyfH0svfiIDLmSCOcqFYJWhS7SlVpApBXcvUNjB3nEmVo/aRjUTPL/zKF9+YtDeY+Ky/1ejyEV2ZBTFBCePI3HB` +
		`lDnYBPQ/+98a44tE8E2UFwYQAQmAwAAHCwEAAiQG8QcBElMPCQirj0Dq2yoiL2JxFgtclyMDAQEFXQAQAAABAAyAuYEmCgFisclO` +
		`AAA=`
)

// A header of few octets whose sections repeat, or name as many files in as
// many folders as there is room for, is not read for minutes. What it costs is
// counted, not timed.
func TestSections7z(t *testing.T) {
	coder := []byte{1, 1, 0} // one coder, its method one octet: stored
	var folders []byte
	for range 5000 {
		folders = append(folders, coder...)
	}
	unpack := append([]byte{id7zUnpackInfo, id7zFolder, 0x93, 0x88, 0}, folders...) // 5000 of them
	unpack = append(unpack, id7zUnpackSize)
	unpack = append(unpack, make([]byte, 5000)...)
	unpack = append(unpack, id7zEnd)
	for name, again := range map[string][]byte{
		"SubStreamsInfo": {id7zSubStreams, id7zEnd},
		"UnpackInfo":     {id7zUnpackInfo, id7zFolder, 0, 0, id7zEnd},
		"CRC":            append([]byte{id7zSubStreams}, bytes.Repeat([]byte{id7zCRC, 0}, 5000)...),
	} {
		t.Run(name, func(t *testing.T) {
			h := &header7z{b: append(bytes.Clone(unpack), bytes.Repeat(again, 5000)...)}
			h.streams()
			if !h.short {
				t.Error("taken for a section")
			}
		})
	}
	h := &header7z{b: append(bytes.Clone(unpack), id7zSubStreams, id7zEnd, id7zEnd)}
	if s := h.streams(); h.short || len(s.folders) != 5000 {
		t.Errorf("%d folders, %v", len(s.folders), h.short)
	}
}

func TestMaxNames(t *testing.T) {
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("%02d.txt", i))
	}
	for name, content := range map[string][]byte{"a.zip": zipOf(t, names...), "a.tar": tarOf(t, names...), "a.rar": rar5Of(names...), "b.rar": rar4Of(0, names...)} {
		if f := inspected(t, Config{MaxNames: 20}, name, "a/b", content); len(f.Names) != 21 || !slices.Equal(f.Symbols, []string{SymbolArchiveLimit}) {
			t.Errorf("%s: %d names, %q", name, len(f.Names), f.Symbols)
		}
		if f := inspected(t, Config{MaxNames: 30}, name, "a/b", content); len(f.Names) != 31 || f.Symbols != nil {
			t.Errorf("%s: %d names, %q", name, len(f.Names), f.Symbols)
		}
	}
}

// A bomb costs what the limit says: what is behind it is not listed.
func TestBomb(t *testing.T) {
	const limit = 4 << 20
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, err := range []error{
		w.WriteHeader(&tar.Header{Name: "a.txt", Size: limit}),
		func() error { _, err := io.CopyN(w, zeros{}, limit); return err }(),
		w.WriteHeader(&tar.Header{Name: "b.txt"}),
		w.Close(),
		z.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if f := inspected(t, Config{MaxUnpacked: limit}, "a.tgz", "a/b", b.Bytes()); !slices.Equal(f.Names, []string{"a.tgz", "a.tgz/a.txt"}) || !slices.Equal(f.Symbols, []string{SymbolArchiveLimit}) {
		t.Errorf("%q, %q", f.Names, f.Symbols)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func FuzzArchive(f *testing.F) {
	for _, b := range [][]byte{zipOf(f, "a/b.txt", "c"), rawZip(f, "comment", []byte("x"), zip.FileHeader{Name: "d", Flags: 1}), tarOf(f, "a"), gzipOf(f, "n", []byte("x")),
		rar5Of("a", "b*"), rar4Of(0x200, "S.txt\x00\x04\x70\x21\x02\x00"), fromBase64(f, packed7z), fromBase64(f, plain7z), fromBase64(f, encrypted7z)} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		in := &inspection{ctx: context.Background(), config: &Config{MaxUnpacked: 1 << 20}, left: 50}
		body := &reader{ctx: in.ctx, r: bytes.NewReader(content)}
		l := &listing{inspection: in, archive: "a.zip", source: body}
		err := l.list(kindOf(content[:min(len(content), headSize)]), body)
		var f module.Finding
		f.Names = in.names.Names
		if len(f.Names) > 50 {
			t.Errorf("%d names", len(f.Names))
		}
		if err != nil && in.ctx.Err() == nil && body.err == nil && !slices.ContainsFunc([]error{errUnreadable, errEncrypted, errLimit}, func(e error) bool { return strings.Contains(err.Error(), e.Error()) }) {
			t.Errorf("%v", err)
		}
	})
}

func BenchmarkInspect(b *testing.B) {
	content := rawZip(b, "", make([]byte, 3<<20), zip.FileHeader{Name: "a"}, zip.FileHeader{Name: "b"}, zip.FileHeader{Name: "c"}, zip.FileHeader{Name: "d"}, zip.FileHeader{Name: "e"})
	encoded := base64.StdEncoding.EncodeToString(content)
	var lines strings.Builder
	for len(encoded) > 76 {
		lines.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	message := "Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines.String() + encoded + "\r\n"
	for name, c := range map[string]Config{"names": {Archives: SkipArchives}, "archives": {}} {
		b.Run(name, func(b *testing.B) {
			i := New(c)
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := i.inspect(context.Background(), strings.NewReader(message)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
