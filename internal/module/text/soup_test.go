package text

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/css"
	"github.com/tollgate-mail/tollgate/internal/markup"
)

// TestSoup: whatever stands behind whatever, it is read, and a page whose sheets came in
// time is read as it would be a second time.
func TestSoup(t *testing.T) {
	pieces := append(append(units(), dearUnits()...), "<style>", "</style>", ".h{", "}", "i:nth-child(2n+1)", "+", "~", ":not(.h)", ":is(", ")", "content:'a'", "::before", "::after", "::first-letter", "{", ";", "@media all", "@import 'data:text/css,i{display:none}';", "&", "display:none",
		"opacity:var(--x)", "animation:k", "@keyframes k{to{opacity:0}}", "<ruby>", "<rt>", "<svg>", "<title>", "</svg>", "<iframe srcdoc='<b>x</b>'>", "<object data='data:text/html,<i>x'>", "<link rel=stylesheet href='data:text/css,i{opacity:0}'>", "<!--[if !mso]><!-->", "<![endif]>", "<!--[if mso]>", "<![endif]-->", "<html>", "<head>", "<body>", "</p>", "</a>", "</div>", "<p hidden>", "font-size:calc(1px - 1px)", "lоt", "\U0001f1e6", "é")
	twice := func(text string) (once, again []string, late bool) {
		text = markup.Clean(text)
		sheet := new(css.Sheet)
		in, other := &inspection{desk: new(desk)}, &inspection{desk: new(desk)}
		p := in.page(sheet)
		if p.read(text) != nil || p.late || p.end() != nil {
			return nil, nil, true
		}
		p = other.page(sheet)
		p.known = true
		if p.read(text) != nil || p.end() != nil {
			return nil, nil, true
		}
		return in.text.all, other.text.all, slices.Contains(in.symbols, SymbolLimit)
	}
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(1, 60).Draw(t, "n") {
			b.WriteString(rapid.SampledFrom(pieces).Draw(t, "piece"))
		}
		text := b.String()
		if once, again, late := twice("<html class=h><head>" + text); !late && !slices.Equal(slices.Sorted(slices.Values(once)), slices.Sorted(slices.Values(again))) {
			t.Fatalf("%q: %q, again %q", text, once, again)
		}
		if _, err := new(Inspector).inspect(t.Context(), strings.NewReader(htmlOf(text))); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if _, err := new(Inspector).inspect(t.Context(), strings.NewReader("Content-Type: text/enriched\r\n\r\n"+text)); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if _, err := new(Inspector).inspect(t.Context(), strings.NewReader("Content-Type: text/calendar\r\n\r\nX;FMTTYPE=text/html:"+text)); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
