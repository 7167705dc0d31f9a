package mail

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/charset"
)

// ErrComplex is wrapped by the error of ReadParts for a message whose MIME
// structure is beyond what is read: deeper than 100 levels, of more than 5000
// parts, one that takes more work than the budget has, and the like. All that can
// be known within the bounds was visited, but there is more.
var ErrComplex = errors.New("the MIME structure is too complex")

const (
	maxDepth   = 100  // levels; Postfix has the same (mime_nesting_limit)
	maxParts   = 5000 // of one message; beyond, those without a header are passed over
	maxEncoded = 8    // encoded parts that have parts, within each other
)

// Part is one part of a message as RFC 2045 has it: the message itself, a
// multipart, an attached message, a leaf, or a file in the middle of a text
// (uuencode). It is valid during the visit.
type Part struct {
	// Type is the media type, lower case: that of Content-Type, or what goes
	// without saying (text/plain; message/rfc822 in a multipart/digest).
	Type string
	// Others are the types that further Content-Type fields name: mail programs
	// differ in which of them they believe.
	Others []string
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
	// whose parts follow. Of a text it ends where an uuencoded file begins; what
	// follows that is a part of the same type.
	Body io.Reader
	// Content is the part's Content- fields, as raw as those of Header.
	Content Header

	named map[string]bool // Names that were there
}

// ReadParts visits the parts of a message in their order, a multipart or
// message before what is in it, and stops at the first error of r or visit.
// Parts need not be read. Whatever is not well formed is read as mail programs
// do, and no message is refused for it. What is beyond the bounds is passed
// over; the error that wraps ErrComplex comes at the end.
//
// Memory is bounded, whatever the message, and time is linear in its length: the
// budget is charged for each octet that is read, those of parts that are encoded
// again when they are decoded, each line, and each reading of a field. What it does
// not cover is beyond the bounds; that its context ends is an error of its own.
//
// It does not build on go-message or mime/multipart: they give up at a header
// line without a colon or a "From " line, and of two readings they know one.
// Of the 65 messages of the corpus whose parts have names, go-message 0.18.2
// misses some in ten.
func ReadParts(b *budget.Budget, r io.Reader, visit func(*Part) error) error {
	w := &walker{budget: b, visit: visit}
	return w.read(r, "")
}

// walker goes through a message.
type walker struct {
	budget  *budget.Budget
	visit   func(*Part) error
	parts   int
	encoded int    // encoded messages around
	charset string // that of the text read last, for names in later parts
	// fallback is for what nothing labels.
	fallback string
	defects  defects
	fields   fieldBudget
	buffers  buffers
}

func (w *walker) read(r io.Reader, fallbackCharset string) error {
	w.fallback = fallbackCharset
	w.fields = newFieldBudget()
	w.buffers = newBuffers(r)
	err := w.entity(w.source(r, &w.defects), inherited{implied: "text/plain"})
	if errors.Is(err, budget.ErrSpent) {
		w.defects.unread(tooMuchWork)
	} else if err != nil {
		return err
	}
	if w.defects.has(partUnread) {
		return fmt.Errorf("%s: %w", strings.Join(w.defects.names(), ", "), ErrComplex)
	}
	return nil
}

// inherited is what a part inherits.
type inherited struct {
	depth   int
	implied string // media type where none is given
	charset string // of the message's own header
}

// entity reads a part with its header, until the source meets a delimiter of
// what is around it, or its end.
func (w *walker) entity(s *source, c inherited) error {
	header, err := s.header()
	if err != nil {
		return err
	}
	content := header.content
	if len(content) == 0 && w.parts >= maxParts && !strings.HasPrefix(c.implied, "message/") {
		w.defects.unread(tooManyParts)
		return s.skip() // a text without a name
	}
	w.check(header, c)
	if err := w.budget.Charge(header.octets); err != nil {
		return err
	}
	label := content.FallbackCharset()
	if c.depth == 0 || c.charset == "" {
		c.charset = label
	}
	p := &Part{Depth: c.depth, Content: content, Body: strings.NewReader("")}
	for _, fallback := range []string{label, c.charset, w.charset, w.fallback} {
		if charset.Useful(fallback) {
			label = fallback
			break
		}
	}
	fields := w.fields.open(w.budget, header.octets)
	said := content.declared(fields, label)
	p.Type, p.Others = mediaTypes(said, c.implied)
	p.Disposition = disposition(said)
	boundaries, multipart := w.boundaries(fields, said)
	w.fileNames(fields, p, said, label)
	if w.fields.close(fields) {
		w.defects.unread(tooManyNames)
	}
	if len(p.Names) > 1 {
		w.defects.add(namesDiffer)
	}
	if err := w.budget.Charge(len(boundaries)); err != nil {
		return err // what was read of the fields may be cut
	}
	if (multipart || isMessage(p.Type)) && c.depth >= maxDepth {
		w.defects.unread(tooDeep)
		if err := w.show(p); err != nil {
			return err
		}
		return s.skip()
	}
	switch {
	case multipart:
		if err := w.show(p); err != nil {
			return err
		}
		return w.composite(s, content, func(s *source) error { return w.multipart(s, c, p.Type, boundaries) })
	case isMessage(p.Type):
		if p.Type == "message/partial" {
			w.defects.add(divided)
		}
		if err := w.show(p); err != nil {
			return err
		}
		c.depth, c.implied = c.depth+1, "text/plain"
		return w.composite(s, content, func(s *source) error { return w.entity(s, c) })
	}
	isText := strings.HasPrefix(p.Type, "text/")
	encoding := s.encoding(content, isText)
	if isText || filed(encoding) {
		w.charset = label
		return w.text(s, p, encoding)
	}
	p.Body = s.decoder(encoding)
	if err := w.show(p); err != nil {
		return err
	}
	return s.skip()
}

// check notes what a header is not.
func (w *walker) check(h partHeader, c inherited) {
	if c.depth == 0 {
		if h.from == 0 || h.date == 0 {
			w.defects.add(fieldLacks)
		}
		if len(h.content) > 0 && !h.version {
			w.defects.add(versionLacks)
		}
	}
	if h.repeated > 0 {
		w.defects.add(fieldTwice)
	}
	for _, f := range h.content {
		if f.Named("Content-Type") || f.Named("Content-Disposition") {
			_ = w.budget.Charge(len(f.Value)) // what follows looks at the budget
			w.defects.checkParameters(f)
		}
	}
}

// show visits a part.
func (w *walker) show(p *Part) error {
	if w.parts++; w.parts > maxParts {
		w.defects.unread(tooManyParts)
	}
	return w.visit(p)
}

// multipart reads what is between the delimiters of a multipart (RFC 2046
// §5.1). What follows the last delimiter is no part of the message, but a
// delimiter there begins one all the same: some programs show it.
func (w *walker) multipart(s *source, c inherited, mediaType string, boundaries []string) error {
	level, pop := s.push(boundaries)
	defer func() { pop() }()
	c.depth++
	c.implied = "text/plain"
	if mediaType == "multipart/digest" { // RFC 2046 §5.1.5
		c.implied = "message/rfc822"
	}
	guessed, err := s.preamble()
	if err != nil {
		return err
	}
	if guessed != "" {
		w.defects.add(boundariesDiffer)
		pop()
		level, pop = s.push(append(boundaries, guessed))
	}
	ended := false
	for {
		if err := s.skip(); err != nil {
			return err
		}
		begins, ok := s.take(level)
		if !ok {
			if !ended {
				w.defects.add(delimiterLacks)
			}
			return nil
		}
		if ended = !begins; ended {
			continue
		}
		if err := w.entity(s, c); err != nil {
			return err
		}
	}
}

// isMessage tells whether a part begins with a header of its own. Reports have
// fields as well, but none that say anything of parts.
func isMessage(mediaType string) bool {
	reports := []string{"message/delivery-status", "message/global-delivery-status", "message/disposition-notification",
		"message/global-disposition-notification", "message/feedback-report", "message/tracking-status"}
	return strings.HasPrefix(mediaType, "message/") && !slices.Contains(reports, mediaType)
}
