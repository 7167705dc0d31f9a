package text

import (
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxOpen is how many elements are kept track of within each other.
const maxOpen = 512

// element is one that is open.
type element struct {
	tag     atom.Atom
	hidden  bool
	outside bool // what is in it is no text
}

// page reads an HTML text.
type page struct {
	*inspection
	open     []element
	shown    strings.Builder
	hidden   strings.Builder
	link     string // where the link that is open leads
	label    strings.Builder
	base     string // what addresses that are relative are relative to
	relative int    // addresses that were made whole by it
	reader   int    // aloud or aside
}

// Who reads a page.
const (
	aloud = iota // all of them
	aside        // what stands in a note to some of them
)

// html reads an HTML text by its tokens, as mail programs do: a tree would cost
// more and show no more of it.
func (in *inspection) html(text string, reader int) error {
	p := &page{inspection: in, reader: reader}
	z := html.NewTokenizer(strings.NewReader(text))
	z.SetMaxBuf(maxRead + 1)
	for {
		kind := z.Next()
		if err := in.budget.Charge(1); err != nil {
			return err
		}
		switch kind {
		case html.ErrorToken:
			if err := z.Err(); err != io.EOF { //nolint:errorlint // as the package has it
				in.found(SymbolLimit)
			}
			return p.end()
		case html.TextToken:
			p.words(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if t.DataAtom == atom.Noscript { // what is in it is shown where no scripts are run, as in mail
				z.NextIsNotRawText()
			}
			if err := p.start(t); err != nil {
				return err
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if err := p.finish(atom.Lookup(name)); err != nil {
				return err
			}
		case html.CommentToken:
			if err := p.note(string(z.Raw())); err != nil {
				return err
			}
		}
	}
}

// noText are elements whose content is no text for anybody.
func noText(tag atom.Atom) bool {
	return slices.Contains([]atom.Atom{atom.Script, atom.Style, atom.Head, atom.Title, atom.Template, atom.Noframes}, tag)
}

// void are elements that have no end.
func void(tag atom.Atom) bool {
	return slices.Contains([]atom.Atom{
		atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link, atom.Meta, atom.Source, atom.Track, atom.Wbr,
	}, tag)
}

// inline are elements that do not end a word.
func inline(tag atom.Atom) bool {
	return slices.Contains([]atom.Atom{
		atom.A, atom.Abbr, atom.B, atom.Big, atom.Code, atom.Em, atom.Font, atom.I, atom.Ins, atom.S, atom.Small, atom.Span, atom.Strong,
		atom.Sub, atom.Sup, atom.Tt, atom.U, atom.Wbr,
	}, tag)
}

func (p *page) isHidden() bool { return len(p.open) > 0 && p.open[len(p.open)-1].hidden }

func (p *page) outside() bool { return len(p.open) > 0 && p.open[len(p.open)-1].outside }

func (p *page) words(text string) {
	switch {
	case p.outside():
	case p.isHidden():
		p.hidden.WriteString(text)
	default:
		p.shown.WriteString(text)
		if p.link != "" && p.label.Len() < maxURL {
			p.label.WriteString(text)
		}
	}
}

// between ends a word where an element does.
func (p *page) between(tag atom.Atom) {
	if !inline(tag) {
		p.words(" ")
	}
}

func (p *page) start(t html.Token) error {
	p.between(t.DataAtom)
	if err := p.budget.Charge(len(t.Attr)); err != nil {
		return err
	}
	hidden := p.isHidden()
	for _, a := range t.Attr {
		switch key := strings.ToLower(a.Key); key {
		case "href", "xlink:href", "action", "formaction", "src", "data", "content":
			to := leads(t, key, a.Val)
			if t.DataAtom == atom.Base && key == "href" && p.base == "" {
				p.base = a.Val // the first counts (WHATWG HTML §4.2.3)
			}
			if to == "" {
				break
			}
			to = p.whole(to)
			p.add(to)
			if key == "href" && t.DataAtom == atom.A {
				if err := p.unlink(); err != nil {
					return err
				}
				p.link = to
			}
		case "style":
			hidden = hidden || hides(a.Val)
		case "hidden":
			hidden = true
		case "alt":
			if t.DataAtom == atom.Img && !hidden {
				p.words(" " + a.Val + " ")
			}
		}
	}
	if t.Type == html.SelfClosingTagToken || void(t.DataAtom) {
		return nil
	}
	if len(p.open) >= maxOpen {
		p.found(SymbolLimit)
		return nil
	}
	p.open = append(p.open, element{t.DataAtom, hidden, p.outside() || noText(t.DataAtom)})
	return nil
}

// finish closes an element, and what is open in it.
func (p *page) finish(tag atom.Atom) error {
	p.between(tag)
	if tag == atom.A {
		if err := p.unlink(); err != nil {
			return err
		}
	}
	if err := p.budget.Charge(1); err != nil {
		return err
	}
	const near = 32 // how far a forgotten end is looked for
	for i := len(p.open) - 1; i >= max(0, len(p.open)-near); i-- {
		if p.open[i].tag == tag {
			p.open = p.open[:i]
			break
		}
	}
	return nil
}

// unlink ends a link.
func (p *page) unlink() error {
	if p.link != "" {
		p.compare(p.link, p.label.String())
	}
	p.link = ""
	p.label.Reset()
	return nil
}

func (p *page) end() error {
	if err := p.unlink(); err != nil {
		return err
	}
	if err := p.textURLs(p.shown.String()); err != nil {
		return err
	}
	if err := p.show(p.shown.String()); err != nil {
		return err
	}
	return p.hide(p.hidden.String())
}

// hides tells whether a style makes an element one that nobody sees.
func hides(style string) bool {
	values := map[string]string{}
	for declaration := range strings.SplitSeq(strings.ToLower(style[:min(len(style), maxURL)]), ";") {
		name, value, _ := strings.Cut(declaration, ":")
		value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
		values[strings.TrimSpace(name)] = strings.Join(strings.Fields(value), "")
	}
	nothing := func(name string) bool {
		v := strings.TrimRight(values[name], "pxtemr%cin")
		return v == "0" || v == "0.0" || v == ".0" || values[name] == "1px" && name == "font-size"
	}
	color, background := values["color"], values["background-color"]
	if background == "" {
		background = values["background"]
	}
	return values["display"] == "none" || values["visibility"] == "hidden" || nothing("font-size") || nothing("opacity") ||
		nothing("max-height") || nothing("height") && values["overflow"] == "hidden" || color == "transparent" ||
		color != "" && color == background || values["mso-hide"] == "all"
}
