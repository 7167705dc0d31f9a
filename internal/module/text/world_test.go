package text

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// reader is somebody who reads a page, and what that one really sees of it.
type reader struct {
	name   string
	unseen []string    // is not seen
	around [][2]string // what is in it is seen
}

// worldSheet is that of the pages of TestWordInAWorld. Some of its rules hold
// nowhere, though that is not easily told.
const worldSheet = `<style>.h{display:none} .back{display:none}
@media (max-width:500px){.nar{display:none} .back{display:inline}} @media only screen and (min-width:1000px){.wide{font-size:0}} @media (min-width:1px){.any{visibility:hidden}}
@media (prefers-color-scheme:dark){.dark{display:none}} @media screen and (monochrome){.mono{opacity:0}} @media tv{.tv{display:none}}
@supports (no:such){.sup{display:none}} i:not(i){display:none} q+i.sib{display:none} i.nth:nth-child(9999){display:none} body>table>i.tab{display:none}
.two{display:none} @supports (display:block){.two{display:inline}} @media (min-height:1px){.two{display:inline}}
i.both:not(i){display:none} i.both:nth-child(9999){display:none}</style>`

func readers() []reader {
	// What everybody sees, and nobody does.
	unseen := []string{"", `<b hidden>xx</b>`, `<b style="display:none">xx</b>`, "<!-- x -->", "&shy;"}
	around := [][2]string{{"", ""}, {"<b>", "</b>"}, {"<u style='color:red'>", "</u>"}, {`<u style="max-height:0">`, "</u>"}, {`<u style="text-indent:-9999px">`, "</u>"},
		{`<div style="display:inline;color:white;box-shadow:inset 0 0 0 99px black">`, "</div>"}, {`<div style="display:inline;box-shadow:inset 0 0 0 99px black"><font color=white>`, "</font></div>"},
		{`<div style="display:inline;background:black"><font color=white>`, "</font></div>"}, {`<i style="clip:rect(0 0 0 0)">`, "</i>"}}
	in := func(class string) [2]string { return [2]string{`<i class="` + class + `">`, "</i>"} }
	never := [][2]string{in("x"), in("sib"), in("nth"), in("sup"), in("tv"), in("tab"), in("both")} // of "i:not(i)", too
	hidden := func(class string) string { return `<b class="` + class + `">xx</b>` }
	modern := slices.Concat(around, never, [][2]string{{`<b style="mso-hide:all">`, "</b>"}, in("dark"), in("mono"), in("two")})
	return []reader{
		{"desktop", slices.Concat(unseen, []string{hidden("h"), hidden("wide"), hidden("any"), hidden("back"), "<!--[if mso]>xx<![endif]-->", "<template>xx</template>"}),
			slices.Concat(modern, [][2]string{in("nar"), {"<!--[if mso]><![endif]-->", ""}})},
		{"telephone", slices.Concat(unseen, []string{hidden("h"), hidden("nar"), hidden("any"), "<!--[if mso]>xx<![endif]-->"}), slices.Concat(modern, [][2]string{in("wide"), in("back")})},
		{"dark", slices.Concat(unseen, []string{hidden("h"), hidden("dark"), hidden("wide")}), slices.Concat(around, never, [][2]string{in("nar"), in("mono")})},
		{"Outlook", slices.Concat(unseen, []string{hidden("h"), `<b style="mso-hide:all">xx</b>`, hidden("back")}),
			slices.Concat(around, [][2]string{in("x"), in("nar"), in("wide"), in("dark"), in("sup"), {"<!--[if mso]>", "<![endif]-->"}, {"<!--[if gte mso 9]><b>", "</b><![endif]-->"}})},
		{"none", unseen, slices.Concat(around, never, [][2]string{in("h"), in("wide"), in("any"), in("back"), {"<noembed>", "</noembed>"}})},
	}
}

// TestWordInAWorld: whatever a page mixes that some readers see and others do not,
// what is believed of it and is not so, and the other way round: the word that a
// reader sees is in a value, or there is more to it than is looked at.
func TestWordInAWorld(t *testing.T) {
	limits := 0
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SampledFrom(readers()).Draw(t, "reader")
		some := func(name string, from []string) []string {
			return append(rapid.SliceOfN(rapid.SampledFrom(from), 0, 2).Draw(t, name), "")
		}
		unseen := some("unseen", r.unseen)
		around := append(rapid.SliceOfN(rapid.SampledFrom(r.around), 0, 2).Draw(t, "around"), [2]string{})
		var b strings.Builder
		b.WriteString(worldSheet)
		for _, letter := range word {
			in := rapid.SampledFrom(around).Draw(t, "in")
			b.WriteString(in[0] + string(letter) + in[1] + rapid.SampledFrom(unseen).Draw(t, "behind"))
		}
		f, err := new(Inspector).inspect(t.Context(), strings.NewReader(htmlOf(b.String())))
		if err != nil || !slices.ContainsFunc(f.Text, func(s string) bool { return strings.Contains(s, word) }) {
			if !slices.Contains(f.Symbols, SymbolLimit) {
				t.Fatalf("%s, %s: %q, hidden %q, %v", r.name, b.String(), f.Text, f.HiddenText, err)
			}
			limits++
		}
	})
	t.Logf("%d were beyond the limit", limits)
}

// There is a world for what is for Outlook alone although the page has as many as there
// may be; that not all readings are given is told.
func TestNoRoomForOutlook(t *testing.T) {
	const doubts = `<b style="color:white">x</b><b style="position:absolute;left:-9999px">x</b><b style="max-height:0">x</b>` +
		`<b style="unicode-bidi:bidi-override;direction:rtl">x</b><b style="display:none"/></b><p hidden><table></table>`
	for _, only := range []string{"<!--[if mso]>lottery<![endif]-->", "<template>lottery</template>", "<noembed>lottery</noembed>"} {
		f := of(t, htmlOf(doubts+only))
		if !slices.Contains(f.Symbols, SymbolLimit) || len(f.Text) == 0 {
			t.Errorf("%s: %q, %q", only, f.Text, f.Symbols)
		}
	}
}
