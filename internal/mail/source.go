package mail

import (
	"bufio"
	"bytes"
	"errors"
	"io"
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

	// again is read before anything else: whole lines.
	again []byte

	open  [][]string // the boundaries of each multipart around, innermost last
	level int        // of the multipart whose delimiter was met, -1 for none
	last  bool       // the delimiter ends the multipart
	met   []byte     // the delimiter's line, valid until the next is read
}

func newSource(r io.Reader) *source {
	return &source{r: bufio.NewReaderSize(r, maxPiece), level: -1}
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

// push opens a multipart and returns its level.
func (s *source) push(boundaries []string) int {
	s.open = append(s.open, boundaries)
	return len(s.open) - 1
}

func (s *source) pop() { s.open = s.open[:len(s.open)-1] }

// take goes past the delimiter that was met, if it is of this level; begins
// tells whether a part follows it.
func (s *source) take(level int) (begins, ok bool) {
	if s.level != level {
		return false, false
	}
	s.level = -1
	return !s.last, true
}

// next is the next line with its end, valid until the following call, or a
// piece of a long one; io.EOF stands for a delimiter, too.
func (s *source) next() (piece []byte, begins bool, err error) {
	if s.level >= 0 {
		return nil, false, io.EOF
	}
	if len(s.again) > 0 {
		n := bytes.IndexByte(s.again, s.lineEnd()) + 1
		if n == 0 {
			n = len(s.again)
		}
		piece, s.again = s.again[:n], s.again[n:]
		if s.delimiter(piece) {
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
	if begins && !s.within && s.delimiter(piece) {
		return nil, false, io.EOF
	}
	return piece, begins, nil
}

// delimiter tells whether a line delimits parts of a multipart around (RFC
// 2046 §5.1.1). The outer ones end what is within them, for an end may lack.
func (s *source) delimiter(line []byte) bool {
	if len(line) < 3 || line[0] != '-' || line[1] != '-' || len(s.open) == 0 {
		return false
	}
	s.met = line
	line = bytes.TrimRight(line[2:], " \t\r\n")
	for i := len(s.open) - 1; i >= 0; i-- {
		for _, b := range s.open[i] {
			if len(line) < len(b) || string(line[:len(b)]) != b {
				continue
			}
			if rest := line[len(b):]; len(rest) == 0 || string(rest) == "--" {
				s.level, s.last = i, len(rest) > 0
				return true
			}
		}
	}
	return false
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

// beginsHeader tells whether what follows is a header rather than its encoding
// in base64, which has no colon.
func (s *source) beginsHeader() bool {
	if len(s.again) > 0 || s.level >= 0 {
		return true
	}
	ahead, _ := s.r.Peek(512) // an error comes again when it is read
	line, _, _ := bytes.Cut(bytes.TrimLeft(ahead, "\r\n"), []byte{s.lineEnd()})
	return bytes.IndexByte(line, ':') >= 0
}

// back makes next return a whole line again.
func (s *source) back(line []byte) {
	s.again = append(append([]byte(nil), line...), s.again...)
}

// retake makes next meet the delimiter again.
func (s *source) retake() {
	s.level = -1
	s.back(s.met)
}
