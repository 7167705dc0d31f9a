package text

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/charset"
	"github.com/tollgate-mail/tollgate/internal/dataurl"
)

// Pages and style sheets that stand within a page.

// maxFrames is how many pages within pages are read of a message.
const maxFrames = 16

// frame notes a page that is shown within a page.
func (in *inspection) frame(page string) {
	if strings.TrimSpace(page) == "" {
		return
	}
	if in.framed >= maxFrames {
		in.found(SymbolLimit)
		return
	}
	in.framed++
	in.frames = append(in.frames, page)
}

// embed takes an address that a program shows what it leads to of, if it is that itself.
func (p *page) embed(name, address string) {
	switch name {
	case "iframe", "frame", "embed", "object", "img", "image":
	default:
		return
	}
	if len(address) > maxRead || !beginsWith(strings.TrimLeft(address, " \t\r\n\f"), "data:") {
		return
	}
	if p.spent = p.budget.Charge(len(address)); p.spent != nil {
		return
	}
	switch mediaType, content, _ := dataurl.Read(address); mediaType {
	case "text/html", "application/xhtml+xml", "image/svg+xml", "text/plain", "":
		if name == "img" && mediaType != "image/svg+xml" {
			return
		}
		for _, text := range charset.Readings(p.budget, content, "utf-8", "") {
			p.frame(text)
		}
	}
}

// linked reads a style sheet that stands in the address of a link.
func (p *page) linked(tag *attributes) error {
	for _, t := range tag.targets {
		if t.key != "href" {
			continue
		}
		if err := p.budget.Charge(1 + len(t.value)); err != nil {
			return err
		}
		if _, text, ok := dataurl.Read(t.value); ok {
			return p.style(text)
		}
	}
	return nil
}

// framed reads the pages that stand within those that were read.
func (in *inspection) readFrames() error {
	for len(in.frames) > 0 {
		page := in.frames[0]
		in.frames = in.frames[1:]
		if err := in.html(page); err != nil {
			return err
		}
	}
	return nil
}
