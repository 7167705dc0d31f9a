package pdf

import (
	"bytes"
	"compress/flate"
	"compress/lzw"
	"compress/zlib"
	"encoding/ascii85"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"
)

const program = "MZ\x90\x00\x03\x00\x00\x00 and what it does endstrea"

type told struct {
	Found
	contents []string
	charged  int
}

func read(t interface{ Fatal(...any) }, document []byte) (got told, err error) {
	s := Scanner{
		Charge: func(n int) error { got.charged += n; return nil },
		Unpack: func(r io.Reader) io.Reader { return flate.NewReader(r) },
		Content: func(r io.Reader) error {
			b, err := io.ReadAll(io.LimitReader(r, int64(len(program))))
			got.contents = append(got.contents, string(b))
			return err
		},
		Names: 100,
	}
	got.Found, err = s.Scan(bytes.NewReader(document))
	if err != nil && !errors.Is(err, ErrUnreadable) {
		t.Fatal(err)
	}
	return got, err
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(b) // to memory
	_ = w.Close()
	return out.Bytes()
}

func based(b []byte) []byte {
	var out bytes.Buffer
	w := ascii85.NewEncoder(&out)
	_, _ = w.Write(b) // to memory
	_ = w.Close()
	return append(out.Bytes(), "~>"...)
}

// stream packs content by filters, named from the outermost.
func stream(dictionary string, filters []string, content []byte) string {
	for _, f := range slices.Backward(filters) {
		switch f {
		case "FlateDecode":
			content = zipped(content)
		case "ASCIIHexDecode":
			content = append([]byte(hex.EncodeToString(content)), '>')
		case "ASCII85Decode":
			content = based(content)
		}
	}
	filter := ""
	if len(filters) > 0 {
		filter = "/Filter[/" + strings.Join(filters, " /") + "]"
	}
	return fmt.Sprintf("<<%s%s/Length %d>>\r\nstream\r\n%s\nendstream", dictionary, filter, len(content), content)
}

// spelled writes a name with some of its characters by number.
func spelled(t *rapid.T, name string) string {
	var b strings.Builder
	b.WriteByte('/')
	for _, c := range []byte(name) {
		if rapid.IntRange(0, 3).Draw(t, "number") == 0 {
			fmt.Fprintf(&b, "#%02x", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// text writes a text in one of the ways that there are.
func text(t *rapid.T, s string) string {
	octets := []byte(s)
	if rapid.Bool().Draw(t, "wide") {
		octets = []byte("\xfe\xff")
		for _, u := range utf16.Encode([]rune(s)) {
			octets = append(octets, byte(u>>8), byte(u))
		}
	}
	if rapid.Bool().Draw(t, "digits") {
		return "<" + hex.EncodeToString(octets) + ">"
	}
	var b strings.Builder
	for _, c := range octets {
		if c < ' ' || c > '~' || strings.IndexByte("()\\", c) >= 0 || rapid.IntRange(0, 5).Draw(t, "octal") == 0 {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return "(" + b.String() + ")"
}

// However a document is written, the files in it are found, and its scripts.
func TestFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"invoice.exe", "счёт (1).docm", `a\b.js`}).Draw(t, "name")
		filters := rapid.SampledFrom([][]string{nil, {"FlateDecode"}, {"ASCIIHexDecode", "FlateDecode"}, {"ASCII85Decode"}, {"ASCIIHexDecode"}, {"ASCII85Decode", "FlateDecode"}}).Draw(t, "filters")
		script, file := rapid.Bool().Draw(t, "script"), rapid.Bool().Draw(t, "file")
		var objects []string
		if script {
			objects = append(objects, "<<"+spelled(t, "S")+spelled(t, "JavaScript")+spelled(t, "JS")+"(app.alert\\(1\\))>>")
		}
		if file {
			objects = append(objects, "<<"+spelled(t, "Type")+"/Filespec"+spelled(t, "UF")+" "+text(t, name)+spelled(t, "EF")+"<</F 9 0 R>>>>")
		}
		packed := rapid.Bool().Draw(t, "packed")
		body := "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
		if packed {
			body += "5 0 obj\n" + stream("/Type"+spelled(t, "ObjStm")+"/N 2/First 10", filters, []byte("11 0 12 30 "+strings.Join(objects, " "))) + "\nendobj\n"
		} else {
			for i, o := range objects {
				before := rapid.SampledFrom([]string{"\n", "% a comment ", "(a text ", "<</Length 3>>stream\nx\n"}).Draw(t, "before")
				body += fmt.Sprintf("%s%d 0 obj\n%s\nendobj\n", before, 20+i, o)
			}
		}
		if file {
			body += "9 0 obj\n" + stream(rapid.SampledFrom([]string{"", "/Type/EmbeddedFile"}).Draw(t, "type"), filters, []byte(program)) + "\nendobj\n"
		}
		body += "8 0 obj\n" + stream("/Subtype/Image/Width 1", []string{"FlateDecode"}, []byte(program)) + "\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"
		got, err := read(t, []byte(body))
		if err != nil || got.Script != script || got.Encrypted {
			t.Fatalf("%q: %+v, %v", body, got, err)
		}
		if file != slices.Contains(got.Files, name) || file != slices.ContainsFunc(got.contents, func(s string) bool { return strings.HasPrefix(s, program) }) {
			t.Fatalf("%q: %+v", body, got)
		}
	})
}

func TestNothingFound(t *testing.T) {
	for name, document := range map[string]string{
		"links":  "%PDF-1.4\n1 0 obj<</A<</S/GoToR/F(other.pdf)>>/B<</S/URI/URI(https://example.com)>>>>endobj",
		"a word": "%PDF-1.4\n1 0 obj<</Title(JavaScript and Launch)>>endobj",
	} {
		if got, err := read(t, []byte(document)); err != nil || got.Script || got.Encrypted || len(got.Files) > 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// Programs unpack objects where a table says that they are: what else the stream says of
// itself, they do not ask.
func TestUntyped(t *testing.T) {
	for _, keys := range []string{"/N 1/First 5", "/First 5 /N 1", "/#4e 1/Type/Other/First 5"} {
		got, err := read(t, []byte("%PDF-1.7\n5 0 obj\n"+stream(keys, []string{"FlateDecode"}, []byte("11 0 <</S/JavaScript>>"))+"\nendobj\n"))
		if err != nil || !got.Script {
			t.Errorf("%s: %+v, %v", keys, got, err)
		}
	}
	got, err := read(t, []byte("%PDF-1.7\n4 0 obj<</First 6 0 R>>endobj 5 0 obj\n"+stream("/N 3/Alternate/DeviceRGB", []string{"FlateDecode"}, []byte("/JavaScript"))+"\nendobj\n"))
	if err != nil || got.Script || len(got.contents) != 1 {
		t.Errorf("a profile of colours: %+v, %v", got, err)
	}
}

// That it is encrypted a document may say in a comment: names that can be read are told.
func TestNamesOfEncrypted(t *testing.T) {
	const files = "%PDF-1.4\n1 0 obj<</Type/Filespec/F(invoice.exe)/UF(\xfe\xff\x04\x41\x04\x47\x00.\x00e\x00x\x00e)/EF<<>>>>endobj 2 0 obj<</F(\x9b\x02\xf1 k\x93)/EF<<>>>>endobj\n"
	for _, says := range []string{"% /Encrypt", "trailer<</Encrypt 9 0 R>>"} {
		got, err := read(t, []byte(files+says))
		if err != nil || !got.Encrypted || !slices.Equal(got.Files, []string{"invoice.exe", "сч.exe"}) {
			t.Errorf("%s: %+v, %v", says, got, err)
		}
	}
}

// Behind the word, programs pass over blanks.
func TestBlanksBehindStream(t *testing.T) {
	for _, blanks := range []string{"", " ", "\t  "} {
		packed := strings.Replace(stream("/Type/ObjStm", []string{"FlateDecode"}, []byte("<</S/JavaScript>>")), "stream\r\n", "stream"+blanks+"\r\n", 1)
		if got, err := read(t, []byte("%PDF-1.7\n1 0 obj\n"+packed+"\nendobj\n")); err != nil || !got.Script {
			t.Errorf("%q: %+v, %v", blanks, got, err)
		}
	}
}

func TestLaunch(t *testing.T) {
	got, err := read(t, []byte("%PDF-1.4\n1 0 obj<</OpenAction<</S/Launch/Win<</F(cmd.exe)/P(/c calc)>>>>>>endobj"))
	if err != nil || !got.Script || !slices.Equal(got.Files, []string{"cmd.exe"}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// What is packed in a way that is not read, or damaged, is told; of an encrypted document
// that is all there is to tell.
func TestUnreadable(t *testing.T) {
	var old bytes.Buffer
	w := lzw.NewWriter(&old, lzw.MSB, 8)
	_, _ = w.Write([]byte("<</S/JavaScript>>")) // to memory
	_ = w.Close()
	for name, object := range map[string]string{
		"lzw":       fmt.Sprintf("<</Type/ObjStm/Filter/LZWDecode/Length 1>>stream\n%s\nendstream", old.Bytes()),
		"predicted": stream("/Type/ObjStm/DecodeParms<</Predictor 12>>", []string{"FlateDecode"}, []byte("x")),
		"damaged":   "<</Type/ObjStm/Filter/FlateDecode>>stream\nx\x9cno octets that are deflated\nendstream",
		"a comment": "<</Type/ObjStm/Filter/FlateDecode% obj\n/N 1>>stream\n" + string(zipped([]byte("<</S/JavaScript>>"))) + "\nendstream",
		"a text":    "<</Filter/FlateDecode/A( endobj)/N 1/First 1>>stream\n" + string(zipped([]byte("<</S/JavaScript>>"))) + "\nendstream",
		"elsewhere": "<</Type/ObjStm/Filter 7 0 R>>stream\n" + string(zipped([]byte("<</S/JavaScript>>"))) + "\nendstream",
		"one there": "<</Type/ObjStm/Filter[/AHx 7 0 R]>>stream\n" + string(zipped([]byte("<</S/JavaScript>>"))) + "\nendstream",
		"filters":   "<</Type/ObjStm/Filter[" + strings.Repeat("/Fl", 9) + "]>>stream\nx\nendstream",
	} {
		document := "%PDF-1.7\n1 0 obj\n" + object + "\nendobj\n"
		if got, err := read(t, []byte(document)); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if got, err := read(t, []byte(document+"trailer<</Encrypt 3 0 R>>")); err != nil || !got.Encrypted {
			t.Errorf("%s, encrypted: %+v, %v", name, got, err)
		}
	}
	everyday := "%PDF-1.7\n4 0 obj<</First 5 0 R/A<</S/Named/N/NextPage>>>>endobj 6 0 obj<</Font<</Fl 3 0 R/RL 3 0 R>>>>endobj 7 0 obj<</Filter/Standard/V 4>>endobj\n1 0 obj\n" +
		stream("/Type/ObjStm/N 1/First 5", []string{"FlateDecode"}, []byte("11 0 <<>>")) + "\nendobj\n"
	if got, err := read(t, []byte(everyday)); err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := read(t, []byte("%PDF-1.7\n1 0 obj\n<</Filter/FlateDecode>>stream\nx\x9cno octets that are deflated\nendstream\nendobj")); err != nil {
		t.Errorf("a damaged page is shown without it: %+v, %v", got, err)
	}
}

func TestErrors(t *testing.T) {
	broken := errors.New("broken")
	document := []byte("%PDF-1.7\n1 0 obj\n" + stream("", nil, []byte(program)) + "\nendobj\n" + strings.Repeat("/a ", 1000))
	for name, s := range map[string]Scanner{
		"charge":  {Charge: func(int) error { return broken }, Content: func(io.Reader) error { return nil }},
		"content": {Charge: func(int) error { return nil }, Content: func(io.Reader) error { return broken }},
	} {
		if _, err := s.Scan(bytes.NewReader(document)); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("%PDF-1.7\n1 0 obj\n" + stream("/Type/ObjStm", []string{"FlateDecode"}, []byte("<</S/JavaScript/UF(a)>>")) + "\nendobj\n"))
	f.Add([]byte("1 0 obj<</F<fe>/UF(\\1\\\r\n((x))/J#61>> stream\r\nendstream"))
	f.Fuzz(func(t *testing.T, document []byte) {
		got, err := read(t, document)
		if err != nil && !errors.Is(err, ErrUnreadable) {
			t.Fatal(err)
		}
		// 4 KiB of a name are looked at where one stands.
		if most := 64*len(document) + 64<<10; got.charged > most {
			t.Fatalf("%d charges for %d octets", got.charged, len(document))
		}
	})
}
