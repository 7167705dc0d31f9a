package text

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/charset"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/rtf"
)

// part reads one part, if it is a text. A file is none: nobody sees it before it
// is opened.
func (in *inspection) part(p *mail.Part) error {
	if encrypted(p) {
		in.found(SymbolEncrypted)
	}
	forms := formsOf(p)
	if signed(p) {
		if len(forms) == 0 {
			return in.open(p, p.Body)
		}
		// Some programs show it as it stands.
		return in.bothWays(p, forms)
	}
	if len(forms) == 0 || p.Disposition == "attachment" {
		return nil
	}
	octets, err := in.octets(p.Body)
	if err != nil {
		return err
	}
	return in.read(p, forms, octets)
}

// read reads the octets of a text.
func (in *inspection) read(p *mail.Part, forms []form, octets string) (err error) {
	if rtf.Is(octets) && slices.Contains(forms, rich) {
		if err := in.rich(octets); err != nil || len(forms) == 1 {
			return err
		}
	}
	meta := ""
	if slices.Contains(forms, marked) {
		meta = metaCharset(octets)
	}
	for _, text := range charset.Readings(in.budget, octets, p.Content.FallbackCharset(), meta) {
		for _, f := range forms {
			switch f {
			case marked:
				err = in.html(text)
			case enriched:
				err = in.enriched(text)
			case folded:
				err = in.card(text)
			default:
				err = in.flowing(p, text)
			}
			if err == nil {
				err = in.readFrames()
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// rich takes a text in RTF: its words, and where its fields lead.
func (in *inspection) rich(source string) error {
	if err := in.budget.Charge(1); err != nil {
		return err
	}
	text, cut := rtf.Read(in.budget, source)
	if cut != nil {
		if errors.Is(cut, budget.ErrSpent) { // rules see what was read
			in.text.add(seen(text.Shown), maxText)
		}
		return cut
	}
	if text.Cut {
		in.found(SymbolLimit)
	}
	for _, l := range text.Links {
		if err := in.budget.Charge(1 + min(len(l), maxURL)/perStep); err != nil {
			return err
		}
		if _, to, quoted := strings.Cut(l, `"`); quoted { // HYPERLINK "https://…"
			to, _, _ = strings.Cut(to, `"`)
			in.add(strings.TrimSpace(to))
		}
	}
	for _, shown := range append([]string{text.Shown}, text.Others...) {
		if err := in.plain(shown); err != nil {
			return err
		}
	}
	return in.hide(text.Hidden)
}

// metaCharset is the charset that a page names itself (WHATWG HTML §4.2.5.4), "" where it
// names none at its beginning.
func metaCharset(page string) string {
	const looked, word, longest = 2 << 10, "charset", 40
	head := strings.ToLower(page[:min(len(page), looked)])
	for {
		_, rest, ok := strings.Cut(head, word)
		if !ok {
			return ""
		}
		head = rest
		name, ok := strings.CutPrefix(strings.TrimLeft(rest, " \t\r\n"), "=")
		if !ok {
			continue // a word in a comment
		}
		name = strings.TrimLeft(name, " \t\r\n\"'")
		if i := strings.IndexAny(name, " \t\r\n\"';>/"); i > 0 && i <= longest {
			return name[:i]
		}
	}
}

// flowing takes a plain text, and where its lines are said to go on (RFC 3676 §4.2) also
// as programs show it that know of that: without the space at their ends, or without what
// marks quotations within them.
func (in *inspection) flowing(p *mail.Part, text string) error {
	if err := in.plain(text); err != nil {
		return err
	}
	said, _ := p.Content.Get("Content-Type")
	said = strings.ToLower(said)
	deleted := ""
	if strings.Contains(said, "delsp") && strings.Contains(said, "yes") {
		deleted = " "
	}
	if !strings.Contains(said, "flowed") || deleted == "" && !strings.Contains(text, "\n>") {
		return nil
	}
	if err := in.budget.Charge(len(text)); err != nil {
		return err
	}
	if joined, any := unflowed(text, deleted); any {
		return in.plain(joined)
	}
	return nil
}

// octets are those of a part, as far as it is looked at.
func (in *inspection) octets(body io.Reader) (string, error) {
	r := in.budget.Reader(body)
	b := in.desk.octets[:0]
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, max(len(b), smallPart))
		}
		n, err := r.Read(b[len(b):min(cap(b), maxRead+1)])
		b = b[:len(b)+n]
		switch {
		case len(b) > maxRead:
			in.found(SymbolLimit)
			b = b[:maxRead]
		case err == nil:
			continue
		case !errors.Is(err, io.EOF):
			return "", err
		}
		in.desk.octets = b
		return string(b), nil
	}
}

// smallPart is how many octets most texts have at most.
const smallPart = 8 << 10
