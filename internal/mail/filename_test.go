package mail

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

const invoice = "Счёт за март.pdf"

// octets is text in a charset.
func octets(t *testing.T, m *charmap.Charmap, text string) string {
	t.Helper()
	s, err := m.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// percent is text as RFC 2231 has it.
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

func TestFileNames(t *testing.T) {
	koi, win := octets(t, charmap.KOI8R, invoice), octets(t, charmap.Windows1251, invoice)
	for _, tt := range []struct {
		name   string
		fields []string
		want   []string
	}{
		{"none", []string{"Content-Type: a/b", "Content-Disposition: attachment"}, nil},
		{"token", []string{"Content-Disposition: attachment; filename=a.txt"}, []string{"a.txt"}},
		{"quoted", []string{`Content-Disposition: attachment; filename="a b;c.txt"`}, []string{"a b;c.txt"}},
		{"spaces without quotes", []string{`Content-Disposition: attachment; filename=a b (1).txt`}, []string{"a b (1).txt", "a", "a b"}},
		{"names of parameters in any case, white space", []string{"Content-Disposition: attachment ;\r\n\tFileName = \"a.txt\" "}, []string{"a.txt"}},
		{"both agree", []string{"Content-Type: a/b; name=a.txt", "Content-Disposition: attachment; filename=a.txt"}, []string{"a.txt"}},
		{"both differ", []string{"Content-Type: a/b; name=b.exe", "Content-Disposition: attachment; filename=a.txt"}, []string{"a.txt", "b.exe"}},
		{"folded within", []string{"Content-Disposition: attachment; filename=\"invo\r\n\tice.e\r\n xe\""}, []string{"invo ice.e xe", "invoice.exe"}},
		{"folded where a parameter begins", []string{"Content-Disposition: attachment\r\n ; size=1;\r\n filename=\"a b.txt\""}, []string{"a b.txt"}},
		{"stream", []string{`Content-Disposition: attachment; filename="a.exe::$DATA"`}, []string{"a.exe::$DATA", "a.exe"}},
		{"no stream", []string{`Content-Disposition: attachment; filename="Re: a.txt"`}, []string{"Re: a.txt"}},
		{"twice", []string{"Content-Disposition: attachment; filename=a.txt; filename=b.exe"}, []string{"a.txt", "b.exe"}},
		{"two fields", []string{"Content-Disposition: inline; filename=a.txt", "Content-Disposition: attachment; filename=b.exe"}, []string{"a.txt", "b.exe"}},
		{"name in the other field", []string{"Content-Type: a/b; filename=a.txt"}, []string{"a.txt"}},
		{"the value lacks", []string{"Content-Disposition: filename=a.txt"}, []string{"a.txt"}},

		{"RFC 2231", []string{"Content-Disposition: attachment; filename*=UTF-8''" + percent(invoice)}, []string{invoice}},
		{"RFC 2231, language", []string{"Content-Disposition: attachment; filename*=koi8-r'ru'" + percent(koi)}, []string{invoice}},
		{"RFC 2231, windows-1251", []string{"Content-Type: a/b; name*=windows-1251''" + percent(win)}, []string{invoice}},
		{"RFC 2231 in quotes", []string{`Content-Disposition: attachment; filename*="utf-8''` + percent(invoice) + `"`}, []string{invoice}},
		{"RFC 2231, no charset", []string{"Content-Disposition: attachment; filename*=" + percent(invoice)}, []string{invoice}},
		{"RFC 2231, unknown charset", []string{"Content-Disposition: attachment; filename*=x-nope''" + percent(invoice)}, []string{invoice}},
		{"RFC 2231 and not", []string{"Content-Disposition: attachment; filename=b.exe; filename*=UTF-8''" + percent(invoice)}, []string{"b.exe", invoice}},
		{"sections", []string{"Content-Disposition: attachment; filename*0*=UTF-8''" + percent("Сч") + ";", " filename*1*=" + percent("ёт за март") + ";", " filename*2=.pdf"}, []string{invoice}},
		{"sections, character divided", []string{"Content-Disposition: attachment; filename*0*=UTF-8''%D0;", " filename*1*=%A1.pdf"}, []string{"С.pdf"}},
		{"sections in another order", []string{"Content-Disposition: attachment; filename*10=k; filename*2*=" + percent("ёт за март") + "; filename*0*=UTF-8''" + percent("С") + ";", " filename*3=.pdf; filename*1*=" + percent("ч")}, []string{invoice + "k"}},
		{"sections, not encoded", []string{"Content-Disposition: attachment; filename*0=\"a \"; filename*1=\"b%20.txt\""}, []string{"a b%20.txt", "a b .txt"}},
		{"sections of encoded-words", []string{"Content-Disposition: attachment; filename*0=\"=?UTF-8?Q?=D0=A1=D1\"; filename*1=\"=87.pdf?=\""}, []string{"Сч.pdf"}},
		{"a section twice", []string{"Content-Disposition: attachment; filename*0=a; filename*1=.txt; filename*1=.exe"}, []string{"a.txt", "a.exe"}},
		{"a section lacks", []string{"Content-Disposition: attachment; filename*0=a; filename*2=.exe"}, []string{"a.exe"}},

		{"RFC 2047 in quotes", []string{`Content-Disposition: attachment; filename="=?UTF-8?B?0KHRh9GR0YIg0LfQsCDQvNCw0YDRgi5wZGY=?="`}, []string{invoice}},
		{"RFC 2047 without", []string{"Content-Disposition: attachment; filename==?koi8-r?B?89DJ08/LLmRvYw==?="}, []string{"Список.doc"}},
		{"RFC 2047 in two lines", []string{"Content-Type: a/b; name=\"=?UTF-8?B?0KHRh9GR0YIg0LfQsCDQ?=", " =?UTF-8?B?vNCw0YDRgi5wZGY=?=\""}, []string{invoice}},
		{"RFC 2047, piece by piece", []string{"Content-Type: a/b; name=\"=?UTF-8?B?0KHRh9GR0YIg0LfQsCDQ?=\"", " \"=?UTF-8?B?vNCw0YDRgi5wZGY=?=\""}, []string{"Счёт за \uFFFD", invoice}},
		{"RFC 2047, all of the value", []string{"Content-Disposition: =?UTF-8?Q?attachment;_filename=3Da.exe?="}, []string{"a.exe"}},

		{"raw UTF-8", []string{`Content-Disposition: attachment; filename="` + invoice + `"`}, []string{invoice}},
		{"raw, charset of the part", []string{`Content-Type: text/plain; charset=koi8-r; name="` + koi + `"`}, []string{invoice}},
		{"raw, charset of the message", []string{`Content-Disposition: attachment; filename="` + win + `"`}, []string{invoice}},

		{"folders", []string{`Content-Disposition: attachment; filename="../../etc/a.txt"`}, []string{"a.txt"}},
		{"folders of Windows", []string{`Content-Disposition: attachment; filename="C:\\temp\\a.txt"`}, []string{"a.txt"}},
		{"folders of Windows, not quoted", []string{`Content-Disposition: attachment; filename="C:\temp\a.txt"`}, []string{"a.txt", "C:tempa.txt"}},
		{"a folder", []string{`Content-Disposition: attachment; filename="a.exe/"`}, []string{"a.exe"}},
		{"quotes within", []string{`Content-Disposition: attachment; filename="a\"b.txt"`}, []string{`a"b.txt`}},
		{"more after the quotes", []string{`Content-Disposition: attachment; filename="a.txt".exe`}, []string{"a.txt", "a.txt.exe"}},
		{"quotes without end", []string{`Content-Disposition: attachment; filename="a.txt; x=y`}, []string{"a.txt; x=y", "a.txt"}},
		{"hidden by quotes without end", []string{`Content-Disposition: attachment; x="y; filename=a.exe`}, []string{"a.exe"}},
		{"single quotes", []string{`Content-Disposition: attachment; filename='a.txt'`}, []string{"a.txt"}},
		{"dots and spaces at the end", []string{`Content-Disposition: attachment; filename="a.exe. . "`}, []string{"a.exe"}},
		{"control characters", []string{"Content-Disposition: attachment; filename=\"a\x01\x7f.e\x08xe\""}, []string{"a.exe"}},
		{"a line end, encoded", []string{"Content-Disposition: attachment; filename*=utf-8''a%0D%0Ab.exe"}, []string{"a  b.exe"}},
		{"NUL", []string{"Content-Disposition: attachment; filename*=utf-8''a.exe%00.txt"}, []string{"a.exe.txt", "a.exe"}},
		{"decomposed", []string{"Content-Disposition: attachment; filename*=utf-8''%D0%B8%CC%86.txt"}, []string{"й.txt"}},
		{"another direction", []string{"Content-Disposition: attachment; filename*=utf-8''a%E2%80%AEfdp.exe"}, []string{"afdp.exe"}},
		{"nothing but dots", []string{"Content-Disposition: attachment; filename=\"..\""}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			message := crlf("Content-Type: multipart/mixed; boundary=b; charset=windows-1251", "", "--b", strings.Join(tt.fields, "\r\n"), "", "--b--")
			got, err := ListParts(nil, strings.NewReader(message), "")
			if err != nil || !slices.Equal(got.Names, tt.want) {
				t.Errorf("%q, want %q, %v", got.Names, tt.want, err)
			}
		})
	}
}

// A text before tells the charset of a raw name where nothing else does.
func TestCharsetOfText(t *testing.T) {
	got, err := ListParts(nil, strings.NewReader(crlf("Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: text/plain; charset=koi8-r", "", "--b",
		`Content-Type: a/b; name="`+octets(t, charmap.KOI8R, invoice)+`"`, "", "--b--")), "")
	if err != nil || !slices.Equal(got.Names, []string{invoice}) {
		t.Errorf("%q, %v", got.Names, err)
	}
}

func TestBidi(t *testing.T) {
	for name, want := range map[string]bool{"a\u202efdp.exe": true, "a\u2067b": true, "a\u200fb": false, "\u202aa.txt\u202c": false, "שלום.txt": false} {
		if clean, bidi := CleanName(name); bidi != want || strings.ContainsAny(clean, "\u202a\u202c\u202e\u2067\u200f") {
			t.Errorf("%q: %q, %v", name, clean, bidi)
		}
	}
}

func TestLongNames(t *testing.T) {
	long := strings.Repeat("очень длинное имя ", 100) + ".pdf.exe"
	got, _ := CleanName(long)
	if len(got) > MaxName || len(got) < MaxName-8 || !strings.HasPrefix(got, "очень") || !strings.HasSuffix(got, ".pdf.exe") || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("%q", got)
	}
	if again, _ := CleanName(got); again != got {
		t.Errorf("%q", again)
	}
}

func TestMediaTypes(t *testing.T) {
	for field, want := range map[string]string{
		"Content-Type: TEXT/HTML; charset=x": "text/html",
		"Content-Type: text/html (comment)":  "text/html",
		"Content-Type:":                      "text/plain",
		"Content-Type: pdf":                  "text/plain",
		`Content-Type: "image/png"`:          "image/png",
		"Content-Type: a/b\x01c":             "a/bc",
		"Content-Type: name=x":               "text/plain",
		"X: y":                               "text/plain",
	} {
		if l, err := ListParts(nil, strings.NewReader(field+"\n\n"), ""); err != nil || !slices.Equal(l.Types, []string{want}) {
			t.Errorf("%q: %q, %v", field, l.Types, err)
		}
	}
}

// A name keeps its characters unless they hide an extension: without a dot there is
// none.
func TestPlainForms(t *testing.T) {
	for name, want := range map[string]string{
		"ｉｎｖｏｉｃｅ":     "ｉｎｖｏｉｃｅ",
		"Ⅻ":           "Ⅻ",
		"ｆｏｏ.exe":     "ｆｏｏ.exe",
		"ｆｏｏ.ｅxe":     "foo.exe",
		"invoice．exe": "invoice.exe",
		"invoice․exe": "invoice.exe",
		"invoice﹒exe": "invoice.exe",
		"請求書.𝐞𝐱𝐞":     "請求書.exe",
		"請求書":         "請求書",
		"請求書.txt":     "請求書.txt",
		"отчёт.ｄｏｃ":   "отчёт.doc",
		"①②③.①":       "123.1",
		"ﬁle":         "ﬁle",
		"a.e\u2003xe": "a.e\u2003xe",
		"ｖｅｒｓｉｏｎ 1.2.3 ｆｉｎａｌ": "version 1.2.3 final",
	} {
		if got := plainExtension(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	for r := rune(0x2024); r <= unicode.MaxRune; r++ {
		want := r
		if form := norm.NFKC.String(string(r)); len(form) == 1 && form[0] > ' ' {
			want = rune(form[0])
		}
		if got := plainForm(r); utf8.ValidRune(r) && got != want {
			t.Errorf("%U is %q, want %q", r, got, want)
		}
	}
	got, name := "", strings.Repeat("請求書", 50)+".txt"
	if n := testing.AllocsPerRun(10, func() { got = plainExtension(name) }); n > 0 || got != name {
		t.Errorf("a name that hides nothing takes %v allocations", n)
	}
}
