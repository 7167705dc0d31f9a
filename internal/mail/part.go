package mail

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ErrComplex is wrapped by the error of ReadParts for a message whose MIME
// structure is beyond what is read: deeper than 100 levels, of more than 5000
// parts, and the like. What was visited until then is true, but not all.
var ErrComplex = errors.New("the MIME structure is too complex")

const (
	maxDepth   = 100  // levels; Postfix has the same (mime_nesting_limit)
	maxParts   = 5000 // of one message
	maxEncoded = 8    // encoded parts that have parts, within each other
)

// Part is one part of a message as RFC 2045 has it: the message itself, a
// multipart, an attached message, a leaf, or a file in the middle of a text
// (uuencode). It is valid during the visit.
type Part struct {
	// Type is the media type, lower case: that of Content-Type, or what goes
	// without saying (text/plain; message/rfc822 in a multipart/digest).
	Type string
	// Disposition is "attachment", "inline" or another word, lower case; ""
	// when there is none.
	Disposition string
	// Names are the file names, as CleanName leaves them, each once. There are
	// several where header fields and parameters contradict each other or can
	// be read in more than one way: what a mail program shows is one of them.
	Names []string
	// Bidi is set when one of the names turned the direction of writing.
	Bidi bool
	// Depth is how many parts this one is within; 0 is the message.
	Depth int
	// Body is the decoded content. It is empty for multiparts and for messages
	// whose parts follow. Of a text it ends where an uuencoded file begins.
	Body io.Reader
	// Content is the part's Content- fields, as raw as those of Header.
	Content Header
}

// ReadParts visits the parts of a message in their order, a multipart or
// message before what is in it, and stops at the first error: that of r, of
// visit, or one that wraps ErrComplex. Parts need not be read. Whatever is not
// well formed is read as mail programs do, and no message is refused for it.
//
// Memory is bounded, whatever the message, and time is linear in its length.
//
// It does not build on go-message or mime/multipart: they give up at a header
// line without a colon or a "From " line, and of two readings they know one.
// Of the 65 messages of the corpus whose parts have names, go-message 0.18.2
// misses some in ten.
func ReadParts(r io.Reader, visit func(*Part) error) error {
	w := &walker{visit: visit}
	return w.entity(newSource(r), context{implied: "text/plain"})
}

// ListParts returns the file names and media types of all parts, each once, in
// the order of their appearance. On error, what was found until then.
func ListParts(r io.Reader) (names, types []string, err error) {
	var all NameList
	var kinds NameList
	err = ReadParts(r, func(p *Part) error {
		for _, name := range p.Names {
			if err := all.Add(name); err != nil {
				return err
			}
		}
		return kinds.Add(p.Type)
	})
	return all.Names, kinds.Names, err
}

// walker goes through a message.
type walker struct {
	visit   func(*Part) error
	parts   int
	encoded int    // encoded messages around
	charset string // that of the text read last, for names in later parts
}

// context is what a part inherits.
type context struct {
	depth   int
	implied string // media type where none is given
	charset string // of the message's own header
}

// entity reads a part with its header, until the source meets a delimiter of
// what is around it, or its end.
func (w *walker) entity(s *source, c context) error {
	content, err := s.header()
	if err != nil {
		return err
	}
	charset := content.FallbackCharset()
	if c.depth == 0 || c.charset == "" {
		c.charset = charset
	}
	p := &Part{Depth: c.depth, Content: content, Body: strings.NewReader("")}
	p.Type, p.Disposition = content.mediaType(c.implied), content.disposition()
	for _, fallback := range []string{charset, c.charset, w.charset} {
		if fallback != "" {
			charset = fallback
			break
		}
	}
	p.Names, p.Bidi = content.fileNames(charset)

	boundaries := content.boundaries()
	switch {
	case len(p.Names) > maxNames, len(boundaries) > maxNames:
		return fmt.Errorf("a part of more than %d names or boundaries: %w", maxNames, ErrComplex)
	case len(boundaries) > 0:
		if err := w.show(p); err != nil {
			return err
		}
		if content.encoding() == encodingBase64 && s.encoded(encodingBase64) {
			return w.decoded(s, content, func(s *source) error { return w.multipart(s, c, p.Type, boundaries) })
		}
		return w.multipart(s, c, p.Type, boundaries)
	case isMessage(p.Type):
		if err := w.show(p); err != nil {
			return err
		}
		c.depth, c.implied = c.depth+1, "text/plain"
		return w.message(s, c, content)
	}
	if strings.HasPrefix(p.Type, "text/") || content.encoding() == encodingUU {
		w.charset = charset
		return w.text(s, p)
	}
	p.Body = content.decoder(s)
	if err := w.show(p); err != nil {
		return err
	}
	return s.skip()
}

// show visits a part.
func (w *walker) show(p *Part) error {
	if w.parts++; w.parts > maxParts {
		return fmt.Errorf("more than %d parts: %w", maxParts, ErrComplex)
	}
	if p.Depth > maxDepth {
		return fmt.Errorf("more than %d levels: %w", maxDepth, ErrComplex)
	}
	return w.visit(p)
}

// multipart reads what is between the delimiters of a multipart (RFC 2046
// §5.1). What follows the last delimiter is no part of the message, but a
// delimiter there begins one all the same: some programs show it.
func (w *walker) multipart(s *source, c context, mediaType string, boundaries []string) error {
	level, pop := s.push(boundaries)
	defer pop()
	c.depth++
	c.implied = "text/plain"
	if mediaType == "multipart/digest" { // RFC 2046 §5.1.5
		c.implied = "message/rfc822"
	}
	for {
		if err := s.skip(); err != nil {
			return err
		}
		begins, ok := s.take(level)
		if !ok {
			return nil
		}
		if !begins {
			continue
		}
		if err := w.entity(s, c); err != nil {
			return err
		}
	}
}

// message reads a message within a message.
func (w *walker) message(s *source, c context, content Header) error {
	if e := content.encoding(); e != encodingBase64 && e != encodingQuoted || !s.encoded(e) {
		return w.entity(s, c)
	}
	return w.decoded(s, content, func(s *source) error { return w.entity(s, c) })
}

// decoded reads what RFC 2045 §6.4 allows no encoding of, and what is encoded
// all the same.
func (w *walker) decoded(s *source, content Header, read func(*source) error) error {
	if w.encoded++; w.encoded > maxEncoded {
		return fmt.Errorf("more than %d encoded parts within each other: %w", maxEncoded, ErrComplex)
	}
	defer func() { w.encoded-- }()
	if err := read(newSource(content.decoder(s))); err != nil {
		return err
	}
	return s.skip()
}

// isMessage tells whether a part begins with a header of its own. Reports have
// fields as well, but none that say anything of parts.
func isMessage(mediaType string) bool {
	reports := []string{"message/delivery-status", "message/global-delivery-status", "message/disposition-notification",
		"message/global-disposition-notification", "message/feedback-report", "message/tracking-status"}
	return strings.HasPrefix(mediaType, "message/") && !slices.Contains(reports, mediaType)
}
