package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

// scanner reads the frames of one segment, and finds its way past damage.
type scanner struct {
	r   io.ReaderAt
	off int64 // where the next frame begins
	end int64 // what of the segment counts

	window []byte // bytes of the segment from base on
	base   int64
}

// windowSize is what a scanner reads ahead.
const windowSize = 256 << 10

// frame is one that holds.
type frame struct {
	begin, end int64 // in its segment
	records    int
	oldest     time.Time
	payload    []byte // until the next call of next
}

// gap is a stretch of a segment that is no frame.
type gap struct{ begin, end int64 }

func (g gap) size() int64 { return g.end - g.begin }

// next returns the next frame, and what damage lies before it. The error is
// io.EOF at the end; damage may lie before that too. After any other error
// next may be called again.
func (s *scanner) next() (frame, gap, error) {
	begin := s.off
	for at := begin; at < s.end; {
		f, err := s.frameAt(at)
		if err == nil {
			s.off = f.end
			return f, gap{begin, at}, nil
		}
		if !errors.Is(err, errNoFrame) {
			return frame{}, gap{}, err
		}
		if at, err = s.find(at + 1); err != nil {
			return frame{}, gap{}, err
		}
	}
	s.off = s.end
	return frame{}, gap{begin, s.end}, io.EOF
}

var errNoFrame = errors.New("no frame here")

// frameAt reads the frame that begins at off.
func (s *scanner) frameAt(off int64) (frame, error) {
	if s.end-off < headerSize {
		return frame{}, errNoFrame
	}
	b, err := s.bytes(off, headerSize)
	if err != nil {
		return frame{}, err
	}
	h, ok := parseHeader(b)
	if !ok || h.size() > s.end-off {
		return frame{}, errNoFrame
	}
	if b, err = s.bytes(off, int(h.size())); err != nil {
		return frame{}, err
	}
	if !h.holds(b) {
		return frame{}, errNoFrame
	}
	return frame{off, off + h.size(), h.records, h.oldest, b[headerSize:]}, nil
}

// find is where the magic stands next, from off on; the end if nowhere.
func (s *scanner) find(off int64) (int64, error) {
	for s.end-off >= headerSize {
		n := int(min(s.end-off, windowSize))
		b, err := s.bytes(off, n)
		if err != nil {
			return 0, err
		}
		if i := bytes.Index(b, []byte(magic)); i >= 0 {
			return off + int64(i), nil
		}
		off += int64(n - len(magic) + 1)
	}
	return s.end, nil
}

// bytes are n bytes of the segment from off on, all before its end.
func (s *scanner) bytes(off int64, n int) ([]byte, error) {
	if from := off - s.base; from >= 0 && from+int64(n) <= int64(len(s.window)) {
		return s.window[from : from+int64(n)], nil
	}
	want := int(min(max(int64(n), windowSize), s.end-off))
	if cap(s.window) < want {
		s.window = make([]byte, want)
	}
	s.window, s.base = s.window[:want], off
	if _, err := s.r.ReadAt(s.window, off); err != nil {
		s.window = s.window[:0]
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // it was longer when it was opened
		}
		return nil, fmt.Errorf("reading at %d: %w", off, err)
	}
	return s.window[:n], nil
}

// isTorn reports whether the bytes look like what a crash leaves of a write:
// nothing but zeros, or a frame that had more to come.
func (s *scanner) isTorn(g gap) (bool, error) {
	n := int(min(g.size(), headerSize))
	b, err := s.bytes(g.begin, n)
	if err != nil {
		return false, err
	}
	if h, ok := parseHeader(b); ok {
		if h.size() <= g.size() {
			return false, nil
		}
		// As many lines as there are records: all of the frame is there, and
		// what is wrong is the length that it claims.
		whole, err := s.hasLines(gap{g.begin + headerSize, g.end}, h.records)
		return !whole, err
	}
	if n < headerSize && len(b) >= len(magic) && string(b[:len(magic)]) == magic {
		return true, nil
	}
	if n < len(magic) && string(b) == magic[:n] {
		return true, nil
	}
	return s.isZero(g)
}

// hasLines reports whether there are so many ends of lines. A record is a line,
// and the end of the last is the last octet of its frame.
func (s *scanner) hasLines(g gap, n int) (bool, error) {
	for off := g.begin; off < g.end; {
		b, err := s.bytes(off, int(min(g.end-off, windowSize)))
		if err != nil {
			return false, err
		}
		n -= bytes.Count(b, []byte{'\n'})
		off += int64(len(b))
	}
	return n <= 0, nil
}

// isZero reports whether there is nothing but zeros.
func (s *scanner) isZero(g gap) (bool, error) {
	for off := g.begin; off < g.end; {
		b, err := s.bytes(off, int(min(g.end-off, windowSize)))
		if err != nil {
			return false, err
		}
		if len(bytes.TrimLeft(b, "\x00")) > 0 {
			return false, nil
		}
		off += int64(len(b))
	}
	return true, nil
}
