package text

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// spellings are addresses of the host evil.example.com, as it is reached by a click.
func spellings() []string {
	return []string{
		"http://evil.example.com/x", "HTTPS://EVIL.EXAMPLE.COM", "//evil.example.com/x", `\\evil.example.com\share\x.exe`, `http:\\evil.example.com\x`,
		"ht\ntp://evil.exa\tmple.com", "http:evil.example.com/x", "http:///evil.example.com", "http://bank.example.org@evil.example.com/", "http://evil%2eexample.com/",
		"http://evil\u3002example.com/", "http://e\u00advil.example.com:8080/?q#f", "ftp://evil.example.com/x", "file://evil.example.com/s/x.lnk", "file:////evil.example.com/s",
		"evil.example.com/x", "evil.example.com", "search-ms:query=x&crumb=location:%5C&y=\\\\evil.example.com\\s", "ms-word:ofe|u|https://evil.example.com/x.docx",
		"javascript:location=&quot;http://evil.example.com&quot;", "view-source:https://evil.example.com/", "x-y.z+1://evil.example.com/",
	}
}

// TestEveryLeadIsSeen: whatever the spelling of an address and the element that has it, rules see
// where a reader is led.
func TestEveryLeadIsSeen(t *testing.T) {
	frames := []string{
		`<a href="%s">x</a>`, `<A HREF = '%s' class=x>x</A>`, `<area href="%s">`, `<form action="%s"><input type=submit>`, `<button formaction="%s">x</button>`,
		`<iframe src="%s"></iframe>`, `<frame src="%s">`, `<embed src="%s">`, `<object data="%s"></object>`, `<svg><a xlink:href="%s"><text>x</text></a></svg>`, `<svg><a href="%s"/></svg>`,
		`<v:roundrect href="%s">x</v:roundrect>`, `<meta http-equiv="refresh" content="0; url=%s">`, `<META content="5;URL='%s'" HTTP-EQUIV=Refresh >`,
		`<!--[if mso]><a href="%s">x</a><![endif]-->`, `<!-- [if gte mso 9]><table><tr><td><a href="%s">x</a><![endif]-->`, `<!--[if !mso]><!--><a href="%s">x</a><!--<![endif]-->`,
		"<a\x00 href=\"%s\">x</a>", "<a hr\x00ef=\"%s\">x</a>", `<template><a href="%s">x</a></template>`, `<noscript><a href="%s">x</a></noscript>`,
	}
	types := []string{"text/html", "application/xhtml+xml", "text/x-amp-html", "text/enriched", "TEXT/HTML; charset=koi8-r"}
	rapid.Check(t, func(t *rapid.T) {
		spelling := rapid.SampledFrom(spellings()).Draw(t, "address")
		page := fmt.Sprintf(rapid.SampledFrom(frames).Draw(t, "element"), spelling)
		page = rapid.SampledFrom([]string{"", "<p>hello ", "<table><tr><td>", "<style>p{}</style>", "<!-- x -->"}).Draw(t, "before") + page
		mediaType := rapid.SampledFrom(types).Draw(t, "type")
		if strings.Contains(mediaType, "koi8") {
			page = strings.NewReplacer("\u3002", ".", "\u00ad", "").Replace(page)
		}
		message := "Content-Type: " + mediaType + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(page)) + "\r\n"
		f, err := new(Inspector).inspect(t.Context(), strings.NewReader(message))
		if err != nil || !slices.Contains(f.URLDomains, "evil.example.com") {
			t.Fatalf("%q: %q, %q, %v", page, f.URLs, f.URLDomains, err)
		}
	})
}

func TestLeads(t *testing.T) {
	for _, tt := range []struct {
		name, page    string
		urls, domains []string
	}{
		{"relative", `<base href="https://evil.example.com/a/"><base href="//b.example"><a href="../b?c">x</a>`, []string{"https://evil.example.com/b?c"}, []string{"evil.example.com"}},
		{"relative to nothing", `<a href="page.html">x</a><a href="/a/b">y</a><a href="a@b.example">z</a>`, nil, nil},
		{"a number", `<a href="http://3405803781/">x</a>`, []string{"http://3405803781/"}, []string{"3405803781", "203.0.113.5"}},
		{"bases", `<a href="http://0xCB.0.0161.5/">x</a>`, []string{"http://0xCB.0.0161.5/"}, []string{"0xcb.0.0161.5", "203.0.113.5"}},
		{"an address", `<a href="http://203.0.113.5/">x</a>`, []string{"http://203.0.113.5/"}, []string{"203.0.113.5"}},
		{"no numbers", `<a href="http://1.2.3.4.5/">x</a><a href="http://256.1.1.1/">x</a>`, []string{"http://1.2.3.4.5/", "http://256.1.1.1/"}, []string{"1.2.3.4.5", "256.1.1.1"}},
		{"a program", `<a href="data:text/html;base64,PGI+">x</a>`, []string{"data:text/html;base64,PGI+"}, nil},
		{"nobody's", `<a href="mailto:a@b.example">x</a><a href="tel:+1">y</a><a href="cid:x">z</a><a href="#a">z</a><a href="c:/x">z</a>`, nil, nil},
		{"a picture", `<img src="http://a.example/p.png"><link href="http://a.example/s.css">`, nil, nil},
	} {
		f := of(t, htmlOf(tt.page))
		if !slices.Equal(f.URLs, tt.urls) || !slices.Equal(f.URLDomains, tt.domains) {
			t.Errorf("%s: %q, %q", tt.name, f.URLs, f.URLDomains)
		}
	}
}

// A host with a path is an address to programs, other words with a slash are none.
func TestBareHosts(t *testing.T) {
	for text, want := range map[string][]string{
		"see evil.example.com/x, or": {"evil.example.com/x"},
		"(evil.example.com/)":        {"evil.example.com/"},
		"тест.рф/x":                  {"тест.рф/x"},
		"and/or a.b/c 1.2/3 v1.2.3/x /usr/lib/a.com/x 10.0.0.0/8":                    nil,
		"a@evil.example.com/x x=evil.example.com/y":                                  nil,
		"http://a.example/b.com/c":                                                   {"http://a.example/b.com/c"},
		"file.txt/x read.me":                                                         nil,
		"WWWGB82WEST12345698765432http://evil.example.com/x wwhttps://b.example.com": {"http://evil.example.com/x", "wwhttps://b.example.com"},
		"hxxp://evil.example.com/x":                                                  {"hxxp://evil.example.com/x"},
		"search-ms://x\u0020smb://evil.example.com/s, mailto:a@b.com":                {"search-ms://x", "smb://evil.example.com/s"},
	} {
		if f := of(t, "Content-Type: text/plain; charset=utf-8\r\n\r\n"+text); !slices.Equal(f.URLs, want) {
			t.Errorf("%q: %q", text, f.URLs)
		}
	}
}

// Texts of any kind are read, but for files.
func TestForms(t *testing.T) {
	for _, tt := range []struct{ header, body, want string }{
		{"text/calendar", "DESCRIPTION:win the lot\r\n tery\\, now\\nhttp://a.ex\r\n\tample/", "DESCRIPTION:win the lottery, now http://a.example/"},
		{"text/x-anything; charset=koi8-r", "\xcc\xcf\xd4", "лот"},
		{"text/enriched", "<bold>lottery</bold>", "lottery"},
		{"application/xhtml+xml", "<p>lottery</p>", "lottery"},
		{"text/html", "<!--[if mso]><b>lottery</b><![endif]-->", "lottery"},
		{"text/html", "<![if !mso]>lottery<![endif]>", "lottery"},
		{"text/html", "lot\x00tery", "lottery"},
		{"text/rfc822-headers", "Subject: lottery", ""},
		{"application/json", "lottery", ""},
		{"image/svg+xml", "<text>lot<tspan>tery</tspan></text>", "lottery"}, // programs show it beside the text
		{"image/png", "lottery", ""},
	} {
		f := of(t, "Content-Type: "+tt.header+"\r\n\r\n"+tt.body)
		if got := strings.Join(f.Text, "|"); got != tt.want {
			t.Errorf("%s %q: %q", tt.header, tt.body, got)
		}
	}
}
