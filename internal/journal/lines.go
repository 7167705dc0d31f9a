package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// longest is how long a line may be. A message to ten thousand recipients
// stays below.
const longest = 16 << 20

var errLong = errors.New("line too long")

// lines reads line by line in bounded memory.
type lines struct {
	r    *bufio.Reader
	buf  []byte // a line longer than the reader's buffer
	torn bool   // the line read last had no line end
	// damage is what of the file could not be read, after its end; nil: nothing can be missing.
	damage func() error
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 256<<10)} }

func newMemberLines(r *membersOf) *lines {
	l := newLines(r)
	l.damage = r.damage
	return l
}

// next returns a line without its end, valid until the next call; errLong for
// one that was passed over, io.EOF after the last.
func (l *lines) next() ([]byte, error) {
	l.buf = l.buf[:0]
	long := false
	for {
		piece, err := l.r.ReadSlice('\n')
		l.torn = err != nil
		if err == nil {
			piece = piece[:len(piece)-1]
		}
		switch {
		case err == nil && len(l.buf) == 0 && !long:
			return piece, nil
		case long:
		case len(l.buf)+len(piece) > longest:
			long, l.buf = true, nil
		default:
			l.buf = append(l.buf, piece...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil, errors.Is(err, io.EOF):
			switch {
			case long:
				return nil, errLong
			case err != nil && len(l.buf) == 0:
				return nil, io.EOF
			}
			return l.buf, nil
		default:
			return nil, err
		}
	}
}

// backward reads a plain file from its end; nil for a packed one.
func (p *part) backward() (*backward, error) {
	info, err := p.f.Stat()
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if p.packed {
		return nil, nil
	}
	return &backward{f: p.f, from: info.Size(), first: true}, nil
}

const backStep = 256 << 10 // octets

// backward reads line by line from the end of a file, in bounded memory.
type backward struct {
	f     *os.File
	from  int64  // where buf begins in the file
	buf   []byte // what was read and not yet given
	first bool   // no line was given yet
}

// next returns the line before, without its end, valid until the next call;
// torn: the file's last line has none. errLong for one that was passed over,
// io.EOF before the first.
func (b *backward) next() (line []byte, torn bool, err error) {
	if b.first {
		b.first = false
		if err := b.more(); err != nil {
			return nil, false, err
		}
		torn = len(b.buf) > 0 && b.buf[len(b.buf)-1] != '\n'
		if !torn && len(b.buf) > 0 {
			b.buf = b.buf[:len(b.buf)-1]
		}
		if len(b.buf) == 0 && b.from == 0 {
			return nil, false, io.EOF
		}
	}
	if b.buf == nil {
		return nil, false, io.EOF
	}
	long := false
	searched := 0 // of buf's end
	for {
		if i := bytes.LastIndexByte(b.buf[:len(b.buf)-searched], '\n'); i >= 0 {
			line, b.buf = b.buf[i+1:], b.buf[:i]
			break
		}
		if b.from == 0 {
			line, b.buf = b.buf, nil
			break
		}
		if searched = len(b.buf); searched > longest {
			long, searched, b.buf = true, 0, b.buf[:0]
		}
		if err := b.more(); err != nil {
			return nil, false, err
		}
	}
	if long {
		return nil, false, errLong
	}
	return line, torn, nil
}

// more puts what stands before buf in front of it.
func (b *backward) more() error {
	n := min(b.from, backStep)
	grown := make([]byte, int(n)+len(b.buf))
	if _, err := b.f.ReadAt(grown[:n], b.from-n); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	copy(grown[n:], b.buf)
	b.buf, b.from = grown, b.from-n
	return nil
}
