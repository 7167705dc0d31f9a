package text

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// word is what a reader of each of these pages sees, or one whose mail program is
// another: a rule on the text must find it.
const word = "lottery"

func TestWordIsSeen(t *testing.T) {
	const hide = "<style>.h{display:none}</style>"
	for name, html := range map[string]string{
		"no end of head":              "<html><head><meta charset=utf-8><body>lottery",
		"text in head":                "<head>lottery",
		"size set again":              `<td style="font-size:0px"><p style="font-size:13px">lottery</p></td>`,
		"size of font":                `<div style="font-size:0"><font size=3>lottery</font></div>`,
		"visible again":               `<div style="visibility:hidden"><b style="visibility:visible">lottery</b></div>`,
		"style said twice":            `<p style="display:none;display:block">lottery`,
		"ended by the next":           `<p style="display:none">no<p>lottery`,
		"ended by a block":            `<p style="display:none">no<div>lottery</div>`,
		"ended by the next entry":     `<ul><li hidden>no<li>lottery</ul>`,
		"ended by the next cell":      `<table><tr><td style="display:none">no<td>lottery</table>`,
		"ended by the next row":       `<table><tr hidden><td>no<tr><td>lottery</table>`,
		"ended by the table":          `<table><tr><td hidden>no</table>lottery`,
		"end beyond many":             `<div style="display:none">` + strings.Repeat("<span>", 100) + `</div>lottery`,
		"end of a formatting element": `<b style="display:none">no<div></b>lottery</div>`,
		"another unknown element":     `<x-a hidden>no<x-b></x-a>lottery`,
		"important":                   `<style>.s{display:block!important}</style><p class=s style="display:none">lottery`,
		"noscript":                    `<noscript><p>lottery</noscript>`,
		"for Outlook":                 `<!--[if mso]><p>lottery</p><![endif]-->`,
		"for Outlook, quoted":         `<!--[if mso]><p title="x=&quot;><script>&quot;">lottery</p><![endif]-->`,
		"for Outlook, no end":         `<!-- [IF MSO]><p>lottery-->`,
		"but for Outlook":             `<!--[if !mso]><!--><p>lottery</p><!--<![endif]-->`,
		"plaintext":                   `<plaintext>lottery`,
		"field of a form":             `<textarea>lottery</textarea>`,
		"button":                      `<input type=submit value="lottery">`,
		"size of 0 of a parent":       `<div style="font-size:0"><p style="font-size:100%">no</p></div>lottery`,
		"self-closing":                `<div style="display:none"/>lottery`,

		"a value, and what stands for it": `<input value="lottery" placeholder="">`,
		"proposals for a field":           `lot<datalist>x</datalist>tery`,
		"nine classes":                    `<style>.h{display:none}.a.a.a.a.a.a.a.a.b{display:none}</style>lot<i class=h>x</i><b class=a>te</b>ry`,
		"nine within each other":          `<style>b i b i b i b i u{display:none}</style>lot<b><i><b><i><b><i><b><i><u>x</u></i></b></i></b></i></b></i></b>tery`,
		"in a child farther out":          `<style>.a>u i{display:none}</style>lot<span class=a><u><span><u><i>xx</i></u></span></u></span>tery`,
		"no declarations":                 `lot<i style="display:none">x</i><b style="*display:none"><b style="display x:none"><b style="display:none x"><b style="font-size:-1px">te</b></b></b></b>ry`,
		"the first style counts":          `<p style="" style="display:none">lottery`,
		"the first type counts":           `<input type=submit type=hidden value=lottery>`,
		"before a hidden table":           `<table hidden>lottery<tr><td>no</table>`,
		"element before a table":          `<table style="display:none"><tr><p>lottery</p></table>`,
		"before tables":                   `<table hidden><table hidden>lottery`,
		"row of no table":                 `<tr hidden>lottery`,
		"cell of no table":                `<td style="display:none">lottery`,
		"form in a form":                  `<form><div><form hidden>lottery`,
		"behind the head":                 `<head hidden>lottery`,
		"out of a picture":                `<svg style="display:none"><p>lottery`,
		"out of a picture's style":        `<svg><style><p>lottery</p></style></svg>`,
		"out of a formula's title":        `<math><title><p>lottery</p></title></math>`,
		"style of a picture, closed":      `<svg><style/></svg><p>lottery`,
		"script of a picture, closed":     `<svg><script/></svg><p>lottery`,
		"style, sheet behind":             `<span class=s style="display:none">lottery</span><style>.s{display:inline!important}</style>`,

		"within: table in a paragraph":       `lot<p style="display:none"><table style="display:inline"><tr style="display:inline"><td style="display:inline">xx</table></p>tery`,
		"after a paragraph":                  `<p style="display:none"><table><tr><td>lottery</table>`,
		"within: deep":                       strings.Repeat("<span>", 1500) + `lot<i hidden>xx</i>tery`,
		"within: named colour":               `lot<font color=snow>xx</font>tery<b style="color:hsl(0,0%,100%)">xx</b>`,
		"within: hue":                        `lot<i style="color:hsl(0,0%,99%)">xx</i>tery`,
		"within: seashell":                   `lot<i style="color:seashell;background:snow">xx</i>tery`,
		"within: sheet in what it is about":  `<span class=w><style>.w{font-size:0}.v{font-size:9pt}</style>xx<i class=v>lot</i>xx<i class=v>tery</i>`,
		"within: attribute before its sheet": `<span data-w=1><style>[data-w] i{display:none}</style>lot<i>xx</i>tery`,
		"within: shown on all screens":       `<style>.h,.b{display:none}@media all{.b{display:inline}}</style>lot<i class=h>xx</i><i class=b>te</i>ry`,
		"within: shown nowhere":              `<style>.h{display:none}@media tv,tty{.h{display:inline}}@media screen tv{.h{display:inline}}@layer a{.h{display:inline}}</style>lot<i class=h>xx</i>tery`,
		"within: aliceblue":                  `lot<font color=aliceblue>xx</font>tery`,
		"within: style of a picture":         `<svg><style>.h{display:none}</style></svg>lot<i class=h>xx</i>tery`,
		"within: unknown element":            `lot<x></x>tery`,
		"within: namespace":                  `lot<o:p></o:p>tery`,
		"within: picture":                    `lot<img src="cid:x" width=1>tery`,
		"within: end of nothing":             `lot</x>tery`,
		"within: inline block":               `<div style="display:inline">lot</div><div style="display:inline">tery</div>`,
		"within: label":                      `lot<label>te</label>ry`,
		"within: mark":                       `lot<mark>te</mark>ry`,
		"within: hidden":                     `lot<i style="display:none">xx</i>tery`,
		"within: class":                      hide + `lot<i class="a h">xx</i>tery`,
		"within: id":                         `<style>#h{visibility:hidden}</style>lot<i id=h>xx</i>tery`,
		"within: element":                    `<style>i{font-size:0}</style>lot<i>xx</i>tery`,
		"within: element's class":            `<style>i.h, p.y { opacity: 0 }</style>lot<i class=h>xx</i>tery`,
		"within: descendant":                 `<style>.o .h{display:none}</style><p class=o>lot<i class=h>xx</i>tery`,
		"within: child":                      `<style>.o > i{display:none}</style><p class=o>lot<i>xx</i>tery`,
		"within: any":                        `<style>.o *{display:none}</style><p class=o>lot<i>xx</i>tery`,
		"within: media":                      `<style>@media screen and (min-width:1px){.h{display:none}}</style>lot<i class=h>xx</i>tery`,
		"within: style behind":               `lot<i class=h>xx</i>tery` + hide,
		"within: comment in style":           `<style>/* } */ .h/**/{display/**/:none}</style>lot<i class=h>xx</i>tery`,
		"within: escape in style":            `<style>.h{d\69splay:none}</style>lot<i class=h>xx</i>tery`,
		"within: attribute":                  `<style>[class=h]{display:none}</style>lot<i class=h>xx</i>tery`,
		"within: important":                  `<style>.h{display:none!important}</style>lot<i class=h style="display:inline">xx</i>tery`,
		"within: colour":                     `<body bgcolor=white>lot<font color="#ffffff">xx</font>tery`,
		"within: colour by name":             `<p style="background:WHITE">lot<span style="color:rgb(255, 255, 255)">xx</span>tery`,
		"within: nearly white":               `lot<span style="color:#fefefe">xx</span>tery`,
		"within: transparent":                `lot<span style="color:transparent">xx</span>tery`,
		"within: small":                      `lot<span style="font-size:1pt">xx</span>tery`,
		"within: font":                       `lot<span style="font:0/0 a">xx</span>tery`,
		"within: far away":                   `lot<span style="position:absolute;left:-9999px">xx</span>tery`,
		"within: a box of 0":                 `lot<span style="display:inline-block;width:0;height:0;overflow:hidden">xx</span>tery`,
		"within: comment":                    `lot<!-- xx -->tery`,
		"within: script":                     `lot<script>xx</script>tery`,
		"within: template":                   `lot<template>xx</template>tery`,
		"within: break that may":             `lot<wbr>tery`,
		"within: soft hyphen":                `lot&shy;tery`,
		"within: for Outlook":                `lot<!--[if mso]>te<![endif]-->ry`,

		"turned":                `<bdo dir=rtl>yrettol</bdo>`,
		"turned by style":       `<span style="unicode-bidi:bidi-override;direction:rtl">yrettol</span>`,
		"turned by a character": "\u202eyrettol\u202c",
	} {
		if f := of(t, htmlOf(html)); !slices.ContainsFunc(f.Text, func(s string) bool { return strings.Contains(s, word) }) {
			t.Errorf("%s: %q, hidden %q", name, f.Text, f.HiddenText)
		}
	}
}

// TestWordIsHidden: no reader of these pages sees the word.
func TestWordIsHidden(t *testing.T) {
	for name, html := range map[string]string{
		"display":         `<p style="display:none !important">lottery</p>x`,
		"within another":  `<div style="display:none"><p style="display:block">lottery</p></div>x`,
		"opacity":         `<div style="opacity:0"><p style="opacity:1">lottery</p></div>x`,
		"size":            `<p style="font-size:0"><b>lottery</b></p>x`,
		"relative size":   `<p style="font-size:0"><b style="font-size:2em">lottery</b></p>x`,
		"a box of 0":      `<p style="max-height:0;overflow:hidden">lottery</p>x`,
		"colour":          `<p style="color:#fff;background:#ffffff">lottery</p>x`,
		"any screen":      `<style>@media (min-width:1px){.h{font-size:0}}</style><p class=h style="display:none">lottery</p>x`,
		"class, too":      `<style>p{color:red}</style><p class=a style="display:none">lottery</p>x`,
		"class of others": `<style>.a{display:block!important}</style><p class=b style="display:none">lottery</p>x`,
	} {
		f := of(t, htmlOf(html))
		if slices.ContainsFunc(f.Text, func(s string) bool { return strings.Contains(s, word) }) || !slices.Equal(f.HiddenText, []string{word}) {
			t.Errorf("%s: %q, hidden %q", name, f.Text, f.HiddenText)
		}
	}
}

// TestMayBeHidden: some readers see the word, and others do not.
func TestMayBeHidden(t *testing.T) {
	for name, html := range map[string]string{
		"class":    `<style>.h{display:none}</style><p class=h>lottery</p>x`,
		"colour":   `<font color=white>lottery</font>x`,
		"far away": `<p style="text-indent:-9999px">lottery</p>x`,
	} {
		f := of(t, htmlOf(html))
		if !slices.Equal(f.Text, []string{"x", "lottery x"}) && !slices.Equal(f.Text, []string{"x", "lotteryx"}) || !slices.Equal(f.HiddenText, []string{word}) {
			t.Errorf("%s: %q, hidden %q", name, f.Text, f.HiddenText)
		}
	}
}

// TestSeenElsewhere: what some screens, or programs, do not show is in one reading, and
// not hidden: newsletters have columns for telephones, and buttons for Outlook.
func TestSeenElsewhere(t *testing.T) {
	for name, html := range map[string]string{
		"narrow":              `<style>@media only screen and (max-width:480px){.h{display:none!important}}</style><p class=h>lottery</p>x`,
		"Outlook":             `<p style="mso-hide:all">lottery</p>x`,
		"narrow only":         `<style>.h{display:none}@media (max-width:480px){.h{display:block!important}}</style><p class=h>lottery</p>x`,
		"narrow only, inline": `<style>@media (max-width:480px){.h{display:block!important;max-height:none!important}}</style><p class=h style="display:none;max-height:0;overflow:hidden">lottery</p>x`,
		"wide":                `<style>@media (min-width:600px){.h{font-size:0}}</style><p class=h>lottery</p>x`,
		"no height":           `<div style="max-height:0;position:relative">lottery</div>x`,
		"supports":            `<style>@supports (display:grid){.h{visibility:hidden}}</style><p class=h>lottery</p>x`,
	} {
		f := of(t, htmlOf(html))
		slices.Sort(f.Text)
		if len(f.Text) != 2 || f.Text[1] != "x" || !strings.Contains(f.Text[0], word) || len(f.HiddenText) > 0 || len(f.Symbols) > 0 {
			t.Errorf("%s: %q, hidden %q, %q", name, f.Text, f.HiddenText, f.Symbols)
		}
	}
}

// TestNothingHidden: what newsletters do, and hides nothing.
func TestNothingHidden(t *testing.T) {
	for name, html := range map[string]string{
		"size of a column": `<table><tr><td style="font-size:0px"><div style="font-size:13px">lottery</div></td></tr></table>`,
		"on a picture":     `<table><tr><td background="https://x.example/a.png"><font color=white>lottery</font></td></table>`,
		"on a colour":      `<table><tr><td bgcolor="#003366"><span style="color:#fff">lottery</span></td></table>`,
		"by class":         `<style>.b{background-color:#036;color:#fff}</style><p class=b>lottery</p>`,
		"on a gradient":    `<p style="background-image:linear-gradient(red,blue);color:white">lottery</p>`,
		"print only":       `<style>@media print{.h{display:none}}</style><p class=h>lottery</p>`,
		"pointed at":       `<style>p:hover{display:none}</style><p>lottery</p>`,
		"not there":        `<style>.z .h{display:none}</style><p class=h>lottery</p>`,
	} {
		if f := of(t, htmlOf(html)); !slices.Equal(f.Text, []string{word}) || len(f.HiddenText) > 0 {
			t.Errorf("%s: %q, hidden %q", name, f.Text, f.HiddenText)
		}
	}
}

// TestWordAmongDisguises: whatever stands between the letters of a word and is not
// seen, and whatever the letters are in, the word is found.
func TestWordAmongDisguises(t *testing.T) {
	unseen := []string{
		"", "<!-- -->", "<!---->", "<x-y></x-y>", "</b>", "</q>", "&shy;", "&#8203;", "&zwnj;", "\ufeff", "<wbr>", "<script>xx</script>", "<style>.q{color:red}</style>",
		`<i style="display:none">xx</i>`, `<b hidden>xx</b>`, `<span style="font-size:0;line-height:0">xx</span>`, `<i class=h>xx</i>`, `<i class="a b h">xx</i>`,
		`<font color=white>xx</font>`, `<u style="visibility:hidden"><b>xx</b></u>`, `<s style="opacity:0"><b style="opacity:1">xx</b></s>`, "<template>xx</template>",
		`<div style="display:none">xx<p>xx</div>`, `<table style="display:none"><tr><td>xx</table>`, `<input type=hidden value=xx>`, `<img alt="" src="cid:x">`,
		`<p style="display:none">xx</p>`, "<!--[if gte mso 9]><xml>xx</xml><![endif]-->", "<![if !mso]>", "<![endif]>",
	}
	around := [][2]string{
		{"", ""}, {"<b>", "</b>"}, {"<font color=red>", "</font>"}, {`<span style="font-size:12px">`, "</span>"}, {"<x-z>", "</x-z>"},
		{`<span style="font-size:0"><i style="font-size:9pt">`, "</i></span>"}, {`<u style="visibility:hidden"><b style="visibility:visible">`, "</b></u>"},
		{`<div style="display:inline">`, "</div>"}, {`<a href="#x">`, "</a>"}, {`<font color=white><font color=black>`, "</font></font>"},
		{`<bdo dir=rtl>`, "</bdo>"}, {`<i hidden style="display:inline">`, "</i>"},
	}
	head := []string{
		"<table hidden><b>", "<svg hidden><b>", "<svg><style/></svg>", "<form><form hidden>", "<tr hidden>", "<head hidden>",
		"", "<style>.h{display:none}</style>", "<html><head><title>xx</title><style>p .h, .h { display : NONE !important }</style>", "<head><body>",
		"<style>@media all{.h{visibility:hidden}}</style><p style='display:none'>xx<div>", "<noscript>", "<table><tr><td hidden>xx<td>", "<ul><li hidden>xx<li>",
		"<b hidden>xx</b>", "<div hidden><span>xx<span>xx</div>",
	}
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		first := rapid.SampledFrom(head).Draw(t, "head")
		b.WriteString(first)
		for _, letter := range word {
			in := rapid.SampledFrom(around).Draw(t, "around")
			b.WriteString(in[0] + string(letter) + in[1])
			for _, s := range rapid.SliceOfN(rapid.SampledFrom(unseen), 0, 2).Draw(t, "unseen") {
				b.WriteString(s)
			}
		}
		if !strings.Contains(first, ".h") {
			b.WriteString("<style>.h{display:none}</style>")
		}
		f, err := new(Inspector).inspect(t.Context(), strings.NewReader(htmlOf(b.String())))
		if err != nil || !slices.ContainsFunc(f.Text, func(s string) bool { return strings.Contains(s, word) }) {
			t.Fatalf("%s: %q, hidden %q, %v", b.String(), f.Text, f.HiddenText, err)
		}
	})
}

func TestWordsStandApart(t *testing.T) {
	for _, html := range []string{
		"free<br>pills", "<p>free<p>pills", "<div>free</div>pills", "<td>free</td><td>pills</td>", "free<hr>pills", "<li>free<li>pills", "<h1>free</h1>pills",
		`<span style="display:block">free</span><span style="display:block">pills</span>`, "<option>free<option>pills", "<center>free</center>pills",
		"<pre>free\npills</pre>", "free&nbsp;pills", `free<img alt="and" src=x>pills`,
	} {
		f := of(t, htmlOf(html))
		if got := strings.Join(f.Text, "|"); got != "free pills" && got != "free and pills" {
			t.Errorf("%s: %q", html, f.Text)
		}
	}
}

func TestTextParts(t *testing.T) {
	for name, message := range map[string]string{
		"another text":      "Content-Type: text/x-unknown\r\n\r\nlottery",
		"enriched":          "Content-Type: text/enriched\r\n\r\n<bold>lottery</bold>",
		"AMP":               "Content-Type: text/x-amp-html\r\n\r\n<p>lot<b>te</b>ry",
		"XHTML":             "Content-Type: application/xhtml+xml\r\n\r\n<p>lot<b>te</b>ry</p>",
		"said twice, page":  "Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nlot<b>te</b>ry",
		"said twice, plain": "Content-Type: text/html\r\nContent-Type: text/plain\r\n\r\n<!-- lottery -->",
		"invitation":        "Content-Type: text/calendar\r\n\r\nDESCRIPTION:lottery",
	} {
		if f := of(t, message); !slices.ContainsFunc(f.Text, func(s string) bool { return strings.Contains(s, word) }) {
			t.Errorf("%s: %q, hidden %q", name, f.Text, f.HiddenText)
		}
	}
}

func TestHostsInDisguise(t *testing.T) {
	for url, want := range map[string]string{
		"http://3221226219/":               "192.0.2.235",
		"http://0xC00002EB/":               "192.0.2.235",
		"http://0300.0.0x2.235/":           "192.0.2.235",
		"http://192.0.747/":                "192.0.2.235",
		"http://192.0.2.235./":             "192.0.2.235",
		"http://192。0．2｡235/":              "192.0.2.235",
		"http://%3192.0.2.235/":            "192.0.2.235",
		"http://[::ffff:192.0.2.235]/":     "::ffff:192.0.2.235",
		"http://[2001:DB8:0:0::1]:80/":     "2001:db8::1",
		"http://evil。example/":             "evil.example",
		"http://ev\u00adil.example/":       "evil.example",
		"http://ＥＶＩＬ.example/":             "evil.example",
		"http:evil.example":                "evil.example",
		"http:///evil.example":             "evil.example",
		"https:\\\\evil.example":           "evil.example",
		"HTTP://bank.example@evil.example": "evil.example",
		"http://a:b@c@evil.example:81/":    "evil.example",
		"http://evil.example..":            "evil.example",
		"\x01 http://evil.example/":        "evil.example",
		"http://evil.example%2Fbank/":      "evil.example/bank",
		"https://1.2.3.4.example/":         "1.2.3.4.example",
	} {
		f := of(t, htmlOf(`<a href="`+url+`">x</a>`))
		if !slices.Contains(f.URLDomains, want) {
			t.Errorf("%s: %q", url, f.URLDomains)
		}
	}
}

func TestPlacesOfURLs(t *testing.T) {
	for _, html := range []string{
		`<base href="http://evil.example/a/"><a href="b">x</a>`,
		`<a href="b">x</a><base href="//evil.example/a/">`,
		`<meta http-equiv="Refresh" content="0; URL='http://evil.example/'">`,
		`<iframe src="http://evil.example/"></iframe>`,
		`<frame src="http://evil.example/">`,
		`<object data="http://evil.example/"></object>`,
		`<embed src="http://evil.example/">`,
		`<area href="http://evil.example/">`,
		`<button formaction="http://evil.example/">x</button>`,
		`<!--[if mso]><v:roundrect href="http://evil.example/">x</v:roundrect><![endif]-->`,
		`<svg><a xlink:href="http://evil.example/"><text>x</text></a></svg>`,
		`<noscript><a href="http://evil.example/">x</a></noscript>`,
	} {
		if f := of(t, htmlOf(html)); !slices.Contains(f.URLDomains, "evil.example") {
			t.Errorf("%s: %q", html, f.URLDomains)
		}
	}
}

func TestCardsAmongNumbers(t *testing.T) {
	for text, want := range map[string]bool{
		"4111 1111 1111 1111 12/27 123":                               true,
		"no. 12 4111 1111 1111 1111":                                  true,
		"17 4111 1111 1111 1111 12":                                   true,
		"3782 822463 10005 05/29":                                     true,
		"4111.1111.1111.1111":                                         true,
		"4111 - 1111 - 1111 - 1111":                                   true,
		"4111\u20131111\u20131111\u20131111":                          true,
		"4111/1111/1111/1111":                                         true,
		"４１１１ １１１１ １１１１ １１１１":                                         true,
		"4111\u200b1111\u200b1111\u200b1111":                          true,
		"41 11 11 11 11 11 11 11":                                     true,
		"4111 1111 1111 1112 4111":                                    false,
		"№4111111111111111, «5500005555555559»":                       true,
		"2200 1234 5678 9019":                                         true,
		"2221000000000009":                                            true,
		"6011 0009 9013 9424":                                         true,
		"３７８２８２２４６３１０００５":                                             true,
		"٤١١١١١١١١١١١١١١١":                                            true,
		"1 300 2 500 4 111 1 111 1 111 1 111 5 000 6 000 1 200 7 000": false,
		"9111 1111 1111 1111":                                         false,
		"4111 1111 1111 1111x":                                        false,
		"x4111111111111111":                                           false,
		"2026-11-28 10:00 4500 17 300 12 2000":                        false,
		"4111,1111,1111,1111":                                         false,
		"5 000.00 1 200.00 307.00":                                    false,
		"5600.04 28.11.2026":                                          false,
	} {
		f := of(t, "\r\n"+text+"\r\n")
		if got := slices.Contains(f.Symbols, SymbolCard); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
