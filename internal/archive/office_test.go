package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/archive/archivetest"
)

// documentOf is a document of parts by name.
func documentOf(t *testing.T, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for ; len(parts) > 0; parts = parts[2:] {
		p, err := w.Create(parts[0])
		if err == nil {
			_, err = io.WriteString(p, parts[1])
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

// Whatever of an office document says that it has macros, or that it fetches something,
// is seen; what is everyday is no sign.
func TestOfficeSigns(t *testing.T) {
	relation := func(kind, target string) string {
		return `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/` + kind + `" Target="` + target + `" TargetMode="External"/></Relationships>`
	}
	link := func(format byte, class, topic string) string {
		counted := func(s string) string {
			return string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)+1))) + s + "\x00"
		}
		return `{\rtf1{\object\objautlink\objupdate{\*\objdata ` + hex.EncodeToString([]byte("\x01\x05\x00\x00"+string([]byte{format, 0, 0, 0})+counted(class)+counted(topic)+counted(""))) + "}}}"
	}
	for name, tt := range map[string]struct {
		content []byte
		want    []Sign
	}{
		"hyperlink.docx":  {documentOf(t, "word/_rels/document.xml.rels", relation("hyperlink", "https://www.example.com/")), nil},
		"picture.docx":    {documentOf(t, "word/_rels/document.xml.rels", relation("image", "https://www.example.com/a.png")), nil},
		"own.docx":        {documentOf(t, "word/_rels/settings.xml.rels", relation("attachedTemplate", "file:///C:/Templates/Normal.dotm")), nil},
		"template.docx":   {documentOf(t, "word/_rels/settings.xml.rels", relation("attachedTemplate", "https://evil.example/x.dotm")), []Sign{Remote}},
		"long.docx":       {documentOf(t, "word/_rels/settings.xml.rels", strings.Repeat(" ", 300<<10)+relation("attachedTemplate", "https://evil.example/x.dotm")), []Sign{Remote}},
		"share.docx":      {documentOf(t, "word/_rels/settings.xml.rels", relation("attachedTemplate", `\\evil.example\x.dotm`)), []Sign{Remote}},
		"object.docx":     {documentOf(t, "word/_rels/document.xml.rels", relation("oleObject", "mhtml:https://evil.example/x!y")), []Sign{Remote}},
		"relation.docx":   {documentOf(t, "word/_rels/document.xml.rels", `<Relationship Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="a.bin"/>`), []Sign{Macro}},
		"entity.docx":     {documentOf(t, "[Content_Types].xml", `<Types><Override ContentType="application/vnd.ms-office.vba&#80;roject"/></Types>`), []Sign{Macro}},
		"python.odt":      {documentOf(t, "Scripts/python/a.py", "x"), []Sign{Macro}},
		"beanshell.odt":   {documentOf(t, "Scripts/beanshell/Lib/a.bsh", "x"), []Sign{Macro}},
		"scripts.zip":     {documentOf(t, "Scripts/jquery.txt", "x", "scripts/build/a.txt", "x"), nil},
		"basic.fodt":      {[]byte(`<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"><ooo:source-code>Sub Main`), []Sign{Macro}},
		"plain.fodt":      {[]byte(`<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"><ooo:library-embedded/>`), nil},
		"word.xml":        {[]byte(`<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument>` + strings.Repeat(" ", 32<<10) + `<w:attachedTemplate w:val="https://evil.example/x.dot"/>`), []Sign{Remote}},
		"long-tag.xml":    {[]byte(`<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument>` + strings.Repeat(" ", 20<<10) + `<w:attachedTemplate ` + strings.Repeat(" ", 15<<10) + `w:val="https://evil.example/x.dot"/>`), []Sign{Remote}},
		"longer-tag.xml":  {[]byte(`<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument><w:attachedTemplate ` + strings.Repeat(" ", 70<<10) + `w:val="https://evil.example/x.dot"/>`), []Sign{Damaged}},
		"drawing.xml":     {[]byte(`<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument><svg:path d="` + strings.Repeat("1,2 ", 20<<10) + `"/><w:attachedTemplate w:val="https://evil.example/x.dot"/>`), []Sign{Remote}},
		"template.rtf":    {[]byte(`{\rtf1{\*\template http://evil.example/x.dotm}text}`), []Sign{Remote}},
		"octets.rtf":      {[]byte(`{\rtf1{\*\template \'68\'74tp://evil.example/x.dotm}text}`), []Sign{Remote}},
		"unicode.rtf":     {[]byte(`{\rtf1{\*\template \u104?\u-65420?\uc0\u116 \u112://evil.example\uc2\u47\'3f?x.dotm}text}`), []Sign{Remote}},
		"drive.rtf":       {[]byte(`{\rtf1{\*\template \u67?:\\\\templates\\x.dotm}text}`), nil},
		"share.rtf":       {[]byte(`{\rtf1{\*\template \\\\evil\\x.dotm}text}`), []Sign{Remote}},
		"own.rtf":         {[]byte(`{\rtf1{\*\template C:\\Templates\\Normal.dotm}text}`), nil},
		"word-only.rtf":   {[]byte(`{\rtf1\templates http://evil.example/x`), nil},
		"link.rtf":        {[]byte(link(1, "Excel.Sheet", "https://evil.example/x.xls")), []Sign{Remote}},
		"own-link.rtf":    {[]byte(link(1, "Excel.Sheet", `C:\x.xls`)), nil},
		"moniker.rtf":     {[]byte(link(2, "OLE2Link", "")), []Sign{Remote}},
		"embedded.rtf":    {[]byte(link(2, "Word.Document.8", "")), nil},
		"wide-types.docx": {documentOf(t, "[Content_Types].xml", "\xff\xfe"+string(wideOf(`<Types><Override ContentType="application/vnd.ms-office.vbaProject"/></Types>`))), []Sign{Macro}},
	} {
		got := list(context.Background(), name, NoArchive, tt.content)
		for _, s := range []Sign{Macro, Remote, Damaged} {
			if got.signs[s] != slices.Contains(tt.want, s) {
				t.Errorf("%s: %v, want %v", name, got.signs, tt.want)
			}
		}
		if got.err != nil {
			t.Errorf("%s: %v", name, got.err)
		}
	}
}

// A part of which the end is not looked at is told.
func TestLongRelations(t *testing.T) {
	got := list(context.Background(), "long.docx", NoArchive, documentOf(t, "word/_rels/settings.xml.rels", strings.Repeat(" ", 5<<20)+"<Relationships/>"))
	if !got.signs[Damaged] {
		t.Errorf("%v, %v", got.signs, got.err)
	}
}

func wideOf(s string) (b []byte) {
	for _, c := range []byte(s) {
		b = append(b, c, 0)
	}
	return b
}

// Tars stand behind each other in one file, with empty blocks or others between.
func TestTarsBehindEachOther(t *testing.T) {
	first, second := archivetest.TarOf(t, "a.txt"), archivetest.TarOf(t, "invoice.exe")
	for name, content := range map[string][]byte{
		"two.tar":        append(bytes.Clone(first), second...),
		"three.tar":      append(append(bytes.Clone(first), first...), second...),
		"gap.tar":        append(append(bytes.Clone(first), make([]byte, 20<<10)...), second...),
		"no blocks.tar":  append(append(bytes.Clone(first), bytes.Repeat([]byte("x"), 512)...), second...),
		"two.tgz":        archivetest.GzipOf(t, "", append(bytes.Clone(first), second...)),
		"two gzips.tgz":  append(archivetest.GzipOf(t, "", first), archivetest.GzipOf(t, "", second)...),
		"two gzips.t.gz": append(archivetest.GzipOf(t, "", first), archivetest.GzipOf(t, "", append(make([]byte, 512), second...))...),
		"two.txz":        append(archivetest.XZOf(t, first), archivetest.XZOf(t, second)...),
		"padded.txz":     append(append(archivetest.XZOf(t, first), make([]byte, 8)...), archivetest.XZOf(t, second)...),
	} {
		got := list(context.Background(), name, AnArchive, content)
		if !slices.Contains(got.names, "a.txt") || !slices.Contains(got.names, "invoice.exe") || got.err != nil {
			t.Errorf("%s: %q, %v", name, got.names, got.err)
		}
	}
	if got := list(context.Background(), "padded.tar", AnArchive, append(bytes.Clone(first), make([]byte, 10_000)...)); len(got.names) != 1 || got.err != nil {
		t.Errorf("%q, %v", got.names, got.err)
	}
}

// What is a program, and what is an archive that is not read, by its first octets.
func TestKindsByFirstOctets(t *testing.T) {
	zeros := string(make([]byte, 600))
	for head, want := range map[string]Kind{
		"\xca\xfe\xba\xbe\x00\x00\x00\x34": Executable, "\xca\xfe\xba\xbe\x00\x00\x00\x02": Executable, "\xca\xfe\xba\xbf\x00\x00\x00\x02": Executable,
		"dex\n035\x00": Executable, "dexterity": Other, "dex\n035 words": Other,
		"\x89LZO\x00\r\n\x1a\n": Packed, "SZDD\x88\xf0'3A": Packed, "SZ \x88\xf0'3": Packed, "KWAJ\x88\xf0'\xd1": Packed, "EVF\x09\x0d\x0a\xff\x00": Packed,
		"IsZ!": Packed, "DAA\x00": Packed, "ISc(": Packed, "ArC\x01": Packed, "DAA is a word": Other, "SZ and so on": Other,
	} {
		if got := KindOf([]byte(head + zeros)); got != want {
			t.Errorf("%q: %v, want %v", head, got, want)
		}
	}
}
