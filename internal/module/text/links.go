package text

import (
	"net/url"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// links are where a page leads.
type links struct {
	in       *inspection
	base     string   // what addresses that are relative are relative to; "": not known yet
	relative int      // addresses that were made whole by it
	early    []string // addresses that came before it
	open     string   // where the link that is open leads
	label    []byte
}

// start takes the addresses of an element.
func (l *links) start(name string, a *attributes) error {
	for _, t := range a.targets {
		if name == "base" && t.key == "href" && l.base == "" {
			l.base = t.value // the first counts (WHATWG HTML §4.2.3)
		}
		to := t.value
		if t.key == "content" {
			to = a.refreshes()
		}
		if to == "" || !leads(name, t.key) {
			continue
		}
		if err := l.in.budget.Charge(1 + min(len(to), maxURL)/perStep); err != nil {
			return err
		}
		if l.base == "" && schemeOf(to) == "" && len(l.early) < maxURLs {
			l.early = append(l.early, to)
		}
		to = l.whole(to)
		l.in.add(to)
		if name == "a" && t.key == "href" {
			if err := l.close(); err != nil {
				return err
			}
			l.open = to
		}
	}
	return nil
}

// leads tells whether an attribute leads who clicks somewhere, or the page by itself.
// What is a picture leads nobody away.
func leads(name, key string) bool {
	switch key {
	case "href", "xlink:href":
		// Of the elements that pages may have, these two name a file and a
		// place; in those of other languages (SVG, VML) any may be a link.
		return name != "link" && name != "base"
	case "action", "formaction":
		return true
	case "src":
		return name == "iframe" || name == "frame" || name == "embed"
	case "data":
		return name == "object"
	case "content":
		return name == "meta"
	}
	return false
}

// refreshes is where a page goes by itself (WHATWG HTML §4.2.5.3).
func (a *attributes) refreshes() string {
	if !a.refresh {
		return ""
	}
	_, to, _ := strings.Cut(a.content, ";")
	if to == "" {
		_, to, _ = strings.Cut(a.content, ",")
	}
	to = strings.TrimSpace(to)
	if beginsWith(to, "url") {
		if _, value, ok := strings.Cut(to, "="); ok {
			to = value
		}
	}
	return strings.Trim(strings.TrimSpace(to), `"'`)
}

// whole is an address with what it is relative to.
func (l *links) whole(to string) string {
	if l.base == "" || schemeOf(to) != "" || len(to) > maxURL || len(l.base) > maxURL {
		return to
	}
	if l.relative++; l.relative > maxURLs {
		l.in.found(SymbolLimit)
		return to
	}
	base, err := url.Parse(canonical(l.base))
	if err != nil {
		return to
	}
	relative, err := url.Parse(canonical(to))
	if err != nil {
		return to
	}
	return base.ResolveReference(relative).String()
}

// words are shown; they are a link's where one is open.
func (l *links) words(text string) {
	if l.open != "" && len(l.label) < maxURL {
		l.label = append(l.label, text...)
	}
}

// close ends the link that is open.
func (l *links) close() error {
	if l.open != "" {
		if err := l.in.budget.Charge(1 + len(l.label)/perStep); err != nil {
			return err
		}
		l.in.compare(l.open, string(l.label))
	}
	l.open = ""
	l.label = l.label[:0]
	return nil
}

// end takes what is left at the end of a page: a base counts wherever it stands.
func (l *links) end() error {
	if err := l.close(); err != nil || l.base == "" {
		return err
	}
	for _, to := range l.early {
		if err := l.in.budget.Charge(1 + min(len(to), maxURL)/perStep); err != nil {
			return err
		}
		l.in.add(l.whole(to))
	}
	return nil
}

// compare looks whether what is shown of a link names another domain.
func (in *inspection) compare(link, shown string) {
	if !mayName(shown) {
		return
	}
	host := hostOf(link)
	if host == "" {
		host = bareHost(link)
	}
	if host == "" {
		return
	}
	other := hostOf(strings.TrimSpace(shown))
	if other == "" {
		// The words of a link may have a point; only what is nothing else is
		// taken for a domain.
		// With a path or a port behind it, it is one without a doubt.
		s := seen(shown)
		if i := strings.IndexAny(s, "/:?#\\"); i > 0 && strings.IndexByte(s, ' ') < 0 {
			if s = s[:i]; !isPublic(s) && !isDomain(s) {
				s = ""
			}
		} else if !isDomain(s) {
			s = ""
		}
		other = address.FoldDomain(s)
	}
	if other == "" || related(host, other) {
		return
	}
	in.found(SymbolOtherDomain)
	in.gather(&in.domains, maxDomains+maxShown, host+" shown as "+other)
}

// mayName tells whether a text may have an address or a domain.
func mayName(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c == '.', c == ':', c == '/', c == '\\':
			return true
		case c == 0xe3, c == 0xef: // U+3002, U+FF0E and U+FF61 are points, too
			return true
		}
	}
	return false
}

// related tells whether of two hosts one is within the other.
func related(a, b string) bool {
	a, b = strings.TrimPrefix(a, "www."), strings.TrimPrefix(b, "www.")
	return a == b || strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a)
}
