package text

import (
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/mail"
)

// form is how a text is written.
type form int

const (
	noForm form = iota
	plainly
	marked   // with the tags of HTML, or with ones that are read as such
	enriched // with those of RFC 1896
	folded   // in the lines of iCalendar and vCard
	rich     // in RTF
)

// formsOf are those of a part, each once: mail programs differ in which of several
// types they believe.
func formsOf(p *mail.Part) []form {
	var all []form
	for _, t := range append([]string{p.Type}, p.Others...) {
		if f := formOf(t); f != noForm && !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	return all
}

// formOf is that of a media type. A text that a program does not know is shown as it
// stands (RFC 2046 §4.1.4), so any is looked at.
func formOf(mediaType string) form {
	switch mediaType {
	case "text/html", "application/xhtml+xml", "text/x-amp-html", "text/watch-html", "application/html", "application/vnd.wap.xhtml+xml", "text/vnd.wap.wml", "image/svg+xml":
		return marked
	case "text/enriched", "text/richtext":
		return enriched
	case "text/calendar", "text/x-vcalendar", "text/vcard", "text/x-vcard", "text/directory", "application/ics":
		return folded
	case "text/rtf", "application/rtf", "application/x-rtf", "text/x-rtf":
		return rich
	case "text/rfc822-headers": // of the message that a report is about (RFC 6522 §4)
		return noForm
	}
	if strings.HasPrefix(mediaType, "text/") {
		return plainly
	}
	return noForm
}

// unflowed is a text whose lines that end with a space go on in the next (RFC 3676 §4.2);
// any tells whether there are some. What marks a quotation is left out within a paragraph,
// and a space that begins a line (§4.4), and what is said to be deleted: the space at the
// end (§4.6).
func unflowed(text, deleted string) (joined string, any bool) {
	const signature = "-- " // §4.3
	var b strings.Builder
	b.Grow(len(text))
	open, depth := false, 0 // the line before goes on, in a quotation so deep
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		line = strings.TrimSuffix(line, "\r")
		words := strings.TrimLeft(line, ">")
		quoted := len(line) - len(words)
		words = strings.TrimPrefix(words, " ")
		switch {
		case open && quoted == depth && words != signature:
			any = true
		case b.Len() > 0:
			b.WriteByte('\n')
			fallthrough
		default:
			b.WriteString(line[:quoted])
			if quoted > 0 {
				b.WriteByte(' ')
			}
		}
		more, flows := strings.CutSuffix(words, " ")
		if open, depth = flows && words != signature, quoted; open {
			words = more + " "[len(deleted):]
		}
		b.WriteString(words)
	}
	return b.String(), any
}
