package text

// The elements that code asks for, by their number among all that are known. What
// nobody knows has the number 0, and is found by its name.
const (
	unknown = iota
	svgElement
	mathElement
	tableElement
	formElement
	foreignObject
	descElement
	titleElement
	miElement
	moElement
	mnElement
	msElement
	mtextElement
	annotationXML
	firstOther
)

// mostElements bounds the numbers.
const mostElements = 160

// kind is what is known of the elements of a name.
type kind struct {
	number int
	// void are elements that have no end.
	void bool
	// block are elements that end a word; those that nobody knows do not.
	block bool
	// formatting are elements whose end is theirs whatever is open in them, and leaves
	// that open (HTML §13.2.6.1, the adoption agency algorithm).
	formatting bool
	// barrier are elements out of which no end tag and no start tag reaches (HTML
	// §13.2.4.2, "has a particular element in scope").
	barrier bool
	// endsOf are elements whose end tag ends what is in them, though it reaches out
	// of barriers: a table's are its rows and cells.
	endsOf bool
	// rows are a table and the elements that have its cells, which hold no text.
	rows bool
	// cell are those and what may stand in them.
	cell bool
	// head are elements that stand before all text, and hold none.
	head bool
	// leaves are elements that do not stand in other languages (HTML §13.2.6.5).
	leaves bool
	// ended are the elements that a start tag ends, the innermost first, within the
	// nearest of within (HTML §13.2.6.4).
	ended, within []int
}

// nobodys is what is known of the elements of other names.
var nobodys = kind{}

// kinds are those of all elements that are known.
var kinds = func() map[string]*kind {
	all := make(map[string]*kind)
	of := func(name string) *kind {
		k := all[name]
		if k == nil {
			k = &kind{number: firstOther + len(all)}
			all[name] = k
		}
		return k
	}
	set := func(mark func(*kind), names ...string) {
		for _, name := range names {
			mark(of(name))
		}
	}
	for number, name := range [firstOther]string{
		svgElement: "svg", mathElement: "math", tableElement: "table", formElement: "form", foreignObject: "foreignobject", descElement: "desc", titleElement: "title",
		miElement: "mi", moElement: "mo", mnElement: "mn", msElement: "ms", mtextElement: "mtext", annotationXML: "annotation-xml",
	} {
		if name != "" {
			of(name).number = number
		}
	}
	set(func(k *kind) { k.void = true }, "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link", "meta", "param", "source", "track", "wbr")
	set(func(k *kind) { k.block = true }, "address", "article", "aside", "blockquote", "body", "br", "button", "caption", "center", "col", "colgroup", "dd", "details", "dialog", "dir",
		"div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "frame", "frameset", "h1", "h2", "h3", "h4", "h5", "h6", "head",
		"header", "hgroup", "hr", "html", "iframe", "input", "legend", "li", "listing", "main", "marquee", "menu", "nav", "noframes", "object", "ol",
		"optgroup", "option", "p", "plaintext", "pre", "search", "section", "select", "summary", "table", "tbody", "td", "textarea", "tfoot", "th",
		"thead", "title", "tr", "ul", "xmp")
	set(func(k *kind) { k.formatting = true }, "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")
	set(func(k *kind) { k.barrier = true }, "applet", "caption", "html", "marquee", "object", "table", "td", "template", "th")
	set(func(k *kind) { k.endsOf = true }, "table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption", "template", "object", "applet", "marquee", "body", "html")
	set(func(k *kind) { k.rows, k.cell = true, true }, "table", "tbody", "thead", "tfoot", "tr", "colgroup")
	set(func(k *kind) { k.cell = true }, "td", "th", "caption", "col")
	set(func(k *kind) { k.head = true }, "html", "head", "meta", "title", "link", "base", "style", "script")
	set(func(k *kind) { k.leaves = true }, "b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed", "font", "h1", "h2", "h3", "h4", "h5", "h6", "head",
		"hr", "i", "img", "li", "listing", "menu", "meta", "nobr", "ol", "p", "pre", "ruby", "s", "small", "span", "strong", "strike", "sub", "sup", "table", "tt", "u", "ul", "var")
	numbers := func(names []string) (list []int) {
		for _, name := range names {
			list = append(list, of(name).number)
		}
		return list
	}
	ends := func(ended, within []string, names ...string) {
		set(func(k *kind) { k.ended, k.within = numbers(ended), numbers(within) }, names...)
	}
	ends([]string{"li"}, []string{"ul", "ol", "menu", "dir"}, "li")
	ends([]string{"dd", "dt"}, []string{"dl"}, "dd", "dt")
	ends([]string{"option"}, []string{"select"}, "option")
	ends([]string{"option", "optgroup"}, []string{"select"}, "optgroup")
	ends([]string{"td", "th"}, []string{"table"}, "td", "th")
	ends([]string{"td", "th", "tr"}, []string{"table"}, "tr")
	ends([]string{"td", "th", "tr", "caption", "tbody", "thead", "tfoot"}, []string{"table"}, "tbody", "thead", "tfoot")
	for _, name := range []string{"a", "nobr", "button"} {
		ends([]string{name}, nil, name)
	}
	ends([]string{"p", "h1", "h2", "h3", "h4", "h5", "h6"}, nil, "h1", "h2", "h3", "h4", "h5", "h6")
	ends([]string{"head"}, nil, "body")
	ends([]string{"p"}, nil, "address", "article", "aside", "blockquote", "center", "details", "dialog", "dir", "div", "dl", "fieldset", "figcaption", "figure",
		"footer", "form", "header", "hgroup", "hr", "listing", "main", "menu", "nav", "ol", "p", "plaintext", "pre", "search", "section", "summary",
		"table", "ul", "xmp")
	return all
}()

// kindOf is what is known of the elements of a name.
func kindOf(name string) *kind {
	if k, ok := kinds[name]; ok {
		return k
	}
	return &nobodys
}
