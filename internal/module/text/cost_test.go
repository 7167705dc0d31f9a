package text

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// units are pieces of pages that were dear, or might be.
func units() []string {
	return []string{
		"<b>", "<i>", "</b>", "</i>", "<div>", "</div>", "<p>", "</p>", "<table>", "<tr>", "<td>", "</table>", "<a href=//a.b>", "<svg>", "<p hidden><table>", "<b class=h>", "<i class='h n w d'>", "<x-y>", "</x-y>",
		"<style>.h{display:none}</style>", "<style>@media(max-width:500px){.n{display:none}}</style>", "<style>@media(color){.d{display:none}}</style>", "<style>.w:not(q){opacity:0}</style>",
		"<style>b i b i *{opacity:0}</style>", "<style>@supports(a:b){*{color:white}}</style>", "<style>*{mso-hide:all}</style>", "<i style='color:white'>", "<i style='mso-hide:all'>", "<b style='max-height:0;left:-999px'>",
		"<bdo dir=rtl>", "x", " word ", "\u202e", "<!--[if mso]>x<![endif]-->", "<!--", "<script>", "<script><!--", "<a ", "a=b ", "&", "&amp;", "www.", "://", "a.com/", "4", "DE89 ", "AA00 ", "<template>", "<div/>", "<li>", "<ul>",
	}
}

// costOf reads a page, and holds what it cost against its allowance: nothing that the
// length of a page does not pay for, of steps, of readings and of memory.
func costOf(t interface{ Errorf(string, ...any) }, text string) {
	b := budget.New(context.Background(), math.MaxInt64, math.MaxInt64)
	in := &inspection{budget: b, desk: new(desk)}
	if err := in.html(text); err != nil {
		t.Errorf("%v", err)
	}
	p := &in.desk.page
	given := 0
	for _, s := range in.text.all {
		given += len(s)
	}
	if len(p.worlds) > maxWorlds || cap(p.chunks) > 8*len(text)+64 || given > maxText || len(p.styles) > maxStyles {
		t.Errorf("%.60q: %d worlds, %d chunks, %d octets, %d styles", text, len(p.worlds), cap(p.chunks), given, len(p.styles))
	}
}

// TestCostOfPages: what is kept of a page is bounded, whatever it repeats. That what it
// does is charged is seen by TestWorkIsCharged.
func TestCostOfPages(t *testing.T) {
	for _, unit := range units() {
		costOf(t, strings.Repeat(unit, (8<<10)/len(unit)))
	}
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(1, 5).Draw(t, "groups") {
			group := strings.Join(rapid.SliceOfN(rapid.SampledFrom(units()), 1, 4).Draw(t, "group"), "")
			b.WriteString(strings.Repeat(group, rapid.IntRange(1, 200).Draw(t, "times")))
		}
		costOf(t, b.String())
	})
}

func FuzzCost(f *testing.F) {
	for _, unit := range units() {
		f.Add(unit, "<b>", 100)
	}
	f.Fuzz(func(t *testing.T, one, other string, times int) {
		const most = 32 << 10
		piece := one + other
		costOf(t, strings.Repeat(piece, min(max(times, 1), most/max(len(piece), 1))))
	})
}

// To look at blocks anew that an element leaves open costs what style sheets say of them.
func TestDearRemovals(t *testing.T) {
	var sheet strings.Builder
	for n := range 500 {
		fmt.Fprintf(&sheet, "div[title^=\"%.*s\"]{opacity:1}b{opacity:1}", n%50+1, strings.Repeat("x", 50))
	}
	page := func(ends int) int64 {
		b := budget.New(t.Context(), math.MaxInt64, math.MaxInt64)
		in := &inspection{budget: b, desk: new(desk)}
		if err := in.html("<style>" + sheet.String() + "</style>" + strings.Repeat("<b>", 20) + strings.Repeat(`<div title="`+strings.Repeat("x", 50)+`">`, 20) + strings.Repeat("</b>", ends)); err != nil {
			t.Error(err)
		}
		steps, _ := b.Spent()
		return steps
	}
	if each := (page(20) - page(0)) / 20; each < 20*500 {
		t.Errorf("%d steps each", each)
	}
}
