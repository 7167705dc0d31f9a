package text

import (
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/css"
	"github.com/tollgate-mail/tollgate/internal/markup"
)

// The bounds of a page.
const (
	maxOpen   = 2048 // elements that are kept track of within each other
	maxNested = 2    // pages within comments and the like
)

// page reads an HTML text. Mail programs differ in what of it they show, and the text
// is that of each world (see there) in which it is another.
type page struct {
	*inspection
	sheet  *css.Sheet
	known  bool // the sheet is that of the whole page
	begun  bool // there was something that a style sheet may be about
	late   bool // a style sheet came after that
	firsts bool // style sheets hide first letters
	made   int  // octets that style sheets have added
	family family
	open   []element
	last   [mostElements]int // the innermost that is open, by its number: its place and 1
	others map[string]int    // likewise, by name
	around []looks           // of a paragraph that a table has ended, in each world; nil: of none
	kept   bool              // to some, such a paragraph is still open
	nested int               // pages around this text
	floor  int               // elements that are open around it
	only   bool              // what is read is for some programs
	not    bool              // what follows is not for Outlook
	spent  error             // the budget's

	worlds    []world
	looks     [maxWorlds][]looks // of the open elements, in each
	asked     []question
	wondering []question
	matter    []question
	tries     []uint32
	dresses   []dress
	screens   []float64
	// The worlds that there are, those that tell what is hidden, and those of Outlook.
	all, usual, noted worlds

	buffer  []byte
	chunks  []chunk
	scratch []byte
	hidden  []byte

	styles  map[string]*css.Style
	links   links
	readers [maxNested + 1]markup.Reader
}

// html reads an HTML text by its tokens, as mail programs do. A tree would show more
// exactly what is in what, and is not bounded by the length of its text.
func (in *inspection) html(text string) error {
	text = markup.Clean(text)
	sheet := new(css.Sheet)
	frames := len(in.frames)
	p := in.page(sheet)
	if err := p.read(text); err != nil {
		return p.cut(err)
	}
	if p.late {
		// Style sheets are of the whole page, wherever they stand in it.
		in.framed -= len(in.frames) - frames
		in.frames = in.frames[:frames]
		p = in.page(sheet)
		p.known = true
		if err := p.read(text); err != nil {
			return p.cut(err)
		}
	}
	return p.end()
}

// page is a page of which nothing was read yet.
func (in *inspection) page(sheet *css.Sheet) *page {
	p := &in.desk.page
	p.clear()
	p.inspection, p.sheet, p.links.in = in, sheet, in
	if p.others == nil {
		p.others, p.styles = make(map[string]int), make(map[string]*css.Style)
	}
	p.worlds = append(p.worlds, world{not: notes, width: css.Widest})
	p.count(0)
	return p
}

// clear forgets a page; its memory stays.
func (p *page) clear() {
	clear(p.open[:cap(p.open)])
	clear(p.others)
	clear(p.styles)
	empty := page{
		open: p.open[:0], others: p.others, styles: p.styles, worlds: p.worlds[:0], looks: p.looks, asked: p.asked[:0], wondering: p.wondering[:0], matter: p.matter[:0], tries: p.tries[:0], dresses: p.dresses[:0],
		buffer: p.buffer[:0], chunks: p.chunks[:0], scratch: p.scratch[:0], hidden: p.hidden[:0], readers: p.readers,
	}
	for i := range empty.readers {
		empty.readers[i].Reset("")
	}
	*p = empty
}

// small tells whether the memory of a page may be kept.
func (p *page) small() bool {
	return max(cap(p.buffer), cap(p.scratch), cap(p.hidden)) <= mostKept && cap(p.chunks) <= mostKept/16 && cap(p.open) <= maxOpen/4
}

// read reads a text, or one within another.
func (p *page) read(text string) error {
	z := &p.readers[p.nested]
	z.Reset(text)
	tag := "" // where a text is next to its start tag, that
	for {
		kind := z.Next()
		if err := p.budget.Charge(1); err != nil {
			return err
		}
		var err error
		in := tag
		tag = ""
		switch kind {
		case markup.End:
			return nil
		case markup.Text:
			err = p.text(z, in)
		case markup.Comment:
			err = p.comment(z.Raw())
		case markup.StartTag, markup.ClosedTag:
			tag, err = z.Name(), p.start(z, kind == markup.ClosedTag)
			// What is in noscript is shown where no scripts are run, as in mail; SVG and
			// MathML have no elements of raw text, and tags in them may end them.
			if foreign := p.foreign() >= 0; foreign || tag == "noscript" {
				z.TagsFollow()
			}
		case markup.EndTag:
			err = p.finish(z.Name())
		}
		if err == nil {
			err = p.spent
		}
		if err != nil {
			return err
		}
	}
}

// text takes a text, by the element that it begins.
func (p *page) text(z *markup.Reader, in string) error {
	switch in {
	case "script":
	case "style":
		if p.nested > 0 && p.only {
			return nil // as pages for one program have them
		}
		return p.style(z.Raw())
	case "title":
		// It is the name of a window, and in the head of a page only.
	case "noembed", "noframes", "iframe":
		return p.inside(z.Raw())
	default:
		return p.words(z.Text())
	}
	return nil
}

// style takes a style sheet.
func (p *page) style(text string) error {
	if p.known {
		return nil
	}
	before := p.sheet.Len()
	if err := p.sheet.Read(p.budget, text); err != nil || p.sheet.Len() == before {
		return err
	}
	// Up to there, there may be an html and a head; of their attributes, those are known that
	// any sheet may ask for.
	if p.begun || len(p.open) > 0 && (p.sheet.WantsMore() || p.sheet.Has(css.Before) || p.sheet.Has(css.After) || p.sheet.Has(css.FirstLetter)) {
		p.late = true
		return nil
	}
	return p.again()
}

// again has the elements that are open dressed by the sheets that there are now.
func (p *page) again() error {
	for at := range p.open {
		e := &p.open[at]
		if err := p.budget.Charge(1 + len(p.worlds)); err != nil {
			return err
		}
		if !p.stray(e.name) {
			s := e.said
			if s == nil {
				s = new(said)
			}
			var err error
			if s.sheet, err = p.sheet.Of(p.budget, p.node(at)); err != nil {
				return err
			}
			if !s.nothing() {
				if err := p.budget.Charge(2 * len(p.worlds) * len(s.sheet)); err != nil {
					return err
				}
				e.said = s
				if err := p.wonder(at, s); err != nil {
					return err
				}
			}
		}
		p.dress(at)
	}
	return nil
}

// comment takes one: those for Outlook are a page within the page, for others
// nothing.
func (p *page) comment(raw string) error {
	text, ok := strings.CutPrefix(raw, "<!--")
	if strings.Contains(raw, "<![endif]") { // where what is for others ends
		p.not = false
	}
	if !ok {
		if condition, is := strings.CutPrefix(raw, "<!"); is && isNever(strings.TrimSuffix(condition, "]>")) {
			p.not = true
		}
		return nil
	}
	if !beginsWith(strings.TrimLeft(text, " \t\r\n"), "[if") {
		return nil
	}
	condition, text, _ := strings.Cut(text, "]>")
	if isNever(condition) {
		// What follows a comment that ends at once is for others.
		p.not = p.not || strings.HasPrefix(text, "<!--") || text == "-->"
		return nil
	}
	text, _, _ = strings.Cut(strings.TrimSuffix(text, "-->"), "<![endif]")
	return p.inside(text)
}

// isNever tells of a condition that holds in no Outlook that there is: since 2007 its
// versions are 12 and more.
func isNever(condition string) bool {
	words := strings.Fields(strings.ToLower(strings.TrimLeft(condition, " \t\r\n")))
	switch {
	case len(words) > 0 && words[0] != "[if":
		return false
	case len(words) == 2:
		return words[1] == "!mso" || words[1] == "false" || words[1] == "(!mso)" || words[1] == "!(mso)"
	case len(words) == 4 && words[2] == "mso":
		n, err := strconv.Atoi(words[3])
		return err == nil && (words[1] == "lt" && n <= 12 || words[1] == "lte" && n < 12)
	}
	return false
}

// inside reads a page within the page, that only some programs show.
func (p *page) inside(text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	if p.nested >= maxNested {
		p.found(SymbolLimit)
		return nil
	}
	if err := p.budget.Charge(len(text)); err != nil {
		return err
	}
	floor, before := p.floor, p.only
	p.nested, p.floor, p.only = p.nested+1, len(p.open), true
	if err := p.read(text); err != nil {
		return err
	}
	p.pop(p.floor)
	p.nested, p.floor, p.only = p.nested-1, floor, before
	return nil
}
