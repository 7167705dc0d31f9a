package text

import (
	"slices"
	"strings"
	"testing"
)

// TestSheetsAsRead: what Chromium 156 showed of these pages was the word, and nothing
// within it.
func TestSheetsAsRead(t *testing.T) {
	const hide, moving = "<style>.h{display:none}</style>", "<style>@keyframes k{to{opacity:0}}.m{animation:k 0s forwards}</style>"
	for name, html := range map[string]string{
		"case of classes":        `<style>.h{display:none}.Q{display:none}</style>lot<i class=h>x</i><b class=q>te</b>ry`,
		"case of an id":          `<style>#Q{display:none}</style>lot<b id=q>te</b><i hidden>x</i>ry`,
		"rule in a rule":         `<style>.a{color:red;.b{display:none}}</style><p class=a>lot<i class=b>xx</i>tery`,
		"element in a rule":      `<style>.a{i{display:none}}</style><p class=a>lot<i>xx</i>tery`,
		"itself in a rule":       `<style>i{&.b{display:none}}</style><p>lot<i class=b>xx</i>te<i>r</i>y`,
		"child in a rule":        `<style>.a{> i{display:none}}</style><p class=a>lo<b><i>t</i></b><i>x</i>tery`,
		"media in a rule":        `<style>.b{@media all{display:none}}</style>lot<i class=b>x</i>tery`,
		"scope":                  `<style>@scope (.a){i{display:none}}</style><p class=a>lot<i>x</i>tery`,
		"end of a block":         `<style>@media all{ @x }.h{display:none}</style>lot<i class=h>x</i>tery`,
		"end in a rule":          `<style>p{ @x }.h{display:none}</style>lot<i class=h>x</i>tery`,
		"brace in a selector":    `<style>@media all{ p }.h{display:none}</style>lot<i class=h>x</i>tery`,
		"selector that is none":  hide + `<style>x:nosuch, .q{display:none}</style>lot<i class=h>x</i><b class=q>te</b>ry`,
		"list with a hole":       hide + `<style>.q,,u{display:none}</style>lot<i class=h>x</i><b class=q>te</b>ry`,
		"token that is none":     hide + `<style>!.q{display:none}</style>lot<i class=h>x</i><b class=q>te</b>ry`,
		"two combinators":        hide + `<style>p > > .q{display:none}</style><p>lot<i class=h>x</i><b class=q>te</b>ry`,
		"any of":                 `<style>:is(.h,.g){display:none}</style>lot<i class=h>x</i>tery`,
		"where":                  `<style>p :where(i){display:none}</style><p>lot<i class=h>x</i>tery`,
		"but":                    `<style>i:not(.a){display:none}</style>lo<i class=a>t</i><i>x</i>tery`,
		"every other":            `<style>i:nth-child(even){display:none}</style><i>l</i><i>x</i><i>o</i><i>x</i><i>t</i><i>x</i>tery`,
		"every other of a name":  `<style>i:nth-of-type(2n){display:none}</style><b></b><i>l</i><i>x</i><i>o</i><i>x</i>ttery`,
		"first":                  `<style>i:first-child{display:none}</style><p><i>x</i>lo<i>t</i>tery`,
		"beside":                 `<style>b + i{display:none}</style>lo<i>t</i><b></b><i>x</i>tery`,
		"behind":                 `<style>b ~ i{display:none}</style>lo<i>t</i><b></b><u></u><i>x</i>tery`,
		"attribute in any case":  `<style>[class=H i]{display:none}</style>lot<i class=h>x</i>tery`,
		"namespace":              `<style>*|i{display:none}</style>lot<i>x</i>tery`,
		"variable":               `<style>.b{--x:none;display:var(--x)}</style>lot<i class=b>x</i>tery`,
		"variable of a tag":      `lot<i style="--x:none;display:var(--x)">x</i>tery`,
		"variable colour":        `lot<i style="--x:white;color:var(--x)">x</i>tery`,
		"variable background":    `lot<i style="--x:black;background:var(--x)">x</i>tery`,
		"variable, shown":        `<i hidden>x</i>lo<i style="display:none;display:var(--x,inline)">t</i>tery`,
		"reckoned":               `lot<i style="font-size:calc(1px*0)">x</i>tery`,
		"small in powers":        `lot<i style="font-size:1e-9px">x</i>tery`,
		"moved by sides":         `lot<i style="position:absolute;inset:0 0 0 -9999px">x</i>tery`,
		"moved, and not":         `<style>i{text-indent:0!important}</style>lot<i style="position:absolute;left:-9999px">x</i>tery`,
		"moved to the right":     `lot<i style="position:absolute;left:9999px">x</i>tery`,
		"transform":              `lot<i style="position:absolute;transform:translate(-9999px)">x</i>tery`,
		"edgewise":               `lot<i style="position:absolute;transform:rotateY(90deg)">x</i>tery`,
		"matrix":                 `lot<i style="position:absolute;transform:matrix(0,0,0,0,0,0)">x</i>tery`,
		"zoom":                   `lot<i style="zoom:0.001">x</i>tery`,
		"filter":                 `lot<i style="position:absolute;filter:opacity(0)">x</i>tery`,
		"adjusted size":          `lot<i style="font-size-adjust:0">x</i>tery`,
		"content-visibility":     `lot<i style="display:inline-block;content-visibility:hidden">x</i>tery`,
		"logical size":           `lot<i style="display:inline-block;inline-size:0;block-size:0;overflow:clip">x</i>tery`,
		"mask":                   `lot<i style="position:absolute;-webkit-mask:linear-gradient(#0000,#0000)">x</i>tery`,
		"polygon":                `lot<i style="position:absolute;clip-path:polygon(0 0,0 0,0 0)">x</i>tery`,
		"filled":                 `lot<i style="position:absolute;-webkit-text-fill-color:transparent">x</i>tery`,
		"colour of CSS 4":        `lot<i style="position:absolute;color:oklch(1 0 0)">x</i>tery`,
		"colour from another":    `lot<i style="position:absolute;color:rgb(from white r g b)">x</i>tery`,
		"colour of the system":   `lot<i style="position:absolute;color:Canvas">x</i>tery`,
		"colour that is none":    `lot<i style="position:absolute;color:white;color:nosuch">x</i>tery`,
		"unset":                  hide + `<style>i{visibility:hidden}.b{visibility:unset}</style>lo<i class=b>t</i><u class=h>x</u>tery`,
		"all unset":              hide + `lo<i style="display:none;all:unset">tt</i><u class=h>x</u>ery`,
		"all of a sheet":         `<style>i{font-size:0}.b{all:initial}</style>lo<i class=b>t</i><i>x</i>tery`,
		"size as around":         `<style>i{font-size:0}.b{font-size:100%}</style>lo<i class=b>t</i><i>x</i>tery`,
		"no background":          `<style>i{background:black}.b{background:none transparent}</style>lo<i class=b>t</i><i>x</i>tery`,
		"animated":               moving + `lot<i class=m>x</i>tery`,
		"animated into sight":    `<style>@keyframes k{to{opacity:1}}.m{opacity:0;animation:k 0s forwards}</style>lo<i class=m>t</i>te<i hidden>x</i>ry`,
		"first letter":           `<style>p::first-letter{font-size:0}</style><p>xlottery`,
		"before":                 `<style>i::before{content:"lot"}</style><i>te</i>ry`,
		"after":                  `<style>i:after{content:"te"}</style><i>lot</i>ry`,
		"after, closed by all":   `<style>p:after{content:"ery"}</style><p>lott`,
		"before, of a tag":       `<style>i::before{content:attr(data-T)}</style><i data-t=lot>te</i>ry`,
		"before, and not what":   `<style>i{font-size:0}i::before{content:"te";font-size:16px}</style>lot<i>xx</i>ry`,
		"before, hidden":         `<style>i::before{content:"xx";display:none}</style>lot<i>te</i>ry`,
		"before, nothing":        `<style>i::before{content:"xx"}i.b::before{content:none}</style>lot<i class=b>te</i>ry`,
		"before, escaped":        `<style>i::before{content:"\74 e"}</style>lot<i></i>ry`,
		"what rubies have":       `lot<rp>x</rp>tery`,
		"above the line":         `<ruby>lot<rt>x</rt>tery</ruby>`,
		"sound":                  `lot<audio>x</audio>tery`,
		"film":                   `lot<video width=1>x</video>tery`,
		"canvas":                 `lot<canvas width=1>x</canvas>tery`,
		"meter":                  `lot<meter>x</meter>tery`,
		"dialog":                 `lot<dialog>x</dialog>tery`,
		"popover":                `lot<i popover>x</i>tery`,
		"hidden until found":     `lo<i hidden=until-found>t</i>tery`,
		"title of a picture":     `lot<svg width=1 height=1><title>x</title><desc>y</desc></svg>tery`,
		"definition of one":      `lot<svg width=1 height=1><defs><text>x</text></defs></svg>tery`,
		"phantom":                `<math><mi>lot</mi><mphantom><mi>x</mi></mphantom><mi>tery</mi></math>`,
		"annotation":             `<math><semantics><mi>lottery</mi><annotation>x</annotation></semantics></math>`,
		"column of a table":      `<div style="display:inline">lot</div><div style="display:table-column;position:absolute">x</div>tery`,
		"sheet of the head":      `<html class=a><head><meta charset=utf-8> <title>x</title><style>.a i{display:none}</style></head><body>lot<i>x</i>tery`,
		"sheet hides the root":   `<html class=a><head><style>.a{font-size:0}b{font-size:9pt}</style></head><body>x<b>lot</b>x<b>tery</b>`,
		"sheet wants the root's": `<html lang=x><head><style>[lang] i{display:none}</style></head><body>lot<i>x</i>tery`,
		"sheet behind Outlook's": `<head><!--[if gte mso 9]><xml><o:x>96</o:x></xml><![endif]--><style>i{display:none}</style></head>lot<i>x</i>tery`,
	} {
		f := of(t, htmlOf(html))
		if !slices.ContainsFunc(f.Text, func(s string) bool { return strings.Contains(s, word) }) || slices.Contains(f.Symbols, SymbolLimit) {
			t.Errorf("%s: %q, hidden %q, %q", name, f.Text, f.HiddenText, f.Symbols)
		}
	}
}

// TestSheetsHideNothing: what programs that do not know of it show is not said to be hidden.
func TestSheetsHideNothing(t *testing.T) {
	for _, html := range []string{
		`<ruby>lot<rp>(</rp><rt>x</rt><rp>)</rp></ruby>`, `<audio>x</audio>y`, `<i style="display:var(--x)">x</i>y`, `<style>@keyframes k{to{opacity:0}}.m{animation:k 0s forwards}</style><i class=m>x</i>y`,
		`<dialog>x</dialog>y`, `<style>.a{.b{display:none}}</style><p class=a><i class=b>x</i>y`, `<style>.X{display:none}</style><i class=x>x</i>y`,
		`<style>p::first-letter{font-size:300%}</style><p>x`, `<style>.c:after{content:"";display:table;clear:both}</style><div class=c>x</div>`,
	} {
		if f := of(t, htmlOf(html)); len(f.Symbols) > 0 || len(f.HiddenText) > 0 {
			t.Errorf("%s: %q, hidden %q, %q", html, f.Text, f.HiddenText, f.Symbols)
		}
	}
	for _, html := range []string{`<style>.c:after{content:"";display:table;clear:both}</style><div class=c>x</div>`, `<style>p::first-letter{font-size:300%}</style><p>x`} {
		if f := of(t, htmlOf(html)); !slices.Equal(f.Text, []string{"x"}) {
			t.Errorf("%s: %q", html, f.Text)
		}
	}
}

// A page whose sheets stand in its head is read once.
func TestReadOnce(t *testing.T) {
	for html, twice := range map[string]bool{
		`<html class=a><head><title>t</title><meta name=x> <style>.a{color:red}p{font-size:9px}</style><style>i{display:none}</style></head><body><p>x`: false,
		`<!doctype html><html><head><!--[if mso]><xml><o:x>9</o:x></xml><![endif]--><style>i{display:none}</style></head><body>x`:                       false,
		"<style>i{display:none}</style>x":                             false,
		"x<style>i{display:none}</style>":                             true,
		"<body><style>i{display:none}</style>x":                       true,
		"<html lang=x><head><style>[lang] i{display:none}</style>x":   true,
		"<html><head><style>html::before{content:'a'}</style><body>x": true,
	} {
		in := &inspection{desk: new(desk)}
		if err := in.html(html); err != nil {
			t.Fatal(err)
		}
		if in.desk.page.known != twice {
			t.Errorf("%s: %v", html, in.desk.page.known)
		}
	}
}

// What is seen in one world is in a text, though there are more than are given.
func TestAllIsInAText(t *testing.T) {
	const doubts = `<b style="color:white">x</b><b style="position:absolute;left:-9999px">x</b><b style="max-height:0">x</b><b style="display:var(--a)">x</b>`
	for _, only := range []string{"<!--[if mso]>lottery<![endif]-->", "<noembed>lottery</noembed>", "<style>i{display:none}</style><i>lottery</i>"} {
		f := of(t, htmlOf(doubts+only))
		if !slices.ContainsFunc(f.Text, func(s string) bool { return strings.Contains(s, word) }) || !slices.Contains(f.Symbols, SymbolLimit) {
			t.Errorf("%s: %q, %q", only, f.Text, f.Symbols)
		}
	}
}

// What style sheets add is bounded, and told.
func TestAddedIsBounded(t *testing.T) {
	in := &inspection{desk: new(desk)}
	if err := in.html("<style>i:before{content:'" + strings.Repeat("x", 1000) + "'}</style>" + strings.Repeat("<i>", 1000)); err != nil {
		t.Fatal(err)
	}
	if n := len(in.desk.page.buffer); n > maxText+2<<10 || !slices.Contains(in.symbols, SymbolLimit) {
		t.Errorf("%d octets, %q", n, in.symbols)
	}
}
