package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/archive/archivetest"
	"github.com/tollgate-mail/tollgate/internal/budget"
)

// listed is what a lister tells of some content.
type listed struct {
	names []string
	signs map[Sign]bool
	err   error
	inner []error // of archives within
	spent struct{ steps, octets int64 }
}

// list lists whatever some content is.
func list(ctx context.Context, name string, claim Claim, content []byte) listed {
	out := listed{signs: map[Sign]bool{}}
	b := budget.Proportional(ctx, math.MaxInt64)
	depth := 0
	var l *Lister
	l = &Lister{
		Budget: b, Names: 1000, Unpacked: 8 << 20,
		Clean: func(s string) (string, bool) {
			return strings.ReplaceAll(strings.TrimRight(s, " ."), "\x00", ""), strings.Contains(s, "\u202e")
		},
		Name: func(_, name string) error { out.names = append(out.names, name); return nil },
		Sign: func(s Sign) { out.signs[s] = true },
		Content: func(archive string, names []string, r io.Reader) error {
			const most = 3
			if depth++; r == nil || depth > most {
				depth--
				return nil
			}
			defer func() { depth-- }()
			head := make([]byte, HeadShort)
			n, err := io.ReadFull(r, head)
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return b.Err()
			}
			inner := archive + "/" + strings.Join(names, "|")
			if k := KindOf(head[:n]); k != Other && k != Executable {
				out.inner = append(out.inner, l.List(k, inner, io.MultiReader(bytes.NewReader(head[:n]), r)))
			}
			return b.Err()
		},
	}
	switch k := KindOf(content[:min(len(content), Head)]); {
	case k != Other && k != Executable:
		out.err = l.List(k, name, bytes.NewReader(content))
	case strings.HasSuffix(name, ".p7m"):
		out.err = l.Signed(name, bytes.NewReader(content), func(r io.Reader) error {
			b, err := io.ReadAll(r)
			out.names = append(out.names, string(b))
			return err
		})
	default:
		out.err = l.Search(name, claim, bytes.NewReader(content))
	}
	out.spent.steps, out.spent.octets = b.Spent()
	return out
}

func TestDisguises(t *testing.T) {
	for _, d := range archivetest.Disguises(t, "invoice.exe") {
		if strings.HasSuffix(d.Name, ".eml") {
			continue // is mail's to read
		}
		claim := AnArchive
		if strings.HasSuffix(d.Name, "zip") || strings.HasSuffix(d.Name, "docx") {
			claim = ZipArchive
		}
		got := list(context.Background(), d.Name, claim, d.Content)
		inside := slices.ContainsFunc(got.names, func(s string) bool { return strings.Contains(strings.ToLower(s), "invoice.exe") })
		if inside != d.Inside {
			t.Errorf("%s: %q, %v", d.Name, got.names, got.err)
		}
		if !d.Inside && !errors.Is(got.err, ErrUnreadable) {
			t.Errorf("%s: %v", d.Name, got.err)
		}
	}
}

func TestSigns(t *testing.T) {
	for name, tt := range map[string]struct {
		content []byte
		sign    Sign
	}{
		"letter.doc":    {archivetest.OLEOf("WordDocument", "Macros", "VBA"), Macro},
		"table.xls":     {archivetest.OLEOf("Workbook", "_VBA_PROJECT_CUR"), Macro},
		"secret.xlsx":   {archivetest.OLEOf("EncryptionInfo", "EncryptedPackage"), Encrypted},
		"other.docm":    {archivetest.DocmOf(t, "word/harmless.bin"), Macro},
		"sheet.xlsm":    {archivetest.ZipOf(t, "xl/macrosheets/sheet1.xml"), Macro},
		"direction.zip": {archivetest.ZipOf(t, "a\u202efdp.exe"), Bidi},
	} {
		if got := list(context.Background(), name, NoArchive, tt.content); !got.signs[tt.sign] || got.err != nil {
			t.Errorf("%s: %v, %v", name, got.signs, got.err)
		}
	}
	if got := list(context.Background(), "letter.doc", NoArchive, archivetest.OLEOf("WordDocument", "ObjectPool")); len(got.signs) > 0 {
		t.Errorf("%v", got.signs)
	}
	if got := list(context.Background(), "a.p7m", NoArchive, archivetest.EnvelopedOf()); !errors.Is(got.err, ErrEncrypted) {
		t.Error(got.err)
	}
	// What only happens to have the beginning of a zip in it is no archive.
	if got := list(context.Background(), "a.pdf", NoArchive, []byte("%PDF PK\x03\x04 and so on")); got.err != nil || got.names != nil {
		t.Errorf("%v", got)
	}
}

// A list is over as soon as the context is, whatever there is to read.
func TestCancelled(t *testing.T) {
	for name, content := range dear(t) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if got := list(ctx, name, ZipArchive, content); !errors.Is(got.err, context.Canceled) || got.spent.steps+got.spent.octets > 64<<10 {
			t.Errorf("%s: %v after %v", name, got.err, got.spent)
		}
	}
}

// dear are inputs that cost as much as is known to be possible, each of about
// a MiB.
func dear(t testing.TB) map[string][]byte {
	t.Helper()
	const size = 1 << 20
	many := func(piece string) []byte { return bytes.Repeat([]byte(piece), size/len(piece)) }
	end := "PK\x05\x06" + string(make([]byte, 18))
	entry := "PK\x01\x02" + string(make([]byte, 42))
	zips := many(entry)
	var folders []byte
	for range size / 50 {
		folders = append(folders, archivetest.Rar5Of("f/")[16:][:20]...)
	}
	header := append([]byte{1, 4, 7, 0x0b, 0xe0, 0x00, 0x20, 0x03, 0}, many("\x01\x01\x00")...)
	sevenZip := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), make([]byte, 24)...)
	sevenZip[20], sevenZip[21], sevenZip[22] = byte(len(header)), byte(len(header)>>8), byte(len(header)>>16)
	iso := archivetest.ISOOf("a.txt")
	for i := range size / 2048 {
		iso = append(iso, bytes.Repeat([]byte{34}, 2040)...)
		_ = i
		iso = append(iso, make([]byte, 8)...)
	}
	return map[string][]byte{
		"locals.zip":     append([]byte("PK\x03\x04"), many("PK\x03\x04"+strings.Repeat("\xff", 26))...),
		"entries.zip":    append(append([]byte("PK\x03\x04"), zips...), end...),
		"ends.zip":       append([]byte("PK\x03\x04"), many(end)...),
		"signatures.zip": many("PK\x03\x04"),
		"folders.rar":    append(bytes.Clone(archivetest.Rar5Of()[:16]), folders...),
		"beginnings.rar": append([]byte("x"), many("Rar!\x1a\x07\x01\x00")...),
		"headers.rar":    append([]byte("Rar!\x1a\x07\x00"), many("\x00\x00\x7a\x00\x00\x0b\x00\x00\x00\x00\x00")...),
		"beginnings.7z":  append([]byte("x"), many(sig7z)...),
		"folders.7z":     append(sevenZip, header...),
		"blocks.tar":     archivetest.TarOf(t, slices.Repeat([]string{"a"}, size/1024)...),
		"bomb.tgz":       archivetest.GzipOf(t, "", make([]byte, 16<<20)),
		"bomb.xz":        archivetest.XZOf(t, make([]byte, 4<<20)),
		"records.iso":    iso,
		"versions.iso":   append(archivetest.ISOOf()[:17*2048], many(";1")...),
		"tags.udf":       append(archivetest.UDFOf(), many("\x01\x01\x02\x00")...),
		"attributes.dat": append([]byte("\x78\x9f\x3e\x22\x01\x00"), many("\x02\x05\x90\x06\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00")...),
		"files.cab":      append(archivetest.CabOf(slices.Repeat([]string{""}, 60000)...), 0),
		"storages.doc":   append(archivetest.OLEOf(), many(string(archivetest.OLEOf("VBB")[1152:1280]))...),
		"elements.p7m":   append([]byte{0x30, 0x80}, many("\x02\x00")...),
		"templates.rtf":  append([]byte(`{\rtf1`), many(`\template `)...),
		"objects.rtf":    append([]byte(`{\rtf1`), many(`{\objdata }`)...),
		"groups.rtf":     append([]byte(`{\rtf1{\objdata `), many(`{\*}0`)...),
		"pieces.p7m":     archivetest.SignedOf(make([]byte, size/8), 1),
	}
}

// What an input costs is linear in its length and in what is unpacked, for the
// dearest too.
func TestCost(t *testing.T) {
	for name, content := range dear(t) {
		for _, claim := range []Claim{NoArchive, ZipArchive} {
			checkCost(t, name, content, list(context.Background(), name, claim, content))
		}
	}
}

// checkCost checks what a list has cost. Octets that are unpacked have a bound
// of their own.
func checkCost(t *testing.T, name string, content []byte, got listed) {
	t.Helper()
	const unpacked = 8<<20 + 64<<10
	n := int64(len(content))
	if got.spent.steps > budget.Allowance(n) || got.spent.octets > budget.Allowance(n)+unpacked {
		t.Errorf("%s: %d octets cost %d steps and %d octets", name, n, got.spent.steps, got.spent.octets)
	}
	if len(got.names) > 1000 {
		t.Errorf("%s: %d names", name, len(got.names))
	}
	for _, err := range append(got.inner, got.err) {
		if err != nil && !errors.Is(err, ErrUnreadable) && !errors.Is(err, ErrHidden) && !errors.Is(err, ErrEncrypted) && !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzList(f *testing.F) {
	for _, d := range archivetest.Disguises(f, "a") {
		if len(d.Content) < 64<<10 {
			f.Add(d.Content)
		}
	}
	f.Add(archivetest.RawZip(f, "comment", []byte("x"), zip.FileHeader{Name: "d", Flags: 1}))
	f.Add(archivetest.Rar5Of("a", "b*"))
	f.Add(archivetest.Rar4Of(0x200, "S.txt\x00\x04\x70\x21\x02\x00"))
	for _, s := range []string{archivetest.Packed7z, archivetest.Plain7z, archivetest.Encrypted7z} {
		f.Add(archivetest.FromBase64(f, s))
	}
	f.Add(archivetest.OLEOf("VBA"))
	f.Add(archivetest.DocmOf(f, "x"))
	f.Add(archivetest.EnvelopedOf())
	for _, c := range archivetest.Containers(f) {
		f.Add(c.Of("a.zip", archivetest.ZipOf(f, "b")))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, name := range []string{"a.zip", "a.p7m"} {
			checkCost(t, name, content, list(context.Background(), name, ZipArchive, content))
		}
	})
}

// BenchmarkDear tells how many octets a second the dearest inputs are read at,
// those that are unpacked included: of a bomb there is nothing else to count.
func BenchmarkDear(b *testing.B) {
	for name, content := range dear(b) {
		b.Run(name, func(b *testing.B) {
			var octets int64
			for b.Loop() {
				octets = list(context.Background(), name, ZipArchive, content).spent.octets
			}
			b.SetBytes(max(octets, int64(len(content))))
		})
	}
}
