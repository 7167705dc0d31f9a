package text

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// leads is where an attribute leads who clicks, or the page by itself; "" where it
// leads nowhere. What is a picture leads nobody away.
func leads(t html.Token, key, value string) string {
	switch key {
	case "href", "xlink:href":
		// Of the elements that pages may have, these two name a file and a
		// place; in those of other languages (SVG, VML) any may be a link.
		if t.DataAtom != atom.Link && t.DataAtom != atom.Base {
			return value
		}
	case "action", "formaction":
		return value
	case "src":
		if t.DataAtom == atom.Iframe || t.DataAtom == atom.Frame || t.DataAtom == atom.Embed {
			return value
		}
	case "data":
		if t.DataAtom == atom.Object {
			return value
		}
	case "content":
		if t.DataAtom == atom.Meta {
			return refreshes(t, value)
		}
	}
	return ""
}

// refreshes is where a page goes by itself (WHATWG HTML §4.2.5.3).
func refreshes(t html.Token, content string) string {
	for _, a := range t.Attr {
		if strings.EqualFold(a.Key, "http-equiv") && strings.EqualFold(strings.TrimSpace(a.Val), "refresh") {
			_, to, _ := strings.Cut(content, ";")
			if to == "" {
				_, to, _ = strings.Cut(content, ",")
			}
			to = strings.TrimSpace(to)
			if beginsWith(to, "url") {
				if _, value, ok := strings.Cut(to, "="); ok {
					to = value
				}
			}
			return strings.Trim(strings.TrimSpace(to), `"'`)
		}
	}
	return ""
}

// whole is an address with what it is relative to.
func (p *page) whole(to string) string {
	if p.base == "" || schemeOf(to) != "" || len(to) > maxURL || len(p.base) > maxURL {
		return to
	}
	if p.relative++; p.relative > maxURLs {
		p.found(SymbolLimit)
		return to
	}
	base, err := url.Parse(canonical(p.base))
	if err != nil {
		return to
	}
	relative, err := url.Parse(canonical(to))
	if err != nil {
		return to
	}
	return base.ResolveReference(relative).String()
}

// note reads a comment that some programs show (conditional comments of Word, which
// shows mail in Outlook): by itself, as those show it.
func (p *page) note(comment string) error {
	comment, ok := strings.CutPrefix(comment, "<!--")
	if !ok || p.reader == aside || !beginsWith(strings.TrimLeft(comment, " \t\r\n"), "[if") {
		return nil
	}
	_, inner, ok := strings.Cut(comment, "]>")
	if !ok {
		return nil
	}
	if err := p.budget.Charge(1 + len(comment)); err != nil {
		return err
	}
	if i := strings.LastIndex(inner, "<!["); i >= 0 {
		inner = inner[:i]
	}
	return p.html(strings.TrimSuffix(inner, "-->"), aside)
}
