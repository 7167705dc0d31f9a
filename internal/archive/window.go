package archive

import (
	"bytes"
	"errors"
	"io"
)

// window finds texts in an archive, further and further on.
type window struct {
	*listing
	f     *seekable
	buf   [32 << 10]byte
	start int64
	n     int
}

// find is the offset of a text from some offset on and before another, -1 when
// there is none.
func (w *window) find(from, before int64, text string) (int64, error) {
	before = min(before, w.f.size)
	for from+int64(len(text)) <= before {
		if from < w.start || from+int64(len(text)) > w.start+int64(w.n) {
			n, err := w.f.ReadAt(w.buf[:min(int64(len(w.buf)), w.f.size-from)], from)
			if err != nil && !errors.Is(err, io.EOF) {
				return -1, err
			}
			if n < len(text) {
				return -1, nil
			}
			w.start, w.n = from, n
			if err := w.Budget.Octets(n); err != nil {
				return -1, err
			}
		}
		if i := bytes.Index(w.buf[from-w.start:w.n], []byte(text)); i >= 0 {
			if from+int64(i)+int64(len(text)) > before {
				return -1, nil
			}
			return from + int64(i), nil
		}
		from = w.start + int64(w.n-len(text)+1)
	}
	return -1, nil
}
