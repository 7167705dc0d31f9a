package markup

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// addText adds a text to the one before it: which "<" begins one of its own does not
// matter.
func addText(all []string, text string) []string {
	if n := len(all); n > 0 && strings.HasPrefix(all[n-1], "text ") {
		all[n-1] += text
		return all
	}
	return append(all, "text "+text)
}

// ours are the tokens of a text, as Reader has them.
func ours(text string) []string {
	var all []string
	var r Reader
	r.Reset(text)
	for {
		kind := r.Next()
		switch kind {
		case End:
			return all
		case Text:
			all = addText(all, r.Text())
		case Comment, Doctype:
			all = append(all, fmt.Sprintf("%d %q", kind, r.Raw()))
		case EndTag:
			all = append(all, "/"+r.Name())
		default:
			s := fmt.Sprintf("%d %s", kind, r.Name())
			for i := range r.Attributes() {
				name, value := r.Attribute(i)
				s += fmt.Sprintf(" %q=%q", name, value)
			}
			all = append(all, s)
		}
	}
}

// theirs are those of the library.
func theirs(text string) []string {
	var all []string
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		kind := z.Next()
		raw := string(z.Raw())
		switch kind {
		case html.ErrorToken:
			return all
		case html.TextToken:
			all = addText(all, string(z.Text()))
		case html.CommentToken:
			all = append(all, fmt.Sprintf("%d %q", Comment, raw))
		case html.DoctypeToken:
			all = append(all, fmt.Sprintf("%d %q", Doctype, raw))
		case html.EndTagToken:
			name, _ := z.TagName()
			all = append(all, "/"+string(name))
		default:
			ours := map[html.TokenType]Kind{html.StartTagToken: StartTag, html.SelfClosingTagToken: ClosedTag}[kind]
			name, more := z.TagName()
			s := fmt.Sprintf("%d %s", ours, name)
			for more {
				var key, value []byte
				key, value, more = z.TagAttr()
				s += fmt.Sprintf(" %q=%q", key, value)
			}
			all = append(all, s)
		}
	}
}

func same(t interface{ Errorf(string, ...any) }, text string) {
	text = Clean(text)
	got, want := ours(text), theirs(text)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q\n got %q\nwant %q", text, got, want)
	}
}

// TestSameAsLibrary: the tokens are those of the library.
func TestSameAsLibrary(t *testing.T) {
	for _, text := range []string{
		"a<b>c</b>", "<a href='x' HREF=y>", "<p a=/>", "<p a=1 a=/>", "<br/>", "<p/ a>", "<p =a=b>", "<p a = 'b' c>", "<p a='b", "</p", "</", "<", "<!", "<!>", "<!->", "<!-", "<!--", "<!-->x", "<!--->x",
		"<!---->x", "<!--x--!>y", "<!--!>--!->-->y", "<!doctype html>x", "<!DOCTYPE", "<!docty", "<?xml ?>x", "</>x", "</ x>y", "<![CDATA[x]]>y", "<script><!--<script></script>--></script>x",
		"<script></style></script >x", "<STYLE>a<b></style/>x", "<title>&amp;</titlex></title>y", "<textarea>&lt;</textarea", "<plaintext></plaintext>", "<xmp></xmp>x", "<noscript><b></noscript>",
		"<a b=&amp c=&ampx d='&amp;' e='&notit;' f='&notin;' g='&copy=1' h=&#65 i='&#x41;' j='&semi;' k='&x;' l=& m='&#;' n='&fjlig;' o='&#65a'>&notit;&copy=1",
		"<a" + strings.Repeat(" b=1 c=2 d e f g h i j k l m n o", 3) + ">", "<p a='&' b=\"x\r\ny\">", "<scr\u0131pt>", "<\u212a>", "<\u017ftyle></style>", "<style></\u017ftyle></style>",
	} {
		same(t, text)
	}
	pieces := []string{
		"<", ">", "</", "/", "!", "--", "-", "<!--", "-->", "--!>", "<!", "?", "=", "'", "\"", " ", "\n", "\r", "\t", "\f", "a", "B", "style", "script", "title", "textarea", "xmp", "iframe", "noscript", "plaintext",
		"<script>", "</script>", "<SCRIPT ", "<script><!--", "</sCript/", "<style>", "</style>", "<title>", "</title>", "<a href=", "<p ", "</p>", "&", "amp", ";", "&lt", "&#6", "&#x4", "not", "it", "copy", "doctype", "[CDATA[", "]]>", "é", "\x80", "\u212a", "\x00",
	}
	rapid.Check(t, func(t *rapid.T) {
		same(t, strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 25).Draw(t, "pieces"), ""))
	})
}

// Room for the names of many attributes is not kept: it would be cleared with each tag.
func TestManyNames(t *testing.T) {
	var b strings.Builder
	b.WriteString("<p")
	for n := range 10_000 {
		fmt.Fprintf(&b, " a%d", n)
	}
	text := b.String() + "><p a b c d e f g h i j a>"
	same(t, text)
	var r Reader
	r.Reset(text)
	r.Next()
	full := r.seen
	r.Next()
	if len(full) != 10_000 || len(r.seen) != 10 {
		t.Errorf("%d names, and then %d in a room of their own", len(full), len(r.seen))
	}
}

func FuzzSameAsLibrary(f *testing.F) {
	f.Add("<p a='b&amp;c' d=e/>x&lt;<!-- x --><script>a</script>")
	f.Fuzz(func(t *testing.T, text string) { same(t, text) })
}

// What a text costs goes with its length: many attributes, many scripts.
func BenchmarkReader(b *testing.B) {
	for name, text := range map[string]string{
		"tags": strings.Repeat("<p class=\"a\">word <b>word</b></p>\n", 1000), "attributes": "<p" + strings.Repeat(" a b=c", 10_000) + ">",
		"scripts": strings.Repeat("<script></script>", 1000), "comments": strings.Repeat("<!-- > > > -->", 1000),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var r Reader
			for b.Loop() {
				r.Reset(text)
				for r.Next() != End {
				}
			}
		})
	}
}
