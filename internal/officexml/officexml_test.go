package officexml

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"
)

func wide(s string) []byte {
	b := []byte("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

func TestContentTypes(t *testing.T) {
	for list, want := range map[string]bool{
		`<Types><Override PartName="/a.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>`:                    true,
		`<Types><Override PartName="/a.bin" ContentType="application/vnd.ms-office.vba&#80;roject"/></Types>`:                true,
		`<Types><Override PartName="/a.bin" ContentType="application/vnd.ms-office.vba&#x50;roject"/></Types>`:               true,
		`<Types><Default Extension="bin" ContentType="application/VND.MS-office.vbaproject"/>`:                               true,
		`<Types><Override PartName="/xl/worksheets/a.xml" ContentType="application/vnd.ms-excel.macrosheet+xml"/></Types>`:   true,
		`<Types><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.x+xml"/>`: false,
	} {
		for _, octets := range [][]byte{[]byte(list), wide(list)} {
			if got := ContentTypes(octets); got.Macros != want || got.Remote {
				t.Errorf("%q: %+v", octets, got)
			}
		}
	}
}

// However a relation is written, where it leads is found.
func TestRelations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{"attachedTemplate", "oleObject", "frame", "subDocument", "aFChunk", "hyperlink", "image", "externalLinkPath", "settings"}).Draw(t, "kind")
		target := rapid.SampledFrom([]string{"https://evil.example/x.dotm", `\\evil.example\x\y.dotm`, "file://evil.example/x.dotm", "file:///C:/Templates/x.dotm", "template.dotx", "mhtml:https://evil.example/x!y", "C:\\Templates\\x.dotm"}).Draw(t, "target")
		external := rapid.Bool().Draw(t, "external")
		want := external && kind != "hyperlink" && kind != "image" && kind != "externalLinkPath" && kind != "settings" && strings.Contains(target, "evil")
		quote := rapid.SampledFrom([]string{`"`, "'"}).Draw(t, "quote")
		escaped := html.EscapeString(target)
		if rapid.Bool().Draw(t, "numbers") {
			var b strings.Builder
			for _, c := range target {
				fmt.Fprintf(&b, "&#%d;", c)
			}
			escaped = b.String()
		}
		attributes := []string{
			"Id=" + quote + "a>b" + quote, "Type = " + quote + "http://schemas.openxmlformats.org/officeDocument/2006/relationships/" + kind + quote,
			"\n Target=" + quote + escaped + quote,
		}
		if external {
			attributes = append(attributes, "TargetMode="+quote+"External"+quote)
		}
		attributes = rapid.Permutation(attributes).Draw(t, "order")
		prefix := rapid.SampledFrom([]string{"", "r:"}).Draw(t, "prefix")
		part := rapid.SampledFrom([]string{"", "<?xml version='1.0' encoding='UTF-16'?>", "<!-- <x> Счёт -->"}).Draw(t, "before") + "<" + prefix + "Relationships><" + prefix + "Relationship " + strings.Join(attributes, " ") + "/></" + prefix + "Relationships>"
		octets := []byte(part)
		if rapid.Bool().Draw(t, "wide") {
			octets = wide(part)
		}
		if got := Relations(octets); got.Remote != want || got.Macros {
			t.Fatalf("%q: %+v, want %v", octets, got, want)
		}
	})
	if got := Relations([]byte(`<Relationship Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="data.bin"/>`)); !got.Macros {
		t.Error("macros by their relation alone")
	}
}

func TestRemoteTarget(t *testing.T) {
	for target, want := range map[string]bool{
		"http://a/b": true, "HTTPS://a/b": true, " https://a": true, "ftp://a/b": true, `\\a\b`: true, "//a/b": true, `file:\\a\b`: true, "file://a/b": true,
		"file:////a/b": true, "file://///a/b": true, "ms-word:ofe|u|https://a": true, "mhtml:file://a": true,
		"": false, "a.dotx": false, "../a.dotx": false, "/word/a.dotx": false, "C:/a": false, `c:\a\b.dotm`: false, "file:///C:/a": false, `file:///C:\a`: false,
		"file://C:/a": false, "file:///home/a": false, "file://localhost/a": false, "file:a.dotx": false, "a b: c": false,
	} {
		if got := RemoteTarget(target); got != want {
			t.Errorf("%q: %v", target, got)
		}
	}
}

func TestFlat(t *testing.T) {
	for text, want := range map[string]Found{
		`<w:macrosPresent w:val="yes">`: {}, `<x w:macrosPresent="yes">`: {Macros: true}, `<pkg:part pkg:name="/word/vbaProject.bin">`: {Macros: true},
		`<ooo:source-code>Sub Main`: {Macros: true}, `<ooo:library-embedded ooo:name="Standard"/>`: {},
		`<w:attachedTemplate w:val="https://evil.example/x.dot"/>`: {Remote: true}, `<w:attachedTemplate w:val="C:\x.dot"/>`: {}, `<w:attachedTemplate r:id="rId1"/>`: {},
		`<Relationship Id="r" Type="x/attachedTemplate" Target="https://evil.example/x" TargetMode="External"/>`: {Remote: true},
		`<Relationship Id="r" Type="x/hyperlink" Target="https://evil.example/x" TargetMode="External"/>`:        {},
	} {
		for _, octets := range [][]byte{[]byte(text), wide(text)} {
			if got := Flat(octets); got != want {
				t.Errorf("%q: %+v", octets, got)
			}
		}
	}
	for head, want := range map[string]bool{
		`<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"`: true,
		`<?xml version="1.0"?><?mso-application progid="Word.Document"?>`:                                       true,
		`<?xml version="1.0"?><html>`: false, "mso-application": false,
	} {
		for _, octets := range [][]byte{[]byte(head), wide(head), []byte("\xef\xbb\xbf" + head)} {
			if IsFlat(octets) != want {
				t.Errorf("%q", octets)
			}
		}
	}
}

// Words that are looked for one by one are those that expressions find.
func TestFlatIsAsExpressionsHaveIt(t *testing.T) {
	var (
		macrosIn   = regexp.MustCompile(`macrosPresent\s*=\s*["']yes|(?i:vbaProject\.bin|editdata\.mso)|<[A-Za-z0-9_.-]*:?source-code[\s>]`)
		templateIn = regexp.MustCompile(`<[A-Za-z0-9_.-]*:?attachedTemplate\s[^<>]*val\s*=\s*["']([^"'<>]*)`)
		relationIn = regexp.MustCompile(`<[A-Za-z0-9_.-]*:?Relationship\s[^<>]*>`)
	)
	pieces := []string{
		"<", ">", " ", "\n", ":", "w", "a.b-c_1", "=", `"`, "'", "yes", "no", "macrosPresent", "vbaProject.bin", "VBAPROJECT.BIN", "EditData.mso", "editdata", "source-code",
		"attachedTemplate", "val", "w:val", "https://evil.example/x", "Relationship", ` Type="a/frame"`, ` Target="https://evil.example/x"`, ` TargetMode="External"`, "/", "\u00e4", "\xff",
		`<w:attachedTemplate w:val="`, `<Relationship Type="a/vbaProject"/>`, `<Relationship Type="a/frame" Target="https://a.example/" TargetMode='External'`,
	}
	rapid.Check(t, func(t *rapid.T) {
		piece := []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 24).Draw(t, "pieces"), ""))
		want := Found{Macros: macrosIn.Match(piece)}
		for _, m := range templateIn.FindAllSubmatch(piece, -1) {
			want.add(Found{Remote: RemoteTarget(html.UnescapeString(string(m[1])))})
		}
		for _, m := range relationIn.FindAll(piece, -1) {
			want.add(Relations(m))
		}
		if got := Flat(piece); got != want {
			t.Fatalf("%q: %+v, want %+v", piece, got, want)
		}
	})
}
