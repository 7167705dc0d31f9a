package mail

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
)

const (
	// maxPiece is how much of a line is read at once. A delimiter is shorter.
	maxPiece = 32 << 10
	// maxAhead is how far is looked for the end of a header that is broken.
	maxAhead = 32 << 10
)

// source reads the lines of a message and knows where delimiters stand. Only
// the lines up to the next delimiter are read by next; take goes past it.
type source struct {
	r      *bufio.Reader
	end    byte // the last octet of a line end
	within bool // the next piece does not begin a line

	// again is read before anything else: whole lines, of which the last one goes on
	// in r when within is set.
	again []byte

	open  map[string]int // levels by boundary; the outermost multipart is 1
	depth int            // multiparts around
	level int            // of the multipart whose delimiter was met, 0 for none
	last  bool           // the delimiter ends the multipart
	met   []byte         // the delimiter's line, valid until the next is read

	line    int      // octets of the line under way, less those of the next piece
	defects *defects // of the message
	budget  *budget.Budget
}

// source reads r, and charges what it reads. It is ended by release.
func (w *walker) source(r io.Reader, d *defects) *source {
	return &source{r: w.buffers.take(w.budget.Reader(r)), open: make(map[string]int), defects: d, budget: w.budget}
}

// release gives the buffer of a source back, which nobody reads any more.
func (w *walker) release(s *source) { w.buffers.free = append(w.buffers.free, s.r) }

// buffers are those of one walk: parts that are encoded follow each other, and
// take the same one. None is larger than the message, for what is decoded never is.
type buffers struct {
	size int
	free []*bufio.Reader
}

// newBuffers are for what is read of r. Of many readers it is known how long they
// are; most messages are shorter than the longest piece.
func newBuffers(r io.Reader) buffers {
	size := maxPiece
	if known, ok := r.(interface{ Len() int }); ok {
		size = min(max(known.Len(), 0)+1, maxPiece)
	}
	return buffers{size: size}
}

func (b *buffers) take(r io.Reader) *bufio.Reader {
	if n := len(b.free) - 1; n >= 0 {
		buffer := b.free[n]
		b.free = b.free[:n]
		buffer.Reset(r)
		return buffer
	}
	return bufio.NewReaderSize(r, b.size)
}

// lineEnd is LF, unless there is none in what the source begins with: old
// programs of one system left CR alone. It is not taken for a line end among
// others, or a CR within a line could hide the rest of a header.
func (s *source) lineEnd() byte {
	if s.end == 0 {
		s.end = '\n'
		ahead, err := s.r.Peek(1)
		for n := 512; err == nil && bytes.IndexByte(ahead, '\n') < 0 && n <= maxPiece; n *= 2 {
			ahead, err = s.r.Peek(n)
		}
		if bytes.IndexByte(ahead, '\n') < 0 && bytes.IndexByte(ahead, '\r') >= 0 {
			s.end = '\r'
		}
	}
	return s.end
}

// push opens a multipart and returns its level, and what closes it.
func (s *source) push(boundaries []string) (level int, pop func()) {
	s.depth++
	before := make(map[string]int, len(boundaries))
	for _, b := range boundaries {
		before[b] = s.open[b]
		s.open[b] = s.depth
	}
	return s.depth, func() {
		s.depth--
		for b, level := range before {
			if s.open[b] = level; level == 0 {
				delete(s.open, b)
			}
		}
	}
}

// take goes past the delimiter that was met, if it is of this level; begins
// tells whether a part follows it.
func (s *source) take(level int) (begins, ok bool) {
	if s.level != level {
		return false, false
	}
	s.level = 0
	return !s.last, true
}

// next is the next line with its end, valid until the following call, or a
// piece of a long one; io.EOF stands for a delimiter, too.
func (s *source) next() (piece []byte, begins bool, err error) {
	if s.level > 0 {
		return nil, false, io.EOF
	}
	if err := s.budget.Charge(1); err != nil {
		return nil, false, err
	}
	if len(s.again) > 0 {
		n := bytes.IndexByte(s.again, s.lineEnd()) + 1
		if n == 0 {
			n = len(s.again)
		}
		piece, s.again = s.again[:n], s.again[n:]
		if (len(s.again) > 0 || !s.within) && s.delimiter(piece) {
			return nil, false, io.EOF
		}
		return piece, true, nil
	}
	piece, err = s.r.ReadSlice(s.lineEnd())
	begins = !s.within
	s.within = errors.Is(err, bufio.ErrBufferFull)
	if err != nil && !s.within && (len(piece) == 0 || !errors.Is(err, io.EOF)) {
		return nil, false, err
	}
	s.examine(piece, begins)
	if begins && !s.within && s.delimiter(piece) {
		return nil, false, io.EOF
	}
	return piece, begins, nil
}

// examine notes what no line may have.
func (s *source) examine(piece []byte, begins bool) {
	if begins {
		s.line = 0
	}
	if s.line += len(trimLineEnd(piece)); s.line > fieldtext.MostLine {
		s.defects.add(longLine)
	}
	if bytes.IndexByte(piece, 0) >= 0 {
		s.defects.add(nul)
	}
	if s.end == '\n' {
		if i := bytes.IndexByte(piece, '\r'); i >= 0 && i+1 < len(piece) && piece[i+1] != '\n' {
			s.defects.add(bareCR)
		}
	}
}

// delimiter tells whether a line delimits parts of a multipart around (RFC
// 2046 §5.1.1). The outer ones end what is within them, for an end may lack.
// It takes one look however many multiparts there are.
func (s *source) delimiter(line []byte) bool {
	if len(line) < 2 || line[0] != '-' || line[1] != '-' || s.depth == 0 {
		return false
	}
	text := bytes.TrimRight(line[2:], " \t\r\n")
	s.level, s.last = s.open[string(text)], false
	if ended, ok := bytes.CutSuffix(text, []byte("--")); ok {
		if level := s.open[string(ended)]; level > s.level {
			s.level, s.last = level, true
		}
	}
	s.met = line
	return s.level > 0
}

// skip reads up to the next delimiter.
func (s *source) skip() error {
	for {
		switch _, _, err := s.next(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// preamble reads up to the first delimiter of any multipart around, or up to
// what is one though nothing says so: a line of two hyphens and more, before a
// Content- field. That is returned, and read again.
func (s *source) preamble() (guessed string, err error) {
	const most = 200
	var held []byte
	for {
		piece, begins, err := s.next()
		if errors.Is(err, io.EOF) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		if !begins || s.within {
			held = nil
			continue
		}
		if held != nil {
			if name, _, ok := cutField(bytes.TrimRight(piece, "\r\n")); ok && describesPart(name) {
				guessed = string(bytes.TrimRight(held[2:], " \t\r\n"))
				s.again = append(append(held, piece...), s.again...)
				return guessed, nil
			}
			held = nil
		}
		if text := bytes.TrimRight(piece, " \t\r\n"); len(text) > 2 && len(text) < most && bytes.HasPrefix(text, []byte("--")) {
			held = bytes.Clone(piece)
		}
	}
}

// looks tells whether what follows can be in that encoding: of what is encoded
// though it should not be, or not said to be.
func (s *source) looks(encoding string) bool {
	if s.level > 0 {
		return false
	}
	ahead := s.again
	if len(ahead) == 0 {
		ahead, _ = s.r.Peek(512) // an error comes again when it is read
	}
	ahead = bytes.TrimLeft(ahead, " \t\r\n")
	switch encoding {
	case encodingUU:
		line, _, _ := bytes.Cut(ahead, []byte{s.lineEnd()})
		return beginsFile(bytes.TrimRight(line, "\r\t "))
	case encodingY:
		return bytes.HasPrefix(ahead, []byte(yBegin))
	case encodingQuoted:
		// What is encoded has =3D.
		return !bytes.Contains(ahead, []byte(`="`)) && !bytes.Contains(ahead, []byte("boundary=")) || bytes.Contains(ahead, []byte("=3D"))
	}
	line, _, _ := bytes.Cut(ahead, []byte{s.lineEnd()})
	line = bytes.TrimRight(line, "\r\t ")
	for _, c := range line {
		if digits[c] > 64 {
			return false
		}
	}
	return len(line) > 0
}

// looksEncoded tells whether what follows is in base64 without a doubt: a line
// of the usual length, and nothing else in what can be seen of it.
func (s *source) looksEncoded() bool {
	if !s.looks(encodingBase64) {
		return false
	}
	ahead := s.again
	if len(ahead) == 0 {
		ahead, _ = s.r.Peek(512)
	}
	line, _, ended := bytes.Cut(bytes.TrimLeft(ahead, "\r\n"), []byte{s.lineEnd()})
	line = bytes.TrimRight(line, "\r\t ")
	return ended && len(line) >= 40 && len(line) <= 76 && len(line)%4 == 0 // RFC 2045 §6.8
}

// back makes next return again what it has just returned: a line, or the beginning of
// a long one.
func (s *source) back(line []byte) {
	s.again = append(append([]byte(nil), line...), s.again...)
}
