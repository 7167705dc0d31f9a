package text

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

// TestLabelsThatCannotBeRight: a body is read as programs read it that guess, whatever its
// label says.
func TestLabelsThatCannotBeRight(t *testing.T) {
	const words = "Приходите в наше казино, играйте и выигрывайте"
	octets := map[string]encoding.Encoding{
		"windows-1251": charmap.Windows1251, "koi8-r": charmap.KOI8R, "ibm866": charmap.CodePage866, "utf-8": unicode.UTF8, "utf-8 with a mark": unicode.UTF8BOM,
		"utf-16 with a mark": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "the other utf-16": unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	}
	names := make([]string, 0, len(octets))
	for name := range octets {
		names = append(names, name)
	}
	slices.Sort(names)
	labels := []string{"", "; charset=utf-8", "; charset=us-ascii", "; charset=iso-8859-1", "; charset=windows-1252", "; charset=windows-1251", "; charset=koi8-r", "; charset=unknown-8bit", "; charset=x-nobodys"}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "octets")
		label := rapid.SampledFrom(labels).Draw(t, "label")
		mediaType := rapid.SampledFrom([]string{"text/plain", "text/html"}).Draw(t, "type")
		page := words
		if mediaType == "text/html" {
			meta := rapid.SampledFrom([]string{"", `<meta charset="` + name + `">`, `<!-- the charset --><meta charset="` + name + `">`, "<meta http-equiv=Content-Type content='text/html; charset=utf-8'>"}).Draw(t, "meta")
			page = "<html><head>" + meta + "<style>" + strings.Repeat("p { margin: 0 }\n", rapid.SampledFrom([]int{0, 500}).Draw(t, "style")) + "</style></head><p>" + words
		}
		encoded, err := octets[name].NewEncoder().String(page)
		if err != nil {
			t.Fatal(err)
		}
		f := textsOf(t, fmt.Sprintf("Content-Type: %s%s\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n", mediaType, label, base64.StdEncoding.EncodeToString([]byte(encoded))))
		if !slices.Contains(f, words) {
			t.Errorf("%s%s in %s: %q", mediaType, label, name, f)
		}
	})
	// What is right is read once.
	for message, want := range map[string]string{
		"Content-Type: text/plain; charset=utf-8\r\n\r\n" + words:                                   words,
		"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nl'\xe9t\xe9 \xe0 la plage, d\xe9j\xe0": "l'été à la plage, déjà",
		"Content-Type: text/plain; charset=us-ascii\r\n\r\nhello":                                   "hello",
		"Content-Type: text/plain; charset=koi8-r\r\n\r\n\xf0\xd2\xc9\xd7\xc5\xd4":                  "Привет",
	} {
		if f := textsOf(t, message); !slices.Equal(f, []string{want}) {
			t.Errorf("%q: %q", message, f)
		}
	}
}

func textsOf(t interface {
	Helper()
	Error(...any)
}, message string) []string {
	t.Helper()
	f, err := new(Inspector).inspect(context.Background(), strings.NewReader(message))
	if err != nil {
		t.Error(err)
	}
	return f.Text
}

// Lines that go on are read as programs join them (RFC 3676).
func TestFlowed(t *testing.T) {
	const flowed = "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\n\r\n"
	for text, want := range map[string]string{
		"кази \r\nно":                     "казино",
		"a \r\nb \r\nc\r\nd":              "abc d",
		"> кази \r\n> но\r\nx":            "> казино x",
		"> a \r\nb":                       "> a b",
		">> a \r\n> b":                    ">> a > b",
		"кази \r\n но":                    "казино",
		"x\r\n-- \r\ny":                   "x -- y",
		"https://evil.exam \r\nple.com/x": "https://evil.example.com/x",
	} {
		f := of(t, flowed+text)
		if !slices.Contains(f.Text, want) {
			t.Errorf("%q: %q", text, f.Text)
		}
	}
	f := of(t, flowed+"https://evil.exam \r\nple.com/x")
	if !slices.Contains(f.URLDomains, "evil.example.com") {
		t.Errorf("%q", f.URLDomains)
	}
	if f := of(t, strings.Replace(flowed, "delsp=yes", "x=y", 1)+"> lucky \r\n> winner\r\nx"); !slices.Contains(f.Text, "> lucky winner x") {
		t.Errorf("%q", f.Text)
	}
	if f := of(t, strings.Replace(flowed, "delsp=yes", "x=y", 1)+"a \r\nb"); !slices.Equal(f.Text, []string{"a b"}) {
		t.Errorf("%q", f.Text)
	}
}

// Letters in another form are read in their plain one, too.
func TestOtherForms(t *testing.T) {
	for _, written := range []string{"ｃａｓｉｎｏ", "𝐜𝐚𝐬𝐢𝐧𝐨", "𝒸𝒶𝓈𝒾𝓃ℴ", "ⓒⓐⓢⓘⓝⓞ", "ca\u0338sino", "\u180ecasi\u180eno", "ⅽasⅰno", "ᶜᵃˢⁱⁿᵒ", "ca\u02e2ino"} {
		f := of(t, "Content-Type: text/plain; charset=utf-8\r\n\r\nour "+written+" now")
		if !slices.Contains(f.Text, "our casino now") {
			t.Errorf("%q: %q", written, f.Text)
		}
	}
	for _, plain := range []string{"кази́но", "ﬁne"} {
		if f := of(t, "Content-Type: text/plain; charset=utf-8\r\n\r\n"+plain); !slices.Contains(f.Text, map[string]string{"кази́но": "казино", "ﬁne": "fine"}[plain]) {
			t.Errorf("%q: %q", plain, f.Text)
		}
	}
	for _, plain := range []string{"№ 5 — «да»… 10 €™", "é ё й ü", "👍 🇩🇪", "½ x²"} {
		if f := of(t, "Content-Type: text/plain; charset=utf-8\r\n\r\n"+plain); len(f.Text) != 1 {
			t.Errorf("%q: %q", plain, f.Text)
		}
	}
}

// A text that is long leaves room for those behind it.
func TestSharedRoom(t *testing.T) {
	long := strings.Repeat("word ", maxText/5+3000)
	f := of(t, "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n"+long+"\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>lottery\r\n--b--\r\n")
	if !slices.Contains(f.Text, "lottery") || !slices.Contains(f.Symbols, SymbolLimit) || len(f.Text[0])+len("lottery") != maxText {
		t.Errorf("%d texts, %d octets, %q", len(f.Text), len(f.Text[0]), f.Symbols)
	}
	// One that has room enough is whole.
	long = strings.TrimSpace(strings.Repeat("word ", maxText/5-10))
	if f := of(t, "\r\n"+long); !slices.Equal(f.Text, []string{long}) || len(f.Symbols) > 0 {
		t.Errorf("%d texts, %q", len(f.Text), f.Symbols)
	}
	f = of(t, htmlOf(manyLinks(2000)+`<a href="https://evil.example.com/">bank.example.org</a>`))
	if !slices.Contains(f.URLDomains, "evil.example.com shown as bank.example.org") || !slices.Contains(f.Symbols, SymbolLimit) {
		t.Errorf("%d domains, %q", len(f.URLDomains), f.Symbols)
	}
}

// The words of a link that are the name of a file, or of nobody, are no domain.
func TestWordsThatAreNoDomain(t *testing.T) {
	for words, domain := range map[string]bool{
		"Report.pdf": false, "node.js": false, "Mr.Smith": false, "script.py": false, "README.md": false, "a.docx": false, "photos.zip": false, "clip.mov": false, "Договор.pdf": false,
		"bank.com": true, "банк.рф": true, "sberbank.ru": true, "allegro.pl": true, "www.maib.md": true, "https://maib.md": true, "online.maib.md": true, "bank.com/login": true, "bank.com:8443": true, "sberbank.ru/x?y": true, "online.bank.example/login": true, "and/or": false, "Report.pdf/A": false, "a.m./p.m.": false, "see bank.com/login": false, "bank.co.uk": true,
	} {
		f := of(t, htmlOf(`<a href="https://docs.far.example/x">`+words+`</a>`))
		if slices.Contains(f.Symbols, SymbolOtherDomain) != domain {
			t.Errorf("%s: %q", words, f.URLDomains)
		}
	}
}

// RTF is read as programs show it, whatever its type is called.
func TestRich(t *testing.T) {
	const page = `{\rtf1\ansi\ansicpg1251{\fonttbl{\f0\fcharset204 Arial;}}\f0 \'ea\'e0{\b\'e7\'e8}\u1085?\'ee\par 4111 1111 1111 1111{\v hidden}{\field{\*\fldinst{HYPERLINK "https://evil.example.com/x"}}{\fldrslt here}}}`
	for _, mediaType := range []string{"text/rtf", "application/rtf", "text/rtf; charset=utf-8", "application/x-rtf"} {
		f := of(t, "Content-Type: "+mediaType+"\r\n\r\n"+page)
		if !slices.Equal(f.Text, []string{"казино 4111 1111 1111 1111here"}) || !slices.Equal(f.HiddenText, []string{"hidden"}) || !slices.Contains(f.URLDomains, "evil.example.com") {
			t.Errorf("%s: %q, hidden %q, %q", mediaType, f.Text, f.HiddenText, f.URLDomains)
		}
	}
	if f := of(t, "Content-Type: text/rtf\r\n\r\nno RTF at all"); !slices.Equal(f.Text, []string{"no RTF at all"}) {
		t.Errorf("%q", f.Text)
	}
	if f := of(t, "Content-Type: application/rtf; name=a.rtf\r\nContent-Disposition: attachment\r\n\r\n"+page); len(f.Text) > 0 {
		t.Errorf("%q", f.Text)
	}
}

// The charset that a page names is found behind the word itself.
func TestMetaCharset(t *testing.T) {
	for page, want := range map[string]string{
		`<meta charset="koi8-r">`:                    "koi8-r",
		`<!-- charset --><meta charset = gbk>`:       "gbk",
		`<meta charset=""><meta charset='big5'>`:     "big5",
		`<meta content="text/html; CHARSET=euc-kr">`: "euc-kr",
		`<p>charset`: "",
		`<meta charset=` + strings.Repeat("x", 50) + `>`:      "",
		strings.Repeat("charset", 400) + `<meta charset=gbk>`: "",
	} {
		if got := metaCharset(page); got != want {
			t.Errorf("%.60s: %q", page, got)
		}
	}
}

// What of a text in RTF is not looked at is told.
func TestRichBounds(t *testing.T) {
	const field = `{\field{\*\fldinst HYPERLINK "https://a.example.com/"}}`
	for _, many := range []string{strings.Repeat(field, 1100), strings.Repeat("{", 1100)} {
		if f := of(t, "Content-Type: text/rtf\r\n\r\n{\\rtf1 "+many); !slices.Contains(f.Symbols, SymbolLimit) {
			t.Errorf("%.40s: %q", many, f.Symbols)
		}
	}
}
