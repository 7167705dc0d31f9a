package text

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// u16 is a text in UTF-16.
func u16(s string, be bool, bom bool) string {
	var b []byte
	u := utf16.Encode([]rune(s))
	if bom {
		u = append([]uint16{0xfeff}, u...)
	}
	for _, c := range u {
		if be {
			b = append(b, byte(c>>8), byte(c))
		} else {
			b = append(b, byte(c), byte(c>>8))
		}
	}
	return string(b)
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// TestBodyInDisguise: bodies of which some program shows the word.
func TestBodyInDisguise(t *testing.T) {
	e := "Content-Transfer-Encoding: base64\r\n"
	ebcdic := func(s string) string {
		m := map[rune]byte{'l': 0x93, 'o': 0x96, 't': 0xa3, 'e': 0x85, 'r': 0x99, 'y': 0xa8, ' ': 0x40}
		var b []byte
		for _, r := range s {
			b = append(b, m[r])
		}
		return string(b)
	}
	for name, m := range map[string]string{
		"utf16le no bom":        "Content-Type: text/plain; charset=utf-16le\r\n" + e + "\r\n" + b64(u16("lottery", false, false)),
		"utf16 no bom be":       "Content-Type: text/plain; charset=utf-16\r\n" + e + "\r\n" + b64(u16("lottery", true, false)),
		"utf16 no bom le":       "Content-Type: text/plain; charset=utf-16\r\n" + e + "\r\n" + b64(u16("lottery", false, false)),
		"utf16 bom in utf8":     "Content-Type: text/html; charset=utf-8\r\n" + e + "\r\n" + b64(u16("<p>lot<b>tery", true, true)),
		"utf16le, wrong endian": "Content-Type: text/html; charset=utf-16be\r\n" + e + "\r\n" + b64(u16("<p>lot<b>tery", false, true)),
		"ucs-2":                 "Content-Type: text/plain; charset=ucs-2\r\n" + e + "\r\n" + b64(u16("lottery", true, false)),
		"iso-10646-ucs-2":       "Content-Type: text/plain; charset=iso-10646-ucs-2\r\n" + e + "\r\n" + b64(u16("lottery", true, false)),
		"unicode":               "Content-Type: text/plain; charset=unicode\r\n" + e + "\r\n" + b64(u16("lottery", false, true)),
		"utf16 unlabelled":      "Content-Type: text/plain\r\n" + e + "\r\n" + b64(u16("lottery wins", false, false)),
		"utf16 in 8859-1":       "Content-Type: text/plain; charset=iso-8859-1\r\n" + e + "\r\n" + b64(u16("lottery", false, true)),
		"utf7":                  "Content-Type: text/plain; charset=utf-7\r\n\r\nlo+AHQAdA-ery",
		"utf7 html":             "Content-Type: text/html; charset=unicode-1-1-utf-7\r\n\r\n+ADw-p+AD4-lo+AHQAdA-ery",
		"2022jp":                "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\nlot\x1b$B\x1b(Btery",
		"2022jp roman":          "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b(Jlot\x1b(Btery",
		"2022jp wide":           "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B#l#o#t#t#e#r#y\x1b(B",
		"2022jp unlabelled":     "Content-Type: text/plain\r\n\r\n\x1b$B#l#o#t#t#e#r#y\x1b(B",
		"2022kr":                "Content-Type: text/plain; charset=iso-2022-kr\r\n\r\n\x1b$)Clot\x0e\x0ftery",
		"2022jp-2":              "Content-Type: text/plain; charset=iso-2022-jp-2\r\n\r\nlot\x1b$A\x1b(Btery",
		"2022cn":                "Content-Type: text/plain; charset=iso-2022-cn\r\n\r\n\x1b$)Alot\x0e\x0ftery",
		"hz":                    "Content-Type: text/plain; charset=hz-gb-2312\r\n\r\nlot~{~}tery",
		"cp037":                 "Content-Type: text/plain; charset=cp037\r\n" + e + "\r\n" + b64(ebcdic("lottery")),
		"ibm500":                "Content-Type: text/plain; charset=ibm500\r\n" + e + "\r\n" + b64(ebcdic("lottery")),
		"cp1047":                "Content-Type: text/plain; charset=ibm1047\r\n" + e + "\r\n" + b64(ebcdic("lottery")),
		"utf32":                 "Content-Type: text/plain; charset=utf-32le\r\n" + e + "\r\n" + b64("l\x00\x00\x00o\x00\x00\x00t\x00\x00\x00t\x00\x00\x00e\x00\x00\x00r\x00\x00\x00y\x00\x00\x00"),
		"charset in title":      "Content-Type: text/html; charset=\"utf-8 \"\r\n\r\n<p>lot<b>tery",
		"nul":                   "Content-Type: text/plain\r\n\r\nl\x00o\x00t\x00t\x00e\x00r\x00y\x00",
		"nul html":              "Content-Type: text/html\r\n\r\nl\x00ot<\x00b>tery",
		"svg part":              "Content-Type: image/svg+xml\r\nContent-Disposition: inline\r\n\r\n<svg><text>lot<tspan>tery</tspan></text></svg>",
		"type text":             "Content-Type: text\r\n\r\nlottery",
		"type bad":              "Content-Type: foo\r\n\r\nlottery",
		"type text/":            "Content-Type: text/\r\n\r\nlottery",
		"type /html":            "Content-Type: /html\r\n\r\nlottery",
		"type text/html,":       "Content-Type: text/html, charset=utf-8\r\n\r\n<p>lot<b></b>tery",
		"type text html":        "Content-Type: text / html\r\n\r\n<p>lot<b></b>tery",
		"type comment":          "Content-Type: (x)text(y)/(z)html\r\n\r\n<p>lot<b></b>tery",
		"app/html":              "Content-Type: application/html\r\n\r\n<p>lottery",
		"watch html":            "Content-Type: text/watch-html\r\n\r\n<p>lot<b></b>tery",
		"vnd html":              "Content-Type: application/vnd.wap.xhtml+xml\r\n\r\n<p>lot<b></b>tery",
		"wml":                   "Content-Type: text/vnd.wap.wml\r\n\r\n<p>lot<b></b>tery",
		"multipart odd":         "Content-Type: multipart/foo; boundary=a\r\n\r\n--a\r\nContent-Type: text/html\r\n\r\n<p>lot<b></b>tery\r\n--a--",
		"qp junk":               "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nlot=\r\n=74=\r\n=65r=\t\r\ny",
		"qp lower":              "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=6c=6f=74tery",
		"b64 junk":              "Content-Type: text/plain\r\n" + e + "\r\nbG-90-dGV!ye*Q==",
		"b64 twice":             "Content-Type: text/plain\r\n" + e + "\r\nbG90\r\ndA==ZXJ5",
		"enriched param":        "Content-Type: text/enriched\r\n\r\nlot<color><param>red</param></color>tery",
		"enriched lt":           "Content-Type: text/enriched\r\n\r\n<bold>lot</bold><italic>tery</italic> <<b",
		"richtext comment":      "Content-Type: text/richtext\r\n\r\nlot<comment>xx</comment>tery",
		"richtext np":           "Content-Type: text/richtext\r\n\r\nlot<np></np>tery",
		"ics fold":              "Content-Type: text/calendar\r\n\r\nDESCRIPTION:lot\r\n tery",
		"ics alt":               "Content-Type: text/calendar\r\n\r\nX-ALT-DESC;FMTTYPE=text/html:<p>lot<b></b>tery",
		"ics alt entity":        "Content-Type: text/calendar\r\n\r\nX-ALT-DESC;FMTTYPE=text/html:<p>lot&#116\\;ery",
		"ics qp":                "Content-Type: text/x-vcalendar\r\n\r\nDESCRIPTION;ENCODING=QUOTED-PRINTABLE:lot=\r\n=74ery",
		"vcf qp":                "Content-Type: text/x-vcard\r\n\r\nNOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=6C=6F=74=74=65=72=79",
		"vcf b64":               "Content-Type: text/vcard\r\n\r\nNOTE;ENCODING=B:" + b64("lottery"),
		"vcf fold":              "Content-Type: text/vcard\r\n\r\nNOTE:lot\n\ttery",
		"app ics":               "Content-Type: application/ics\r\n\r\nDESCRIPTION:lottery",
		"latin in cyrillic":     "Content-Type: text/plain; charset=utf-8\r\n\r\nlotterу, kазино lottery",
		"cyr o":                 "Content-Type: text/plain; charset=utf-8\r\n\r\nlоttеry",
		"greek":                 "Content-Type: text/plain; charset=utf-8\r\n\r\nlοttery",
		"annotation":            "Content-Type: text/plain; charset=utf-8\r\n\r\nlot\ufff9tery",
		"musical":               "Content-Type: text/plain; charset=utf-8\r\n\r\nlot\U0001d173tery",
		"egypt":                 "Content-Type: text/plain; charset=utf-8\r\n\r\nlot\U00013430tery",
		"shorthand":             "Content-Type: text/plain; charset=utf-8\r\n\r\nlot\U0001bca0tery",
		"hangul filler":         "Content-Type: text/plain; charset=utf-8\r\n\r\nlot\u3164tery",
		"tags":                  "Content-Type: text/plain; charset=utf-8\r\n\r\nlot\U000e0041tery",
		"regional":              "Content-Type: text/plain; charset=utf-8\r\n\r\n\U0001f1f1\U0001f1f4\U0001f1f9\U0001f1f9\U0001f1ea\U0001f1f7\U0001f1fe",
		"negative squared":      "Content-Type: text/plain; charset=utf-8\r\n\r\n\U0001f17b\U0001f17e\U0001f183\U0001f183\U0001f174\U0001f181\U0001f188",
		"small caps":            "Content-Type: text/plain; charset=utf-8\r\n\r\nʟᴏᴛᴛᴇʀʏ",
		"combining":             "Content-Type: text/plain; charset=utf-8\r\n\r\nl̶o̶t̶t̶e̶r̶y̶",
		"combining 20d0":        "Content-Type: text/plain; charset=utf-8\r\n\r\nl⃒o⃒t⃒tery",
		"combining 1ab0":        "Content-Type: text/plain; charset=utf-8\r\n\r\nl\u1ab0o\u1dc4ttery",
		"combining fe20":        "Content-Type: text/plain; charset=utf-8\r\n\r\nl\ufe20o\ufe21ttery",
		"rfc822 b64":            "Content-Type: message/rfc822\r\n" + e + "\r\n" + b64("Content-Type: text/html\r\n\r\n<p>lot<b></b>tery"),
		"rfc822 utf8 global":    "Content-Type: message/global\r\n\r\nContent-Type: text/html\r\n\r\n<p>lot<b></b>tery",
		"http body":             "Content-Type: message/http\r\n\r\nContent-Type: text/html\r\n\r\n<p>lot<b></b>tery",
		"mhtml":                 "Content-Type: multipart/related; boundary=a; type=\"text/html\"; start=\"<x>\"\r\n\r\n--a\r\nContent-Type: text/plain\r\n\r\nx\r\n--a\r\nContent-ID: <x>\r\nContent-Type: text/html\r\n\r\n<p>lot<b></b>tery\r\n--a--",
		"link data":             htmlOf(`<link rel=stylesheet href="data:text/css,.h{display:none}">lot<i class=h>x</i>tery`),
		"import data":           htmlOf(`<style>@import "data:text/css,.h{display:none}";</style>lot<i class=h>x</i>tery`),
		"import url data":       htmlOf(`<style>@import url(data:text/css;base64,` + b64(".h{display:none}") + `);</style>lot<i class=h>x</i>tery`),
		"iframe srcdoc":         htmlOf(`<iframe srcdoc="lot<b></b>tery"></iframe>`),
		"iframe data":           htmlOf(`<iframe src="data:text/html,lot<b></b>tery"></iframe>`),
		"object data":           htmlOf(`<object data="data:text/html,lot<b></b>tery"></object>`),
		"img svg data":          htmlOf(`<img src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><text y='20'>lottery</text></svg>">`),
		"base64 iframe":         htmlOf(`<iframe src="data:text/html;base64,` + b64("lottery") + `"></iframe>`),
		"spaced tiny":           htmlOf(`l<span style="font-size:0"> </span>ottery`),
		"mso":                   htmlOf(`<!--[if (gte mso 9)|(IE)]>lot<![endif]--><!--[if mso]>tery<![endif]-->`),
		"mso not":               htmlOf(`lot<!--[if !mso]><!-- -->te<!-- <![endif]-->ry`),
		"mso nested":            htmlOf(`<!--[if mso]><style>.h{display:none}</style><![endif]-->lot<!--[if mso]><i class=h>x</i><![endif]-->tery`),
		"vml textpath":          htmlOf(`<!--[if mso]><v:shape><v:textpath string="lottery"/></v:shape><![endif]-->`),
		"vml roundrect":         htmlOf(`<!--[if mso]><v:roundrect><center>lottery</center></v:roundrect><![endif]-->`),
		"wrap entity":           htmlOf(`lot&#8288;tery &lt;`),
		"mso only, not for it":  htmlOf(`<!--[if mso]>lot<![endif]--><!--[if !mso]><!-->xx<!--<![endif]--><!--[if lt mso 9]>x<![endif]--><!--[if mso]>tery<![endif]-->`),
		"mso only, revealed":    htmlOf(`<!--[if mso]>lot<![endif]--><![if !mso]>xx<![endif]><!--[if mso]>tery<![endif]-->`),
		"select":                htmlOf(`<select><option selected>lottery</option></select>`),
		"option label":          htmlOf(`<select><option label="lottery">x</option></select>`),
		"optgroup":              htmlOf(`<select size=2><optgroup label="lottery"></optgroup></select>`),
		"marquee":               htmlOf(`<marquee>lottery</marquee>`),
		"q":                     htmlOf(`lot<q></q>tery`),
		"summary":               htmlOf(`<details><summary>lottery</summary></details>`),
		"math":                  htmlOf(`<math><mi>l</mi><mi>o</mi><mi>t</mi><mi>t</mi><mi>e</mi><mi>r</mi><mi>y</mi></math>`),
		"math mathvariant":      htmlOf(`<math><mtext>lottery</mtext></math>`),
		"svg a":                 htmlOf(`<svg><a><text>lot</text><text x=20>tery</text></a></svg>`),
		"svg textpath":          htmlOf(`<svg><text><textPath href=#p>lottery</textPath></text></svg>`),
		"svg use":               htmlOf(`<svg><defs><text id=t y=20>lottery</text></defs><use href=#t /></svg>`),
		"svg hidden attr":       htmlOf(`<svg><text y=20>lot<tspan visibility=hidden>x</tspan>tery</text></svg>`),
		"svg display attr":      htmlOf(`<svg><text y=20>lot<tspan display=none>x</tspan>tery</text></svg>`),
		"svg fill none":         htmlOf(`<svg><text y=20>lot<tspan fill=none>x</tspan>tery</text></svg>`),
		"svg opacity":           htmlOf(`<svg><text y=20>lot<tspan fill-opacity=0>x</tspan>tery</text></svg>`),
		"svg font-size":         htmlOf(`<svg><text y=20>lot<tspan font-size=0>x</tspan>tery</text></svg>`),
		"svg fill style":        htmlOf(`<svg><text y=20>lot<tspan style="fill:white">x</tspan>tery</text></svg>`),
		"svg rotate":            htmlOf(`<svg><text y=20 direction=rtl unicode-bidi=bidi-override>yrettol</text></svg>`),
	} {
		f, err := new(Inspector).inspect(t.Context(), strings.NewReader(m))
		if err != nil || !slices.ContainsFunc(f.Text, func(s string) bool { return strings.Contains(strings.ToLower(s), word) }) {
			t.Errorf("%s: %q, hidden %q, %q %v", name, f.Text, f.HiddenText, f.Symbols, err)
		}
	}
}
