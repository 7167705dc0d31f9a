package rtf

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

func TestRead(t *testing.T) {
	for _, tt := range []struct{ text, shown, hidden string }{
		{`{\rtf1\ansi hello\par world}`, "hello\nworld", ""},
		{`{\rtf1\ansi\ansicpg1251 \'ea\'e0\'e7\'e8\'ed\'ee}`, "казино", ""},
		{`{\rtf1{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial Cyr;}}\f1 \'ea\'e0\'e7\f0 caf\'e9}`, "казcafé", ""},
		{`{\rtf1\uc1\u1082?\u1072?\u1079\'e7\u-10179?\u-9216?x}`, "каз\U0001F400x", ""},
		{`{\rtf1{\uc2\u1082??}\u1072?z}`, "каz", ""},
		{`{\rtf1{\*\generator Riched20;}{\colortbl;\red0;}{\info{\title no}}ca{\b s}{\i i}no}`, "casino", ""},
		{`{\rtf1 a{\v secret}b\v no\v0 c}`, "abc", "secretno"},
		{`{\rtf1 a\{b\}\\c\~d\-e}`, `a{b}\c de`, ""},
		{"{\\rtf1 ca\r\nsino}", "casino", ""},
		{`{\rtf1 x{\pict\bin3 }}}}y}`, "xy", ""},
		{`{\rtf1 ca{\xe{\v index}}s{\tc contents}ino}`, "casino", ""},
		{`{\rtf1 open`, "open", ""},
		{`{\rtf1\uc0 \u-10179 \u1082 \u-10179 \u-10179 \u-9216 \u-9216 x}`, "к\U0001F400x", ""},
		{`{\rtf1 a{\shp{\*\shpinst\shpleft0{\sp{\sn kind}{\sv 202}}{\shptxt casino\par}}}b}`, "acasino\nb", ""},
		{`{\rtf1 ca{\*\unknown{\shptxt no}}sino}`, "casino", ""},
		{`{\rtf1 a}}}b`, "ab", ""},
		{`{\rtf1\'`, "", ""},
		{`{\rtf1\bin99 x`, "", ""},
		{"{\\rtf1\\ansicpg1251 \xea\xe0\xe7}", "каз", ""},
	} {
		got, err := Read(nil, tt.text)
		if err != nil || got.Shown != tt.shown || got.Hidden != tt.hidden {
			t.Errorf("%s: %q, hidden %q, %v", tt.text, got.Shown, got.Hidden, err)
		}
	}
	for text, want := range map[string]Text{
		`{\rtf1 {\upr{casino}{\*\ud{lottery}}}}`:                                            {Shown: "casino", Others: []string{"lottery"}},
		`{\rtf1 ca{\upr{xx}{\*\ud{\u115?}}}ino}`:                                            {Shown: "caxxino", Others: []string{"casino"}},
		`{\rtf1 ca{\fs1 xx}s{\fs2 x}{\fs20 i}no}`:                                           {Shown: "casino", Hidden: "xxx"},
		`{\rtf1{\colortbl;\red0\green0\blue0;\red255\green250\blue255;}ca\cf2 xx\cf1 sino}`: {Shown: "casino", Others: []string{"caxxsino"}, Hidden: "xx"},
		`{\rtf1{\colortbl;\red255\green255\blue255;}a{\cf1 x}{\upr{b}{\*\ud{c}}}}`:          {Shown: "ab", Others: []string{"axb", "ac", "axc"}, Hidden: "x"},
		`{\rtf1{\colortbl;\red255\green255\blue255;}\clcbpat2 a{\cf1 x}}`:                   {Shown: "a", Others: []string{"ax"}},
		`{\rtf1{\colortbl;\red255\green255\blue255;}ca{\cf1 x\plain s}i{\cf9 n}{\cf0 o}}`:   {Shown: "casino", Others: []string{"caxsino"}, Hidden: "x"},
	} {
		if got, err := Read(nil, text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	got, _ := Read(nil, `{\rtf1{\field{\*\fldinst{HYPERLINK "https://evil.example.com/x" }}{\fldrslt{bank}}}}`)
	if !slices.Equal(got.Links, []string{`HYPERLINK "https://evil.example.com/x" `}) || got.Shown != "bank" {
		t.Errorf("%+v", got)
	}
}

// TestAsWritten: words come out as they were written, in whatever way.
func TestAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := strings.TrimSpace(rapid.StringOf(rapid.SampledFrom([]rune("казино abc👍é{}\\"))).Draw(t, "words"))
		var b strings.Builder
		b.WriteString(`{\rtf1\ansi\ansicpg1251\uc1 `)
		for _, r := range want {
			switch {
			case r == '{' || r == '}' || r == '\\':
				b.WriteString(`\` + string(r))
			case r < 0x80:
				b.WriteRune(r)
			default:
				for _, unit := range utf16.Encode([]rune{r}) {
					b.WriteString(`\u` + itoa(int(int16(unit))) + rapid.SampledFrom([]string{"?", `\'3f`}).Draw(t, "instead"))
				}
			}
			b.WriteString(rapid.SampledFrom([]string{"", "", `{\*\unknown x}`, "\r\n", "{}", `{\b0}`}).Draw(t, "between"))
		}
		if got, err := Read(nil, b.String()+"}"); err != nil || got.Shown != want {
			t.Fatalf("%q: %q, %v", b.String(), got.Shown, err)
		}
	})
}

func itoa(n int) string {
	if n < 0 {
		return "-" + itoa(-n)
	}
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

// What costs too much is cut, and nothing is deeper than it may be.
func TestBounds(t *testing.T) {
	got, err := Read(budget.New(t.Context(), 100, 1<<20), `{\rtf1 lottery `+strings.Repeat(`\b x`, 1000))
	if !errors.Is(err, budget.ErrSpent) || !strings.HasPrefix(got.Shown, "lottery") {
		t.Errorf("%q, %v", got.Shown, err)
	}
	if got, err := Read(nil, strings.Repeat("{", 100_000)+"x"+strings.Repeat("}", 100_000)+"y"); err != nil || got.Shown != "xy" || !got.Cut {
		t.Errorf("%q, %v, %v", got.Shown, got.Cut, err)
	}
	for unit, most := range map[string]int{`{\field{\*\fldinst x}}`: maxLinks, `{\fonttbl\f%d\fcharset204}`: maxFonts} {
		for n, want := range map[int]bool{most: false, most + 1: true} {
			var b strings.Builder
			for i := range n {
				b.WriteString(strings.ReplaceAll(unit, "%d", itoa(i)))
			}
			if got, err := Read(nil, b.String()); err != nil || got.Cut != want {
				t.Errorf("%d of %s: %v, %v", n, unit, got.Cut, err)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{\rtf1\ansi\ansicpg1251\uc1 \u1082?\'e0{\*\x y}{\v z}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Read(budget.New(t.Context(), 1<<20, 1<<20), text); err != nil && !errors.Is(err, budget.ErrSpent) {
			t.Error(err)
		}
	})
}
