package archive

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/archive/archivetest"
)

// A PDF gives the names of its files and what is in them, and what it shares a file with.
func TestPDF(t *testing.T) {
	const begin = "%PDF-1.7\n1 0 obj<</Type/Catalog/Names<</EmbeddedFiles 2 0 R>>>>endobj\n"
	file := func(name string, content []byte) []byte {
		return []byte(begin + "3 0 obj<</F(" + name + ")/EF<</F 4 0 R>>>>endobj\n4 0 obj<<>>stream\n" + string(content) + "\nendstream endobj\n")
	}
	for name, tt := range map[string]struct {
		content []byte
		names   []string
		signs   []Sign
	}{
		"plain.pdf":    {[]byte(begin), nil, nil},
		"embedded.pdf": {file("invoice.exe", []byte("text")), []string{"invoice.exe"}, nil},
		"zip.pdf":      {file("a.txt", archivetest.ZipOf(t, "invoice.exe")), []string{"a.txt", "invoice.exe"}, nil},
		"script.pdf":   {[]byte(begin + "2 0 obj<</S/JavaScript>>endobj"), nil, []Sign{Script}},
		"locked.pdf":   {append(file("\x81\x12", []byte("\x91")), "trailer<</Encrypt 9 0 R>>"...), nil, []Sign{Locked}},
		"damaged.pdf":  {[]byte(begin + "2 0 obj<</Type/ObjStm/Filter/LZWDecode>>stream\nx\nendstream endobj"), nil, []Sign{Damaged}},
		"behind.pdf":   {append([]byte("some octets "), file("invoice.exe", nil)...), []string{"invoice.exe"}, nil},
		"both.pdf":     {append([]byte(begin), archivetest.ZipOf(t, "invoice.exe")...), []string{"invoice.exe"}, nil},
		"long.pdf":     {append([]byte(begin+strings.Repeat("% ", 200<<10)), file("invoice.exe", nil)...), []string{"invoice.exe"}, nil},
	} {
		got := list(context.Background(), name, NoArchive, tt.content)
		slices.Sort(got.names)
		got.names = slices.Compact(got.names) // an archive in it stands in the same file, too
		if !slices.Equal(got.names, tt.names) || got.err != nil || len(got.signs) != len(tt.signs) {
			t.Errorf("%s: %q, %v, %v", name, got.names, got.signs, got.err)
		}
		for _, s := range tt.signs {
			if !got.signs[s] {
				t.Errorf("%s: %v", name, got.signs)
			}
		}
	}
	// What begins so and is an image for who looks where images begin.
	image := archivetest.ISOOf("invoice.exe")
	copy(image, "%PDF-1.7\n")
	if k := KindOf(image[:Head]); k != Image {
		t.Errorf("%v", k)
	}
}

// A document that nobody would write costs what its length allows.
func TestPDFWork(t *testing.T) {
	for name, content := range map[string][]byte{
		"names":   bytes.Repeat([]byte("/F("), 100_000),
		"streams": bytes.Repeat([]byte("obj/Fl stream "), 50_000),
		"objects": bytes.Repeat([]byte("1 0 obj/ObjStm stream\nendstream "), 20_000),
		"hex":     bytes.Repeat([]byte("/AHx/AHx/AHx/AHx/AHx/AHx/AHx/AHx stream\n414141endstream obj"), 10_000),
		"open":    bytes.Repeat([]byte("((((((((/EF/F<00"), 30_000),
	} {
		got := list(context.Background(), name, NoArchive, append([]byte("%PDF-1.7\n"), content...))
		if most := int64(64*len(content) + 64<<10); got.spent.steps > most || got.spent.octets > most {
			t.Errorf("%s: %+v for %d octets, %v", name, got.spent, len(content), got.err)
		}
	}
}
