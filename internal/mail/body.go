package mail

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// body reads the octets of a source up to the next delimiter, without the line
// end before it, which belongs to it (RFC 2046 §5.1.1).
type body struct {
	s    *source
	rest []byte // of the line under way
	end  [2]byte
	ends int    // octets of end: a line end that waits for a line to follow
	lead []byte // a line end before rest, in hold
	hold [2]byte
	err  error

	// files makes the body end where a file begins; begin is its line then.
	files bool
	yEnc  bool // those in yEnc are some, too: the part is said to be in that
	begin string
	// named is told the name of each file in yEnc that begins. The text goes on: hardly
	// a mail program decodes them, and what stands there is read by people.
	named func(name string)
}

// Read fills p as far as it goes, for lines are short.
func (b *body) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(b.lead) == 0 && len(b.rest) == 0 {
			if b.err == nil {
				b.err = b.fill()
			}
			if b.err != nil {
				if n > 0 {
					return n, nil
				}
				return 0, b.err
			}
		}
		m := copy(p[n:], b.lead)
		b.lead = b.lead[m:]
		n += m
		m = copy(p[n:], b.rest)
		b.rest = b.rest[m:]
		n += m
	}
	return n, nil
}

func (b *body) fill() error {
	if b.begin != "" {
		return io.EOF
	}
	piece, begins, err := b.s.next()
	if err != nil {
		if errors.Is(err, io.EOF) && b.s.level == 0 && b.ends > 0 {
			b.waiting()
			return nil
		}
		return err
	}
	isY := b.files && begins && beginsY(piece)
	if isY && !b.yEnc {
		b.named(nameOfY(piece))
	}
	if isY && b.yEnc || b.files && begins && beginsFile(piece) {
		b.begin = string(bytes.TrimRight(piece, "\r\n"))
		b.waiting()
		return nil
	}
	b.waiting()
	text := trimLineEnd(piece)
	b.rest = text
	b.ends = copy(b.end[:], piece[len(text):])
	return nil
}

// waiting lets the line end through.
func (b *body) waiting() {
	b.lead = b.hold[:copy(b.hold[:], b.end[:b.ends])]
	b.ends = 0
}

// trimLineEnd takes off one line end.
func trimLineEnd(line []byte) []byte {
	n := len(line)
	if n > 0 && line[n-1] == '\n' {
		n--
	}
	if n > 0 && line[n-1] == '\r' {
		n--
	}
	return line[:n]
}

// notBlank is a text from its first line that is not blank; nil where there is none.
func notBlank(text io.Reader) io.Reader {
	r := bufio.NewReaderSize(text, 512)
	for {
		c, err := r.ReadByte()
		switch {
		case err != nil:
			return nil // who reads on gets it again
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			_ = r.UnreadByte() // it was just read
			return r
		}
	}
}

// text reads a text and the files within it.
func (w *walker) text(s *source, p *Part, encoding string) error {
	lines := s
	if encoding != "" && !filed(encoding) {
		// What is encoded may have lines of any length.
		lines = w.source(s.decoder(encoding), new(defects))
		defer w.release(lines)
	}
	var inYEnc []*Part
	named := func(name string) {
		if len(inYEnc) <= maxParts { // one more is told of where it is shown
			inYEnc = append(inYEnc, w.file(p, name))
		}
	}
	text := &body{s: lines, files: true, yEnc: encoding == encodingY, named: named}
	p.Body = text
	if err := w.show(p); err != nil {
		return err
	}
	for {
		if _, err := io.Copy(io.Discard, text); err != nil {
			return err
		}
		for _, f := range inYEnc {
			if err := w.show(f); err != nil {
				return err
			}
		}
		inYEnc = nil
		if text.begin == "" {
			break
		}
		name, file := fileFrom(lines, text.begin)
		f := w.file(p, name)
		if f.Body = file; filed(encoding) {
			// It is what the part is, and shown in its place.
			f.Type, f.Others, f.Disposition, f.Content = p.Type, p.Others, p.Disposition, p.Content
		}
		if err := w.show(f); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, file); err != nil {
			return err
		}
		// What follows it is read as what stood before it.
		text = &body{s: lines, files: true, yEnc: encoding == encodingY, named: named}
		if rest := notBlank(text); rest != nil {
			if err := w.show(&Part{Type: p.Type, Others: p.Others, Disposition: p.Disposition, Content: p.Content, Depth: p.Depth + 1, Body: rest}); err != nil {
				return err
			}
		}
	}
	if lines == s {
		return nil
	}
	return s.skip()
}

// file is a file within a text, without its content.
func (w *walker) file(text *Part, name string) *Part {
	f := &Part{Type: "application/octet-stream", Disposition: "attachment", Depth: text.Depth + 1, Body: strings.NewReader("")}
	w.addName(w.budget, f, name)
	return f
}
