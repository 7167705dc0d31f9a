package attachment

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/archive/archivetest"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/settings"
)

func TestArchives(t *testing.T) {
	plain := archivetest.ZipOf(t, "folder/", "folder/Счёт.txt", "b.txt")
	inner := archivetest.ZipOf(t, "hidden.txt")
	damaged := bytes.Replace(plain, []byte("PK\x05\x06"), []byte("XXXX"), 1)
	contradiction := bytes.Clone(archivetest.ZipOf(t, "safe.txt"))
	copy(contradiction[30:], "evil.exe")
	tgz := archivetest.GzipOf(t, "", archivetest.TarOf(t, "a/b.exe", "c.txt"))
	for _, tt := range []struct {
		name    string
		content []byte
		inside  []string
		symbols []string
	}{
		{"a.zip", plain, []string{"folder/Счёт.txt", "b.txt"}, nil},
		{"empty.zip", archivetest.ZipOf(t), nil, nil},
		{"a.txt", plain, []string{"folder/Счёт.txt", "b.txt"}, []string{SymbolTypeMismatch}},
		{"nested.zip", archivetest.RawZip(t, "", inner, zip.FileHeader{Name: "inner.zip"}), []string{"inner.zip", "inner.zip/hidden.txt"}, nil},
		{"double.zip", archivetest.ZipOf(t, "invoice.pdf.exe"), []string{"invoice.pdf.exe"}, []string{SymbolArchiveExecutable, SymbolDoubleExtension}},
		{"bidi.zip", archivetest.ZipOf(t, "a\u202efdp.exe"), []string{"afdp.exe"}, []string{SymbolArchiveExecutable, SymbolRTLOName}},
		{"stream.zip", archivetest.ZipOf(t, "d/invoice.exe::$DATA"), []string{"d/invoice.exe::$DATA", "d/invoice.exe"}, []string{SymbolArchiveExecutable}},
		{"drive.zip", archivetest.ZipOf(t, "c:a.txt"), []string{"c:a.txt"}, nil},
		{"folders.zip", archivetest.ZipOf(t, `..\..\a.txt`), []string{"../../a.txt"}, nil},
		{"macro.docm", archivetest.ZipOf(t, "word/vbaProject.bin"), []string{"word/vbaProject.bin"}, []string{SymbolOfficeMacro}},
		{"866.zip", archivetest.RawZip(t, "", nil, zip.FileHeader{Name: archivetest.CP866(t, "Счёт.txt"), NonUTF8: true}), []string{"Счёт.txt"}, nil},
		{"unicode.zip", archivetest.RawZip(t, "", nil, zip.FileHeader{Name: "????.exe", NonUTF8: true, Extra: append([]byte("\x75\x70\x11\x00\x01sumsС"), "чёт.exe"...)}),
			[]string{"????.exe", "Счёт.exe"}, []string{SymbolArchiveExecutable}},
		{"encrypted.zip", archivetest.RawZip(t, "", []byte("x"), zip.FileHeader{Name: "a.txt", Flags: 1}), []string{"a.txt"}, []string{SymbolArchiveEncrypted}},
		{"masked.zip", archivetest.RawZip(t, "", []byte("x"), zip.FileHeader{Name: "1", Flags: 1 | 1<<13}), nil, []string{SymbolArchiveEncrypted, SymbolNamesHidden}},
		{"damaged.zip", damaged, []string{"folder/Счёт.txt", "b.txt"}, []string{SymbolArchiveUnreadable}},
		{"cut.zip", plain[:30+len("folder/")+30+20], []string{"folder/Счёт.txt"}, []string{SymbolArchiveUnreadable}},
		{"contradiction.zip", contradiction, []string{"safe.txt", "evil.exe"}, []string{SymbolArchiveExecutable}},
		{"prefixed.zip", append([]byte("something before it "), plain...), []string{"folder/Счёт.txt", "b.txt"}, nil},
		{"two.zip", append(bytes.Clone(inner), plain...), []string{"folder/Счёт.txt", "b.txt", "hidden.txt"}, nil},
		{"comment.zip", archivetest.RawZip(t, string(archivetest.ZipOf(t, "shown.txt")), nil, zip.FileHeader{Name: "real.exe"}), []string{"shown.txt", "real.exe"}, []string{SymbolArchiveExecutable}},
		{"long.zip", archivetest.RawZip(t, "", make([]byte, 256<<10), zip.FileHeader{Name: "a.txt"}, zip.FileHeader{Name: "b.txt"}), []string{"a.txt", "b.txt"}, nil},

		{"a.tar", archivetest.TarOf(t, "a/b.exe", "Счёт.txt"), []string{"a/b.exe", "Счёт.txt"}, []string{SymbolArchiveExecutable}},
		{"cut.tar", archivetest.TarOf(t, "a.txt", "b.txt")[:1100], []string{"a.txt"}, []string{SymbolArchiveUnreadable}},
		{"a.tgz", tgz, []string{"a/b.exe", "c.txt"}, []string{SymbolArchiveExecutable}},
		{"cut.tar.gz", tgz[:len(tgz)/2], []string{"cut.tar"}, []string{SymbolArchiveUnreadable}},
		{"invoice.pdf.gz", archivetest.GzipOf(t, "", []byte("x")), []string{"invoice.pdf"}, nil},
		{"a.gz", archivetest.GzipOf(t, "b.exe", []byte("x")), []string{"b.exe", "a"}, []string{SymbolArchiveExecutable}},
		{"b.gz", archivetest.GzipOf(t, "", []byte("\x7fELF")), []string{"b"}, []string{SymbolArchiveExecutable}},
		{"a.tbz2", archivetest.FromBase64(t, "QlpoOTFBWSZTWVxZiIgAAG17gMiAABBAAcWAACByAB5AAAggAFQ0hoAAPUEkkxGT0jajR9m0hIG2QhDw+5wVqgQwMRDzFNhGZINpPSuUNGO7PLEk0REA+LuSKcKEguLMREA="), []string{"a/b.exe"}, []string{SymbolArchiveExecutable}},
		{"invoice.js.bz2", archivetest.FromBase64(t, "QlpoOTFBWSZTWXdLsBQAAAAAgABAIAAhGEaC7kinChIO6XYCgA=="), []string{"invoice.js"}, []string{SymbolArchiveExecutable}},

		{"a.rar", archivetest.Rar5Of("folder/", "folder/Счёт.txt", "b.exe"), []string{"folder/Счёт.txt", "b.exe"}, []string{SymbolArchiveExecutable}},
		{"encrypted.rar", archivetest.Rar5Of("a.txt", "b.txt*"), []string{"a.txt", "b.txt"}, []string{SymbolArchiveEncrypted}},
		{"masked.rar", []byte("Rar!\x1a\x07\x01\x00sums\x03\x04\x00\x00"), nil, []string{SymbolArchiveEncrypted, SymbolNamesHidden}},
		{"cut.rar", archivetest.Rar5Of("a.txt", "b.txt")[:50], []string{"a.txt"}, []string{SymbolArchiveUnreadable}},
		{"old.rar", archivetest.Rar4Of(0, "a.txt", archivetest.CP866(t, "Счёт.txt")), []string{"a.txt", "Счёт.txt"}, nil},
		{"old-encrypted.rar", archivetest.Rar4Of(4, "a.txt"), []string{"a.txt"}, []string{SymbolArchiveEncrypted}},
		{"old-folder.rar", archivetest.Rar4Of(0xe0, "a"), nil, nil},
		{"old-unicode.rar", archivetest.Rar4Of(0x200, "S.txt\x00\x04\x70\x21\x02\x00"), []string{"С.txt", "S.txt"}, nil},
		{"old-utf8.rar", archivetest.Rar4Of(0x200, "Счёт.txt"), []string{"Счёт.txt"}, nil},
		{"old-masked.rar", []byte("Rar!\x1a\x07\x00\x00\x00\x73\x80\x00\x0d\x00xxxxxx"), nil, []string{SymbolArchiveEncrypted, SymbolNamesHidden}},

		{"a.7z", archivetest.FromBase64(t, archivetest.Packed7z), []string{"d/empty.txt", "d/invoice.pdf.exe", "d/sub/счёт.txt"}, []string{SymbolArchiveExecutable, SymbolDoubleExtension}},
		{"plain.7z", archivetest.FromBase64(t, archivetest.Plain7z), []string{"d/empty.txt", "d/invoice.pdf.exe", "d/sub/счёт.txt"}, []string{SymbolArchiveExecutable, SymbolDoubleExtension}},
		{"encrypted.7z", archivetest.FromBase64(t, archivetest.Encrypted7z), []string{"d/empty.txt", "d/invoice.pdf.exe", "d/sub/счёт.txt"}, []string{SymbolArchiveEncrypted, SymbolArchiveExecutable, SymbolDoubleExtension}},
		{"masked.7z", archivetest.FromBase64(t, archivetest.Masked7z), nil, []string{SymbolArchiveEncrypted, SymbolNamesHidden}},
		{"cut.7z", archivetest.FromBase64(t, archivetest.Packed7z)[:100], nil, []string{SymbolArchiveUnreadable}},
		{"damaged.7z", bytes.Replace(archivetest.FromBase64(t, archivetest.Packed7z), []byte("\x17\x06"), []byte("\x17\x07"), 1), nil, []string{SymbolArchiveUnreadable}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			f := inspected(t, Settings{Archives: true, Dir: settings.StateDir(dir)}, tt.name, "application/octet-stream", tt.content)
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
			if f := inspected(t, Settings{}, tt.name, "a/b", tt.content); !slices.Equal(f.Names, want[:1]) {
				t.Errorf("names %q without archives", f.Names)
			}
		})
	}
}

// What is packed by itself is called as each of its names says.
func TestUnpackedNames(t *testing.T) {
	message := "Content-Type: application/gzip; name=a.txt.gz\r\nContent-Disposition: attachment; filename=invoice.exe.gz\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString(archivetest.GzipOf(t, "", []byte("x"))) + "\r\n"
	f, err := New(Settings{Archives: true}).inspect(context.Background(), strings.NewReader(message))
	if err != nil || !slices.Contains(f.Symbols, SymbolArchiveExecutable) {
		t.Errorf("%q, %q, %v", f.Names, f.Symbols, err)
	}
}

// bounded is what an inspection finds in an attachment within bounds of its
// own.
func bounded(t *testing.T, names int, unpacked int64, name string, content []byte) module.Finding {
	t.Helper()
	in := newInspection(context.Background(), Settings{Archives: true})
	in.lister.Names, in.lister.Unpacked = names, unpacked
	f, err := in.inspect(strings.NewReader(attached(name, "a/b", content)))
	if err != nil {
		t.Error(err)
	}
	return f
}

func TestMaxNames(t *testing.T) {
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("%02d.txt", i))
	}
	for name, content := range map[string][]byte{
		"a.zip": archivetest.ZipOf(t, names...), "a.tar": archivetest.TarOf(t, names...), "a.rar": archivetest.Rar5Of(names...),
		"b.rar": archivetest.Rar4Of(0, names...),
	} {
		if f := bounded(t, 20, maxUnpacked, name, content); len(f.Names) != 21 || !slices.Equal(f.Symbols, []string{SymbolArchiveLimit}) {
			t.Errorf("%s: %d names, %q", name, len(f.Names), f.Symbols)
		}
		if f := bounded(t, 30, maxUnpacked, name, content); len(f.Names) != 31 || f.Symbols != nil {
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
	if f := bounded(t, maxNames, limit, "a.tgz", b.Bytes()); !slices.Equal(f.Names, []string{"a.tgz", "a.tgz/a.txt"}) || !slices.Equal(f.Symbols, []string{SymbolArchiveLimit}) {
		t.Errorf("%q, %q", f.Names, f.Symbols)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func BenchmarkInspect(b *testing.B) {
	content := archivetest.RawZip(b, "", make([]byte, 3<<20), zip.FileHeader{Name: "a"}, zip.FileHeader{Name: "b"}, zip.FileHeader{Name: "c"}, zip.FileHeader{Name: "d"}, zip.FileHeader{Name: "e"})
	encoded := base64.StdEncoding.EncodeToString(content)
	var lines strings.Builder
	for len(encoded) > 76 {
		lines.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	message := "Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines.String() + encoded + "\r\n"
	for name, c := range map[string]Settings{"names": {}, "archives": {Archives: true}} {
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
