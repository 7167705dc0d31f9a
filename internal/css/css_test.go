package css

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// made is an element of a test: "name.class#id", those in it behind spaces, those beside
// it behind "+".
type made struct {
	name   string
	attrs  map[string]string
	around *made
	prior  *made
}

func (m *made) Name() string { return m.name }

func (m *made) Attr(name string) (Cased, bool) {
	v, ok := m.attrs[name]
	return Case(v), ok
}

func (m *made) Before() Element {
	if m.prior == nil {
		return nil
	}
	return m.prior
}

func (m *made) Place(ofName bool) int {
	n := 1
	for e := m.prior; e != nil; e = e.prior {
		if !ofName || e.name == m.name {
			n++
		}
	}
	return n
}

func (m *made) Parent() Element {
	if m.around == nil {
		return nil
	}
	return m.around
}

func element(text string) *made {
	var e *made
	for word := range strings.FieldsSeq(text) {
		around, prior := e, (*made)(nil)
		for word := range strings.SplitSeq(word, "+") {
			name, id, _ := strings.Cut(word, "#")
			name, class, _ := strings.Cut(name, ".")
			e = &made{name: name, attrs: map[string]string{}, around: around, prior: prior}
			if id != "" {
				e.attrs["id"] = id
			}
			if class != "" {
				e.attrs["class"] = strings.ReplaceAll(class, ".", " ")
			}
			prior = e
		}
	}
	return e
}

func TestSelectors(t *testing.T) {
	for _, tt := range []struct{ selector, is, not string }{
		{"p", "p", "b"},
		{".a", "b.x.a", "b.ab"},
		{"#a", "b#a", "b.a"},
		{"p.a#b", "p.a#b", "p.a"},
		{"*", "b", ""},
		{"div .a", "div p b.a", "p b.a"},
		{"div > .a", "div b.a", "div p b.a"},
		{"table td>b.a", "table tr td b.a", "table td p b.a"},
		{"p,b", "b", "i"},
		{"[class]", "p.x", "p"},
		{"[class=a]", "p.a", "p.a.b"},
		{"[class~='a']", "p.b.a", "p.ab"},
		{"[class^=a]", "p.ab", "p.ba"},
		{`[class$="a"]`, "p.ba", "p.ab"},
		{"[class*=b]", "p.abc", "p.ac"},
		{"P.A", "p.A", "b.A"},
		{"p.A", "p.a", "p.b"}, // where case does not count
		{"#A", "p#a", "p#b"},
		{`\70`, "p", "b"},
		{"p:first-child", "p", "b"},
		{"p:not(.x)", "p", "b"},
		{"p::first-line, b", "b", "i"},
		{"i + b", "i+b", "u+b"},
		{"i+b", "i+b", "b"},
		{"i.a ~ b", "i.a+u+b", "i+u+b"},
		{"div > i.a ~ b", "div i.a+u+i+b", "p i.a+u+i+b"},
		{"p:first-child", "p", "i+p"},
		{"p:first-of-type", "i+p", "p+p"},
		{"p:nth-child(2)", "i+p", "p"},
		{"p:nth-child(even)", "i+p+p+p", "i+p+p"},
		{"p:nth-child( 2n + 1 )", "i+p+p", "i+p+p+p"},
		{"p:nth-child(-n+2)", "i+p", "i+p+p"},
		{"p:nth-of-type(2)", "p+i+p", "i+p"},
		{"p:nth-child(n)", "i+p", ""},
		{"p:not(.x)", "p.y", "p.x"},
		{"p:not(.x,.y)", "p.z", "p.y"},
		{":is(.a, #b) i", "p#b i", "p i"},
		{":where(p:not(:is(.x)))", "p", "p.x"},
		{"*|p", "p", "b"},
		{"p{b{color:red}}q{i{color:red}}u", "u", "p"},
		{"div.a > p i", "div.a p div p i", "div p div.a i"},
		{"u i u i u i u i u p", "u i u i u i u i u p", "b i u p"},
		{"p i", "p u i", "b u i"},
		{".a.a.a.a.a.a.a.a.b", "p.a.b", "p.b"},
	} {
		var s Sheet
		if err := s.Read(nil, tt.selector+"{display:none}"); err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]Value{tt.is: Hides, tt.not: 0} {
			if text == "" {
				continue
			}
			matched, err := s.Of(nil, element(text))
			if got := matched.In(View{}).Normal[Display]; err != nil || got != want {
				t.Errorf("%s of %s: %v, %v", tt.selector, text, got, err)
			}
		}
	}
}

func TestCascade(t *testing.T) {
	for sheet, want := range map[string]Value{
		"p{display:none}p{display:block}":                                                       Block,
		"p.a{display:none}p{display:block}":                                                     Hides,
		"#i{display:inline}p.a{display:none}":                                                   Inline,
		"p{display:none!important}p.a{display:block}":                                           Hides,
		"p{display:none}@media print{p{display:block}}":                                         Hides,
		"p{display:block}@media (max-width:480px){p{display:none}}":                             Hides,
		"p{display:block}@media (max-width:479px){p{display:none}}":                             Block,
		"p{display:block}@media (min-width:480px) and (max-width:480px){p{display:none}}":       Hides,
		"p{display:block}@media (min-width:30.1em){p{display:none}}":                            Block,
		"p{display:block}@media only screen and (max-device-width:30em),print{p{display:none}}": Hides,
		"p{display:block}@media (max-width:9px){p{display:none}}":                               Block,
		"p{display:block}@media (min-width:1px){p{display:none}}":                               Hides,
		"p{display:block}@media (max-width:600px){@media (min-width:500px){p{display:none}}}":   Block,
		"p{display:block}@media (max-width:600px){@media (min-width:400px){p{display:none}}}":   Hides,
		"p{display:none}@media tv,tty{p{display:block}}":                                        Hides,
		"p{display:block!important}@media (max-width:480px){p{display:none}}":                   Block,
		"@import 'x';@font-face{src:url(x)}p{display:none}":                                     Hides,
		"p{color:red;;display:none":                                                             Hides,
		"p{display:none}}b{}":                                                                   Hides,
		"<!-- p{display:none} -->":                                                              Hides,
		"p{x:{display:block};display:none}":                                                     Hides,
		"p{disp/**/lay:none}":                                                                   0,
		"@supports (display:grid){@media screen{p{display:none}}}":                              Hides,
		"b{}p{display:inline-block}":                                                            Inline,
		"p{display:\"none\"}":                                                                   0, // a string is no word of display
		"p{background:url(data:x;y,{});display:none}":                                           Hides,
		"p[a='}']{display:block}p{display:none}":                                                Hides,
		"@unknown{p{display:block}}p{display:none}":                                             Hides,
		"p{display:none}" + strings.Repeat("q{color:red}", 3000):                                Hides,
		strings.Repeat("q{opacity:0}", 3000) + "p.a{display:none}":                              Hides,
		"@media only screen{" + strings.Repeat("@media all{", 7) + "p{display:none}":            Hides,
	} {
		var s Sheet
		if err := s.Read(nil, sheet); err != nil {
			t.Fatal(err)
		}
		matched, err := s.Of(nil, element("div p.a#i"))
		style := matched.In(View{Width: 480})
		style.Normal.Add(&style.Important)
		if err != nil || style.Normal[Display] != want {
			t.Errorf("%.80s: %v, %v", sheet, style.Normal[Display], err)
		}
	}
}

func TestDeclarations(t *testing.T) {
	for text, want := range map[string]map[Property]Value{
		"font-size:0":                                    {FontSize: Hides},
		"font-size: 12px":                                {FontSize: Shows},
		"font-size:150%":                                 {FontSize: Inherits},
		"font-size:.5px":                                 {FontSize: Hides},
		"font: bold 0px/1 arial":                         {FontSize: Hides},
		"font:12pt arial":                                {FontSize: Shows},
		"FONT-SIZE:LARGE":                                {FontSize: Shows},
		"opacity:.0":                                     {Opacity: Hides},
		"opacity:1":                                      {Opacity: Shows},
		"visibility:collapse":                            {Visibility: Hides},
		"height:0;overflow:hidden":                       {Height: Hides, Overflow: Hides},
		"height:100%":                                    {Height: Shows},
		"left:-9999px":                                   {Away: Hides},
		"margin-left:10px":                               {Away: Shows},
		"clip:rect(0,0,0,0)":                             {Clip: Hides},
		"clip:rect(0px 10px 10px 0px)":                   {Clip: Shows},
		"transform:scale(0)":                             {Clip: Hides},
		"transform:scale(1)":                             {Clip: Shows},
		"clip-path:inset(100%)":                          {Clip: Hides},
		"color:#FFF":                                     {Color: Paint(255, 255, 255)},
		"color:#ffffff80":                                {Color: Paint(255, 255, 255)},
		"color:#0000":                                    {Color: Clear},
		"color:rgb(1, 2,3)":                              {Color: Paint(1, 2, 3)},
		"color:rgba(1,2,3,0)":                            {Color: Clear},
		"color:rgb(100% 0% 0% / 50%)":                    {Color: Paint(255, 0, 0)},
		"color:hsl(0, 0%,100%)":                          {Color: Paint(255, 255, 255)},
		"color:hsl(120deg 100% 25%)":                     {Color: Paint(0, 128, 0)},
		"color:hsla(.5turn,100%,50%,1)":                  {Color: Paint(0, 255, 255)},
		"color:hsl(-60,100%,50%)":                        {Color: Paint(255, 0, 255)},
		"color:hsl(0 0% 0% / 0)":                         {Color: Clear},
		"color:seashell":                                 {Color: Paint(255, 245, 238)},
		"color:rebeccapurple":                            {Color: Paint(0x66, 0x33, 0x99)},
		"box-shadow:inset 0 0 9px red":                   {Back: Unknown},
		"box-shadow:0 0 9px red":                         {},
		"color:var(--x)":                                 {Color: Doubtful, Unsure: Hides},
		"color:inherit":                                  {Color: Inherits},
		"color:white;color:x":                            {Color: Paint(255, 255, 255)},
		"color:white;color:#ggg;color:#12345":            {Color: Paint(255, 255, 255)},
		"color:white;color:black x":                      {Color: Paint(255, 255, 255)},
		"color:white;all:unset":                          everything(Inherits, Shows),
		"color:ffffff":                                   {Color: Doubtful, Unsure: Hides},
		"color:oklch(1 0 0)":                             {Color: Doubtful, Unsure: Hides},
		"color:rgb(from white r g b)":                    {Color: Doubtful, Unsure: Hides},
		"color:hsl(0 none 100%)":                         {Color: Paint(255, 255, 255)},
		"color:Canvas":                                   {Color: Doubtful, Unsure: Hides},
		"-webkit-text-fill-color:transparent":            {Color: Doubtful, Unsure: Hides},
		"background:var(--x)":                            {Back: Doubtful, Unsure: Hides},
		"display:var(--x)":                               {Display: Doubtful, Unsure: Hides},
		"font-size:calc(0px)":                            {FontSize: Hides},
		"font-size:calc((2px - 1px) * 0)":                {FontSize: Hides},
		"font-size:calc(12px + 1vw)":                     {FontSize: Shows},
		"font-size:min(0px, 3vw)":                        {FontSize: Hides},
		"font-size:clamp(10px, 2vw, 30px)":               {FontSize: Shows},
		"font-size:calc(0.1vw)":                          {FontSize: Doubtful, Unsure: Hides},
		"font-size:calc(1px":                             {FontSize: Doubtful, Unsure: Hides},
		"font-size:1e-9px":                               {FontSize: Hides},
		"font-size:1e1px":                                {FontSize: Shows},
		"opacity:calc(0)":                                {Opacity: Hides},
		"width:calc(100% - 20px)":                        {Width: Shows},
		"inset:0 0 0 -9999px":                            {Away: Hides},
		"left:9999px":                                    {Away: Hides},
		"left:-99em":                                     {Away: Hides},
		"left:-9999px;margin-left:0;text-indent:0":       {Away: Hides},
		"left:-9999px;left:0":                            {Away: Shows},
		"left:-9999px;left:unset":                        {Away: Shows},
		"transform:translate(-9999px)":                   {Clip: Hides},
		"transform:translate(-50%, -50%)":                {Clip: Shows},
		"transform:rotateY(90deg)":                       {Clip: Hides},
		"transform:rotate(90deg)":                        {Clip: Shows},
		"transform:matrix(0,0,0,0,0,0)":                  {Clip: Hides},
		"clip-path:polygon(0 0,0 0,0 0)":                 {Clip: Hides},
		"filter:opacity(0)":                              {Clip: Hides, Back: Unknown},
		"content-visibility:hidden":                      {Clip: Hides},
		"letter-spacing:-9999px":                         {Away: Hides},
		"letter-spacing:-1px":                            {Away: Shows},
		"zoom:0.001":                                     {Clip: Hides},
		"zoom:0":                                         {Clip: Shows},
		"display:table-column":                           {Display: Column},
		"inline-size:0;overflow:clip":                    {Width: Hides, Overflow: Hides},
		"animation:k 0s forwards":                        {Moved: Hides},
		"visibility:hidden;visibility:unset":             {Visibility: Inherits},
		"content:'x'":                                    {},
		"background:#fff url(x.png)":                     {Back: Unknown},
		"background:url(x) no-repeat white":              {Back: Unknown},
		"background:no-repeat white":                     {Back: Paint(255, 255, 255)},
		"background-color:transparent":                   {Back: Inherits},
		"background-image:url(x);background-color:white": {Back: Unknown},
		"background-image:none":                          {Back: 0},
		"unicode-bidi:bidi-override;direction:rtl":       {Override: Hides, Direction: Hides},
		"mso-hide:all":                                   {MsoHide: Hides},
		"display:none;display:inherit":                   {Display: Shows},
		"display:none !important x":                      {},
		"margin:0 0 0 -9999px":                           {Away: Hides},
		"font:400 0 arial":                               {FontSize: Hides},
		"font:400 12px/0 arial":                          {FontSize: Shows},
		// What is no declaration changes nothing.
		"display:none x":                       {},
		"display:none;display:x":               {Display: Hides},
		"visibility:hidden;visibility:x":       {Visibility: Hides},
		"visibility:hidden;visibility:inherit": {Visibility: Inherits},
		"overflow:hidden;overflow:x":           {Overflow: Hides},
		"opacity:0;opacity:none":               {Opacity: Hides},
		"opacity:0px":                          {},
		"font-size:-1px":                       {},
		"font-size:0 0":                        {},
		"font-size:0x":                         {},
		"font-size:0;font-size:larger":         {FontSize: Inherits},
		"max-height:-1px":                      {},
		"*display:none":                        {},
		"*display:none;visibility:hidden":      {Visibility: Hides},
		"display x:none":                       {},
		"(;display:none);visibility:hidden":    {Visibility: Hides},
		"display:none !x":                      {},
		"--x:y;display:none":                   {Display: Hides},
		";;display : none":                     {Display: Hides},
	} {
		style, err := Attribute(nil, text)
		var all Declarations
		for p, v := range want {
			all[p] = v
		}
		for _, p := range []Property{Away, Clip} {
			if v := style.Normal[p]; v != 0 {
				style.Normal[p] = tri(v.Moves())
			}
		}
		if err != nil || style.Normal != all || style.Important != (Declarations{}) {
			t.Errorf("%s: %v, want %v, %v", text, style, all, err)
		}
	}
}

// everything is what "all" says: of what is as around an element, and of all else.
func everything(around, other Value) map[Property]Value {
	all := make(map[Property]Value)
	for _, p := range propertiesOf("all") {
		all[p] = other
	}
	for _, p := range []Property{FontSize, Visibility, Color, Back} {
		all[p] = around
	}
	return all
}

func TestDiffer(t *testing.T) {
	if by, known := Differ(Paint(255, 255, 255), Paint(254, 250, 255)); by != 6 || !known {
		t.Error(by, known)
	}
	for _, v := range []Value{0, Unknown, Clear} {
		if _, known := Differ(v, Paint(0, 0, 0)); known {
			t.Error(v)
		}
	}
}

// FuzzSheet: whatever a sheet is, its cost is in proportion to its length.
// counted is an element that counts the octets of attributes that were asked for.
type counted struct {
	*made
	octets *int
}

func (c counted) Attr(name string) (Cased, bool) {
	v, ok := c.made.Attr(name)
	*c.octets += len(v.Exact)
	return v, ok
}

// What a long attribute is compared with is charged by its length.
func TestComparisonsAreCharged(t *testing.T) {
	var s Sheet
	if err := s.Read(nil, strings.Repeat("[class][class*=y][class*=z]{opacity:0}b{opacity:0}", 100)); err != nil {
		t.Fatal(err)
	}
	b := budget.New(context.Background(), 1<<40, 1<<40)
	e := element("b." + strings.Repeat("y", 8<<10))
	octets := 0
	if _, err := s.Of(b, counted{e, &octets}); err != nil {
		t.Fatal(err)
	}
	if steps, _ := b.Spent(); octets < 8<<10 || steps < int64(octets)/32 {
		t.Errorf("%d steps for %d octets", steps, octets)
	}
}

func FuzzSheet(f *testing.F) {
	f.Add("p.a > b, #c [d=e]{display:none!important}@media x{q{color:#fff}}", "color:red;font:0/0 a")
	f.Add(strings.Repeat("*{opacity:0}", 50), "}{;:!()[]\\41 /* ")
	f.Fuzz(func(t *testing.T, sheet, attribute string) {
		b := budget.New(context.Background(), budget.Allowance(int64(len(sheet)+len(attribute))), 0)
		var s Sheet
		if err := s.Read(b, sheet); err != nil {
			t.Error(err)
		}
		if _, err := Attribute(b, attribute); err != nil {
			t.Error(err)
		}
		if _, err := s.Of(b, element("div.a p.b.c#d")); err != nil {
			t.Error(err)
		}
	})
}

// Widths are one of each kind of screens that queries tell apart.
func TestWidths(t *testing.T) {
	for sheet, want := range map[string][]float64{
		"p{opacity:0}":                                             {Widest},
		"@media (max-width:480px){p{opacity:0}}":                   {Widest, 480},
		"@media (min-width:481px){p{opacity:0}}":                   {Widest, 481 - 1.0/64},
		"@media (max-width:480px),(max-width:600px){p{opacity:0}}": {Widest, 600, 480},
		"@media (max-width:9px){p{opacity:0}}":                     {Widest},
		"@media (width:500px){p{opacity:0}}":                       {Widest, 500, 500 - 1.0/64},
		"@media (max-width:480px){p{padding:0}}":                   {Widest},
		"@media screen and (color){p{opacity:0}}":                  {Widest},
		"@media (max-width:480px) and (color){p{opacity:0}}":       {Widest},
	} {
		var s Sheet
		if err := s.Read(nil, sheet); err != nil || !slices.Equal(s.Widths(), want) {
			t.Errorf("%s: %v, want %v, %v", sheet, s.Widths(), want, err)
		}
	}
}

// What cannot be told is a doubt, the same of the same text.
func TestDoubts(t *testing.T) {
	for sheet, want := range map[string]Doubt{
		"p{opacity:0}":                  0,
		"p:hover{opacity:0}":            0,
		"p:not(.x){opacity:0}":          1,
		"p:first-child{opacity:0}":      1,
		"i+p{opacity:0}":                1,
		"@media (color){p{opacity:0}}":  1,
		"@supports (a:b){p{opacity:0}}": 1,
		"@media (color){p{opacity:0}}@media (color){p{font-size:0}}": 1,
		"p:not(.x){opacity:0}p:not(.y){font-size:0}":                 3,
		"p:not(.x){opacity:0}@media (color){p:not(.x){font-size:0}}": 3,
	} {
		var s Sheet
		if err := s.Read(nil, sheet); err != nil {
			t.Fatal(err)
		}
		matched, err := s.Of(nil, element("i+p"))
		if strings.Contains(sheet, "first") {
			matched, err = s.Of(nil, element("p"))
		}
		if got, _ := matched.Doubts(); err != nil || got != want {
			t.Errorf("%s: %b, want %b, %v", sheet, got, want, err)
		}
		if style := matched.In(View{Not: want}); want != 0 && style != (Style{}) {
			t.Errorf("%s: %v where nothing holds", sheet, style)
		}
	}
}

// A rule within a rule costs no more for what stands behind it.
func TestRulesWithinRules(t *testing.T) {
	const rules = 2000
	sheet := "a{" + strings.Repeat("b{}", rules) + "c{display:none}}"
	allocated := func(text string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var s Sheet
		if err := s.Read(nil, text); err != nil || s.Len() == 0 {
			t.Fatalf("%d rules, %v", s.Len(), err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	behind := sheet + strings.Repeat("x", 64*len(sheet))
	if one, more := allocated(sheet), allocated(behind); more > 2*one+16*uint64(len(behind)) {
		t.Errorf("%d octets for %d rules, %d where more stands behind them", one, rules, more)
	}
}

// Neither the time nor the memory that a selector costs goes with more than its length, nor
// is more of a list kept than of a sheet.
func TestLongSelectors(t *testing.T) {
	allocated := func(text string) (octets uint64, s Sheet) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := s.Read(nil, text); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc, s
	}
	const length = 64 << 10
	for _, unit := range []string{"b:c!", "a ", "b>", ".a", "::b", ":c(d)", ":nth-child(2)", ":is(a)", "a,", ".a,", "#b,a:not(b),"} {
		text := strings.Repeat(unit, length/len(unit)) + "z{display:none}"
		n, s := allocated(text)
		if perOctet := n / uint64(len(text)); perOctet > 128 {
			t.Errorf("%q: %d octets for each", unit, perOctet)
		}
		if strings.HasSuffix(unit, ",") && !s.Cut() {
			t.Errorf("%q: not cut", unit)
		}
	}
}

// Case does not count in ASCII alone: a name with the sign of Kelvin for its k is another.
func TestCaseOfASCII(t *testing.T) {
	for text, want := range map[string]Value{"OVERFLOW:Hidden;BLOCK-Size:0": Hides, "overflow:hidden;bloc\u212a-size:0": 0, "overflow:hidden;bloc\\212a-size:0": 0} {
		s, err := Attribute(nil, text)
		if err != nil || s.Normal[Height] != want {
			t.Errorf("%q: %d, %v", text, s.Normal[Height], err)
		}
	}
}

// What a program of today takes for nothing hides nothing for certain.
func TestInvalidHidesNothing(t *testing.T) {
	for text, p := range map[string]Property{
		"height:0.04": Height, "max-width:calc(0)": MaxWidth, "font-size:.05": FontSize, "font-size:0;font-size:round(16px,1px)": FontSize,
		"height:0;height:calc-size(auto,size)": Height, "height:0;height:stretch": Height, "width:0;width:-webkit-fill-available": Width,
		"block-size:0 0": Height, "max-inline-size:0 0": MaxWidth, "font:0": FontSize, "font:0/1 ": FontSize, "overflow:hidden foo": Overflow,
		"font:medium/0 serif": FontSize, "font-size:0;font:medium serif": FontSize, "font-size:0;font:menu": FontSize, "font-size:0;font:oblique 0deg 16px a": FontSize,
		"overflow:hidden hidden hidden": Overflow, "overflow-x:hidden hidden": Overflow, "opacity:0;opacity:abs(1)": Opacity,
	} {
		s, err := Attribute(nil, text)
		if v := s.Normal[p]; err != nil || v == Hides || v == Doubtful && s.Normal[Unsure] != Hides {
			t.Errorf("%q: %d, %v", text, v, err)
		}
	}
	for text, p := range map[string]Property{"height:0": Height, "font:0 a": FontSize, "font:0/0 'a'": FontSize, "font:bold 0/1 a,b": FontSize, "overflow:hidden": Overflow, "overflow:hidden clip": Overflow, "opacity:calc(0)": Opacity, "height:calc(0px)": Height, "font-size:0": FontSize} {
		if s, err := Attribute(nil, text); err != nil || s.Normal[p] != Hides {
			t.Errorf("%q: %d, %v", text, s.Normal[p], err)
		}
	}
}

// A colour that no program of today takes for one makes no letters transparent for certain.
func TestInvalidColours(t *testing.T) {
	for _, text := range []string{"rgba(0,0,0,0) foo", "rgba(0 0 0 0)", "rgba(0,0,0/0)", "rgba(0,0,0,0,0)", "rgb(0 0/0 0)", "rgba(0,0,0,0px)", "rgba(,,,0 0 0 0)", "hsla(0,0,0,0) hsla(0,0,0,0)"} {
		s, err := Attribute(nil, "color:"+text)
		if v := s.Normal[Color]; err != nil || v == Clear || v == Doubtful && s.Normal[Unsure] != Hides {
			t.Errorf("%q: %x, %v", text, v, err)
		}
	}
	for _, text := range []string{"transparent", "rgba(0,0,0,0)", "rgb(0 0 0 / 0)", "rgb(0 0 0 / 1%)", "rgba(10%, 0%, 0%, .01)", "hsla(0deg, 0%, 0%, 0)", "hsl(.5turn 0% 0% / 0)", "rgb(none 0 0/0)", "#0000", "rgba(0,0,0,0"} {
		if s, err := Attribute(nil, "color:"+text); err != nil || s.Normal[Color] != Clear {
			t.Errorf("%q: %x, %v", text, s.Normal[Color], err)
		}
	}
}

// A brace that ends no block: for Chromium it ends the attribute, for Gecko it makes the
// declaration that it stands in none.
func TestBraceInAttribute(t *testing.T) {
	for _, text := range []string{"display:none}", "display:none;};display:block", "display:none!important}", "color:red;}display:none", "}display:none", "};display:none"} {
		s, err := Attribute(nil, text)
		if err != nil || s.Normal[Display] == Hides || s.Important[Display] == Hides {
			t.Errorf("%q: %d, %d, %v", text, s.Normal[Display], s.Important[Display], err)
		}
	}
	for _, text := range []string{"display:none;}", "display:none;a{}b:c;d:{e}", "display:none;} "} {
		if s, err := Attribute(nil, text); err != nil || s.Normal[Display] != Hides || s.Normal[Unsure] != 0 {
			t.Errorf("%q: %d, %v", text, s.Normal[Display], err)
		}
	}
}
