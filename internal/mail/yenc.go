package mail

import (
	"bytes"
	"io"
)

// yBegin begins the first line of a file in yEnc, which ends with its name:
// "=ybegin line=128 size=12 name=a file".
const yBegin = "=ybegin "

// beginsY tells such a line.
func beginsY(line []byte) bool {
	return bytes.HasPrefix(line, []byte(yBegin)) && bytes.Contains(line, []byte(" name="))
}

// nameOfY is the name in such a line: the rest of it.
func nameOfY(line []byte) string {
	_, name, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(" name="))
	return string(name)
}

// yFile reads a file in yEnc, after its first line: each octet is that of the content
// and 42, and 64 more behind an equals sign.
type yFile struct {
	s       *source
	out     []byte
	escaped bool
	end     bool
}

func (y *yFile) Read(p []byte) (int, error) {
	for len(y.out) == 0 {
		if y.end {
			return 0, io.EOF
		}
		piece, begins, err := y.s.next()
		if err != nil {
			return 0, err
		}
		switch {
		case begins && bytes.HasPrefix(piece, []byte("=yend")):
			y.end = true
		case begins && bytes.HasPrefix(piece, []byte("=ypart ")):
		default:
			y.out = y.decode(y.out[:0], piece)
		}
	}
	n := copy(p, y.out)
	y.out = y.out[n:]
	return n, nil
}

// decode appends the octets that a piece of a line stands for.
func (y *yFile) decode(out, piece []byte) []byte {
	for _, c := range piece {
		switch {
		case c == '\r', c == '\n':
		case c == '=' && !y.escaped:
			y.escaped = true
		case y.escaped:
			out, y.escaped = append(out, c-64-42), false
		default:
			out = append(out, c-42)
		}
	}
	return out
}
