package text

// void are elements that have no end.
func void(name string) bool {
	switch name {
	case "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link", "meta", "param", "source", "track", "wbr":
		return true
	}
	return false
}

// block are elements that end a word; those that nobody knows do not.
func block(name string) bool {
	switch name {
	case "address", "article", "aside", "blockquote", "body", "br", "button", "caption", "center", "col", "colgroup", "dd", "details", "dialog", "dir",
		"div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "frame", "frameset", "h1", "h2", "h3", "h4", "h5", "h6", "head",
		"header", "hgroup", "hr", "html", "iframe", "input", "legend", "li", "listing", "main", "marquee", "menu", "nav", "noframes", "object", "ol",
		"optgroup", "option", "p", "plaintext", "pre", "search", "section", "select", "summary", "table", "tbody", "td", "textarea", "tfoot", "th",
		"thead", "title", "tr", "ul", "xmp":
		return true
	}
	return false
}

// formatting are elements whose end is theirs whatever is open in them, and leaves
// that open (HTML §13.2.6.1, the adoption agency algorithm).
func formatting(name string) bool {
	switch name {
	case "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u":
		return true
	}
	return false
}

// barrier are elements out of which no end tag and no start tag reaches (HTML
// §13.2.4.2, "has a particular element in scope").
func barrier(name string) bool {
	switch name {
	case "applet", "caption", "html", "marquee", "object", "table", "td", "template", "th":
		return true
	}
	return false
}

// endedBy are the elements that a start tag ends, the innermost first, within the
// nearest of within (HTML §13.2.6.4).
func endedBy(name string) (ended, within []string) {
	switch name {
	case "li":
		return []string{"li"}, []string{"ul", "ol", "menu", "dir"}
	case "dd", "dt":
		return []string{"dd", "dt"}, []string{"dl"}
	case "option":
		return []string{"option"}, []string{"select"}
	case "optgroup":
		return []string{"option", "optgroup"}, []string{"select"}
	case "td", "th":
		return []string{"td", "th"}, []string{"table"}
	case "tr":
		return []string{"td", "th", "tr"}, []string{"table"}
	case "tbody", "thead", "tfoot":
		return []string{"td", "th", "tr", "caption", "tbody", "thead", "tfoot"}, []string{"table"}
	case "a", "nobr", "button":
		return []string{name}, nil
	case "h1", "h2", "h3", "h4", "h5", "h6":
		return []string{"p", "h1", "h2", "h3", "h4", "h5", "h6"}, nil
	case "body":
		return []string{"head"}, nil
	case "address", "article", "aside", "blockquote", "center", "details", "dialog", "dir", "div", "dl", "fieldset", "figcaption", "figure",
		"footer", "form", "header", "hgroup", "hr", "listing", "main", "menu", "nav", "ol", "p", "plaintext", "pre", "search", "section", "summary",
		"table", "ul", "xmp":
		return []string{"p"}, nil
	}
	return nil, nil
}

// endsOf are the elements that the end tag of one ends with it, though they reach
// out of barriers: a table's are its rows and cells.
func endsOf(name string) bool {
	switch name {
	case "table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption", "template", "object", "applet", "marquee", "body", "html":
		return true
	}
	return false
}

// known is a name; those that are known cost no memory.
func known(tag []byte) string {
	switch string(tag) {
	case "a":
		return "a"
	case "p":
		return "p"
	case "b":
		return "b"
	case "br":
		return "br"
	case "td":
		return "td"
	case "tr":
		return "tr"
	case "div":
		return "div"
	case "span":
		return "span"
	case "table":
		return "table"
	case "tbody":
		return "tbody"
	case "img":
		return "img"
	case "font":
		return "font"
	case "strong":
		return "strong"
	}
	return string(tag)
}
