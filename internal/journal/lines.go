package journal

import (
	"bufio"
	"errors"
	"io"
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
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 256<<10)} }

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
