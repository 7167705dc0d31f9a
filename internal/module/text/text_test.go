package text

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/module"
)

func of(t interface {
	Helper()
	Error(...any)
}, message string) module.Finding {
	t.Helper()
	f, err := new(Inspector).inspect(context.Background(), strings.NewReader(message))
	if err != nil {
		t.Error(err)
	}
	return f
}

func htmlOf(html string) string {
	return "Content-Type: text/html; charset=utf-8\r\n\r\n" + html
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		name, message string
		text, hidden  []string
	}{
		{"plain", "\r\nHello,\r\n  world\r\n", []string{"Hello, world"}, nil},
		{"koi8", "Content-Type: text/plain; charset=koi8-r\r\n\r\n\xf0\xd2\xc9\xd7\xc5\xd4", []string{"Привет"}, nil},
		{"base64", "Content-Transfer-Encoding: base64\r\n\r\n0J/RgNC40LLQtdGC\r\n", []string{"Привет"}, nil},
		{"not labelled", "\r\n\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0", []string{"Привет, как дела"}, nil},
		{"invisible", "\r\nlot\u200bte\u00adry\u00a0now", []string{"lottery now"}, nil},
		{"page", htmlOf("<head><title>no</title><style>p{}</style></head><p>Hello, <b>wo</b>rld</p>again<br>and"), []string{"Hello, world again and"}, nil},
		{"script", htmlOf("<script>var a='no'</script>yes"), []string{"yes"}, nil},
		{"comment", htmlOf("lot<!-- x -->tery"), []string{"lottery"}, nil},
		{"entities", htmlOf("&#1055;&eacute;"), []string{"Пé"}, nil},
		{"display", htmlOf(`a<div style="display : none">b<i>c</i></div>d`), []string{"ad"}, []string{"bc"}},
		{"size", htmlOf(`a<span style='FONT-SIZE:0px !important'>b</span>d`), []string{"ad"}, []string{"b"}},
		{"colour", htmlOf(`<font style="color:#fff;background-color: #FFF">b</font>d`), []string{"d"}, []string{"b"}},
		{"hidden", htmlOf(`<p hidden>b</p>d`), []string{"d"}, []string{"b"}},
		{"picture", htmlOf(`<img alt="word">`), []string{"word"}, nil},
		{"two parts", "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>two\r\n--b--\r\n",
			[]string{"one", "two"}, nil},
		{"a file", "Content-Disposition: attachment; filename=a.txt\r\n\r\nsecret", nil, nil},
	} {
		f := of(t, tt.message)
		if !slices.Equal(f.Text, tt.text) || !slices.Equal(f.HiddenText, tt.hidden) {
			t.Errorf("%s: %q, hidden %q", tt.name, f.Text, f.HiddenText)
		}
		if slices.Contains(f.Symbols, SymbolHidden) != (tt.hidden != nil) {
			t.Errorf("%s: %q", tt.name, f.Symbols)
		}
	}
}

func TestURLs(t *testing.T) {
	for _, tt := range []struct {
		name, message string
		urls, domains []string
		symbols       []string
	}{
		{"in a text", "\r\nsee http://A.example/x?y=1. And (www.b.example/z)!", []string{"http://A.example/x?y=1", "www.b.example/z"}, []string{"a.example", "www.b.example"}, nil},
		{"twice", "\r\nhttp://a.example/ http://a.example/ http://a.example/b", []string{"http://a.example/", "http://a.example/b"}, []string{"a.example"}, nil},
		{"of a link", htmlOf(`<a href=" https://user:x@a.example:8080/">here</a>`), []string{"https://user:x@a.example:8080/"}, []string{"a.example"}, nil},
		{"not of the web", htmlOf(`<a href="mailto:a@b.example">x</a><a href="#top">y</a>`), nil, nil, nil},
		{"other scheme's slashes", htmlOf(`<a href="http:\\a.example\b">x</a><a href="ht` + "\t" + `tps:///c.example">y</a>`), []string{`http://a.example/b`, "https:///c.example"}, []string{"a.example", "c.example"}, nil},
		{"a form", htmlOf(`<form action="https://a.example/login">`), []string{"https://a.example/login"}, []string{"a.example"}, nil},
		{"IDN", htmlOf(`<a href="http://тест.рф/">тест</a>`), []string{"http://тест.рф/"}, []string{"xn--e1aybc.xn--p1ai"}, nil},
		{"shown otherwise", htmlOf(`<a href="http://evil.example/">https://www.bank.example/login</a>`), []string{"http://evil.example/", "https://www.bank.example/login"},
			[]string{"evil.example", "evil.example shown as www.bank.example", "www.bank.example"}, []string{SymbolOtherDomain}},
		{"a name alone", htmlOf(`<a href="http://evil.example/"><b>bank</b>.example</a>`), []string{"http://evil.example/"},
			[]string{"evil.example", "evil.example shown as bank.example"}, []string{SymbolOtherDomain}},
		{"shown as it is", htmlOf(`<a href="http://www.bank.example/">bank.example</a>`), []string{"http://www.bank.example/"}, []string{"www.bank.example"}, nil},
		{"words", htmlOf(`<a href="http://a.example/">Click here. Now</a>`), []string{"http://a.example/"}, []string{"a.example"}, nil},
	} {
		f := of(t, tt.message)
		if !slices.Equal(f.URLs, tt.urls) || !slices.Equal(f.URLDomains, tt.domains) || !slices.Equal(f.Symbols, tt.symbols) {
			t.Errorf("%s: %q, %q, %q", tt.name, f.URLs, f.URLDomains, f.Symbols)
		}
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"pay with 4111 1111 1111 1111 now":      SymbolCard,
		"5500-0055-5555-5559":                   SymbolCard,
		"4111 1111 1111 1112":                   "",
		"order 20261128000000001":               "",
		"3333333333333333":                      "",
		"to DE89 3704 0044 0532 0130 00 please": SymbolIBAN,
		"GB82WEST12345698765432":                SymbolIBAN,
		"DE88 3704 0044 0532 0130 00":           "",
		"GB82WEST12345698765432 ABCD":           SymbolIBAN,
	} {
		f := of(t, "\r\n"+text+"\r\n")
		if want == "" && len(f.Symbols) > 0 || want != "" && !slices.Equal(f.Symbols, []string{want}) {
			t.Errorf("%s: %q", text, f.Symbols)
		}
	}
	// The check digit of every number with one digit changed is wrong.
	number := []byte("4111111111111111")
	for i := range number {
		for d := byte('0'); d <= '9'; d++ {
			other := bytes.Clone(number)
			other[i] = d
			if luhn(string(other)) != (d == number[i]) {
				t.Errorf("%s", other)
			}
		}
	}
}

// However much there is, what is given is bounded, and its cost too.
func TestBounds(t *testing.T) {
	for name, html := range map[string]string{
		"text":      strings.Repeat("word ", 1<<20),
		"links":     strings.Repeat(`<a href="http://a.example/">b.example</a> `, 50_000),
		"many":      manyLinks(20_000),
		"elements":  strings.Repeat("<div>", 500_000),
		"attribute": "<a " + strings.Repeat("href=//a.b ", 200_000) + ">x",
		"open":      strings.Repeat("<p style='display:none'>x", 100_000),
		"notes":     strings.Repeat("<!--[if mso]><!--[if x]>", 100_000),
		"note":      "<!--[if mso]>" + strings.Repeat("<a href=//a.b>", 100_000) + "<![endif]-->",
		"bases":     `<base href="http://a.example/` + strings.Repeat("b/", 1000) + `">` + strings.Repeat(`<a href="../../c">`, 50_000),
		"hosts":     strings.Repeat("a.example.com/ ", 100_000),
		"slashes":   strings.Repeat("a.b.c.d.e.f/", 100_000),
		"schemes":   strings.Repeat(`<a href="x:http:http:http:">`, 50_000),
		"within":    `<a href="x:` + strings.Repeat("http:", 50_000) + `">`,
		"numbers":   strings.Repeat("4111 1111 1111 1112 DE88 3704 0044 0532 0130 00 ", 50_000),
	} {
		f := of(t, htmlOf(html))
		size := 0
		for _, s := range slices.Concat(f.Text, f.HiddenText) {
			size += len(s)
		}
		if size > maxText+maxHidden || len(f.URLs) > maxURLs || len(f.URLDomains) > maxDomains+maxShown {
			t.Errorf("%s: %d octets, %d and %d addresses", name, size, len(f.URLs), len(f.URLDomains))
		}
	}
	if f := of(t, htmlOf(manyLinks(2000))); !slices.Contains(f.Symbols, SymbolLimit) {
		t.Errorf("%q", f.Symbols)
	}
}

func manyLinks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("<a href=http://" + strings.Repeat("x", i%50+1) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + ".example/>x</a>")
	}
	return b.String()
}

// What was read of a page before it cost too much is there for rules.
func TestCutPage(t *testing.T) {
	in := &inspection{budget: budget.New(t.Context(), 2000, 1<<20), desk: new(desk)}
	err := in.html("lottery<p>" + strings.Repeat("<b>x</b>", 5000))
	if !errors.Is(err, budget.ErrSpent) || len(in.text.all) != 1 || !strings.HasPrefix(in.text.all[0], "lottery xx") {
		t.Errorf("%q, %v", in.text.all, err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := new(Inspector).inspect(ctx, strings.NewReader("\r\ntext")); err == nil {
		t.Error("no error")
	}
}

// Operators write rules on symbols: each stands in docs/policy.md.
func TestSymbolsAreDocumented(t *testing.T) {
	source, err := os.ReadFile("text.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "policy.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range regexp.MustCompile(`= "([A-Z_]+)"`).FindAllSubmatch(source, -1) {
		if !bytes.Contains(doc, []byte("| `"+string(s[1])+"` |")) {
			t.Errorf("docs/policy.md does not name %s", s[1])
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte(htmlOf(`<a href="http://evil.example/">bank.example</a><p style="display:none">x`)))
	f.Add([]byte("\r\nhttp://a.example 4111 1111 1111 1111 GB82WEST12345698765432"))
	f.Fuzz(func(t *testing.T, message []byte) {
		if _, err := new(Inspector).inspect(context.Background(), bytes.NewReader(message)); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkInspect(b *testing.B) {
	for name, html := range map[string]string{
		"text": strings.Repeat("word ", 1<<18), "links": manyLinks(20_000), "elements": strings.Repeat("<div>", 200_000),
		"numbers": strings.Repeat("4111 1111 1111 1112 DE88 3704 0044 0532 0130 00 ", 20_000),
	} {
		b.Run(name, func(b *testing.B) {
			message := htmlOf(html)
			b.SetBytes(int64(len(message)))
			for b.Loop() {
				if _, err := new(Inspector).inspect(context.Background(), strings.NewReader(message)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
