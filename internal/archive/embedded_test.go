package archive

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

const embeddedProgram = "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00 and what it does"

type fataler interface {
	Context() context.Context
	Fatal(args ...any)
}

// embeddedIn lists a document: the names of the files in it, their contents, the signs.
func embeddedIn(t fataler, document string) (names, contents []string, signs []Sign) {
	l := &Lister{
		Budget: budget.Proportional(t.Context(), 1<<30), Names: 100, Unpacked: 1 << 20,
		Clean: func(s string) (string, bool) { return s, false },
		Name:  func(_, name string) error { names = append(names, name); return nil },
		Sign:  func(s Sign) { signs = append(signs, s) },
		Content: func(_ string, _ []string, r io.Reader) error {
			if r == nil {
				return nil
			}
			b, err := io.ReadAll(io.LimitReader(r, int64(len(embeddedProgram))))
			contents = append(contents, string(b))
			return err
		},
	}
	if err := l.List(KindOf([]byte(document)), "doc", strings.NewReader(document)); err != nil {
		t.Fatal(err)
	}
	return names, contents, signs
}

func le32(n int) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }

func counted(s string) string { return le32(len(s)) + s }

// packageOf is a file as the packager keeps it.
func packageOf(name, content string) string {
	path := `C:\` + name + "\x00"
	return counted("\x02\x00" + name + "\x00" + path + "\x00\x00\x03\x00" + counted(path) + counted(content))
}

// disturbed writes octets in hexadecimal digits, with what programs pass over between them.
func disturbed(t *rapid.T, octets string) string {
	between := rapid.SliceOfN(rapid.SampledFrom([]string{"", "", "", "", " ", "\r\n", `\par `, `\x12 `, `{\*\foo bar 12}`, "{}", `\'20`, `\~`, "\t", `{\a{\b c}d}`}), 5, 5).Draw(t, "between")
	upper := rapid.Bool().Draw(t, "upper")
	var b strings.Builder
	for i, c := range hex.EncodeToString([]byte(octets)) {
		digit := string(c)
		if upper {
			digit = strings.ToUpper(digit)
		}
		b.WriteString(digit)
		if i%7 == 3 {
			b.WriteString(between[i/7%len(between)])
		}
	}
	return b.String()
}

// However the digits of an object are written, the file that a text in RTF has embedded is found.
func TestEmbeddedInRTF(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		class := rapid.SampledFrom([]string{"Package", "PACKAGE", "Word.Document.8", "x"}).Draw(t, "class")
		data := counted(embeddedProgram)
		if strings.EqualFold(class, "package") {
			data = packageOf("invoice.exe", embeddedProgram)
		}
		object := "\x01\x05\x00\x00" + le32(2) + counted(class+"\x00") + le32(0) + le32(0) + data
		begin := rapid.SampledFrom([]string{`{\rtf1 hello`, "\r\n {\\rt{", `{\rtf1\objdatax{\objdata 00}`, `{\rtf1{\*\objdata `}).Draw(t, "begin")
		document := begin + strings.Repeat("text ", rapid.IntRange(0, 20_000).Draw(t, "text")) + rapid.SampledFrom([]string{`{\object\objemb{\*\objdata `, `{\object{\objdata`, `{\*\objdata{\x}` + "\r\n"}).Draw(t, "word") + disturbed(t, object) + "}}}"
		if begin == `{\rtf1{\*\objdata ` {
			document = strings.Replace(document, begin, begin+"0105}", 1)
		}
		names, contents, _ := embeddedIn(t, document)
		if !slices.Contains(contents, embeddedProgram) || strings.EqualFold(class, "package") && !slices.Contains(names, "invoice.exe") {
			t.Fatalf("%q, %q", names, contents)
		}
	})
}

// Digits behind the number of a word, digits in groups, and octets as they are count.
func TestObjectDataInRTF(t *testing.T) {
	octets := "\x01\x05\x00\x00" + le32(2) + counted("x\x00") + le32(0) + le32(0) + counted(embeddedProgram)
	digits := hex.EncodeToString([]byte(octets))
	at := strings.Index(digits, hex.EncodeToString([]byte("hat it does")))
	cut := strings.Index(digits, "ff") // a letter
	for name, data := range map[string]string{
		"behind a number":          digits[:cut] + `\x1` + digits[cut:],
		"behind another number":    digits[:cut] + `\x-1` + digits[cut:],
		"in a group":               "{" + digits + "}",
		"some in groups":           digits[:40] + "{ " + digits[40:50] + "{" + digits[50:60] + `{\x 12}` + "}" + digits[60:80] + "}" + digits[80:],
		"as they are":              `\bin` + strconv.Itoa(len(octets)) + " " + octets,
		"some as they are":         digits[:at] + `\bin11 hat it does`,
		"as they are, passed over": digits[:40] + `{\*\x \bin3 }}}}` + digits[40:],
	} {
		if _, contents, _ := embeddedIn(t, `{\rtf1{\object{\*\objdata `+data+"}}}"); !slices.Contains(contents, embeddedProgram) {
			t.Errorf("%s: %q", name, contents)
		}
	}
}

// What is damaged in a text is no fault of it.
func TestRTFOfAnyForm(t *testing.T) {
	for _, document := range []string{`{\rtf1`, `{\rtf1 {\objdata}`, `{\rtf1{\objdata 01}`, `{\rtf1{\objdata 0105000002000000ffffffff00}}`, `{\rtf1{\objdata 0105000001000000}}`, `{\rtf1\`, `{\rtf1{\objdata \`, `{\rtf1{\objdata \'`, strings.Repeat(`{\rtf1{\objdata `, 1000)} {
		if names, contents, _ := embeddedIn(t, document); len(names)+len(contents) > 0 {
			t.Errorf("%q: %q, %q", document, names, contents)
		}
	}
}

func utf16Of(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// Wherever a section of OneNote has a file, and whatever it is called, both are found.
func TestEmbeddedInOneNote(t *testing.T) {
	const magic = "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"
	stored := func(content string) string {
		return "\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac" + string(binary.LittleEndian.AppendUint64(nil, uint64(len(content)))) + strings.Repeat("\x00", 12) + content
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"invoice.hta", "счёт.exe", "a b.pdf.bat"}).Draw(t, "name")
		property := utf16Of(name)
		if rapid.Bool().Draw(t, "NUL") {
			property += "\x00\x00"
		}
		gap := func(label string) string {
			return strings.Repeat("\x01\x00\x00", rapid.IntRange(0, 60_000).Draw(t, label))
		}
		document := magic + gap("before") + stored("\x89PNG and so on") + gap("between") + stored(embeddedProgram) + gap("behind") + counted(property) + gap("end")
		names, contents, _ := embeddedIn(t, document)
		if !slices.Contains(names, name) || len(contents) != 1 || contents[0] != embeddedProgram {
			t.Fatalf("%q, %q", names, contents)
		}
		// Nothing behind it, and no first letters, keep a file from being found.
		names, _, _ = embeddedIn(t, magic+stored("BM=1 & start x")+counted(property)+gap("end")+stored("")[:20])
		if !slices.Contains(names, name) {
			t.Fatalf("%q", names)
		}
		// A page with pictures alone has no files, whatever is written on it.
		if names, contents, _ := embeddedIn(t, magic+gap("page")+stored("\xff\xd8\xff\xe0")+stored("BM\x46\x00\x00\x00\x00\x00\x00\x00")+counted(property)); len(names)+len(contents) > 0 {
			t.Fatalf("%q, %q", names, contents)
		}
	})
}

func TestMacrosInOneText(t *testing.T) {
	const begin = `<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument>`
	for document, want := range map[string]bool{
		begin: false, begin + "macros": false,
		begin + `<x w:macrosPresent="yes">`: true, begin + `<x w:macrosPresent = 'yes'>`: true, begin + `<x w:macrosPresent="no">`: false,
		begin + strings.Repeat(" ", 70_000) + `<pkg:part pkg:name="/word/vbaProject.bin">`: true, begin + strings.Repeat(" ", 32<<10-len(begin)-8) + `w:name="editdata.mso"`: true,
		"\ufeff<?xml version='1.0'?>\r\n<pkg:package xmlns:pkg=''>vbaproject.BIN": true, "ActiveMime\x00\x00": true,
	} {
		_, _, signs := embeddedIn(t, document)
		if slices.Contains(signs, Macro) != want {
			t.Errorf("%.60q…: %v", document, signs)
		}
	}
	for _, document := range []string{"<?xml version='1.0'?><html/>", "<html>mso-application", "{text}", `\rtf`} {
		if k := KindOf([]byte(document)); k != Other {
			t.Errorf("%s: %v", document, k)
		}
	}
}
