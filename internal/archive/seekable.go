package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrKeeping is wrapped by the error of an archive that cannot be kept: it is
// not the archive's fault.
var ErrKeeping = errors.New("keeping an archive")

// inMemory is how many octets of an archive are kept in memory.
const inMemory = 256 << 10

// seekable is an archive that can be read from any place.
type seekable struct {
	octets io.ReaderAt
	size   int64
	file   *os.File // nil when in memory

	// page is what was read of the file last, for the many short reads near
	// each other.
	page   []byte
	pageAt int64
}

// ReadAt is for one goroutine.
func (s *seekable) ReadAt(p []byte, at int64) (int, error) {
	const page, short = 16 << 10, 1 << 10
	if s.file == nil || len(p) > short || at < 0 || at >= s.size {
		return s.octets.ReadAt(p, at)
	}
	if at < s.pageAt || at+int64(len(p)) > s.pageAt+int64(len(s.page)) {
		if s.page == nil {
			s.page = make([]byte, page)
		}
		n, err := s.octets.ReadAt(s.page[:cap(s.page)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			s.page = s.page[:0]
			return 0, err
		}
		s.page, s.pageAt = s.page[:n], at
	}
	n := copy(p, s.page[at-s.pageAt:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// seekable reads an archive, into a file without a name if it is long.
func (l *listing) seekable(r io.Reader) (*seekable, error) {
	var start bytes.Buffer
	if _, err := io.CopyN(&start, r, inMemory); err != nil {
		if !errors.Is(err, io.EOF) {
			return nil, err
		}
		return &seekable{octets: bytes.NewReader(start.Bytes()), size: int64(start.Len())}, nil
	}
	f, err := os.CreateTemp(l.Dir, "archive-*")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeeping, err)
	}
	s := &seekable{octets: f, file: f}
	err = os.Remove(f.Name())
	from := &source{r: r}
	if err == nil {
		s.size, err = io.Copy(f, io.MultiReader(&start, from))
	}
	if err != nil && l.Budget.Err() != nil {
		err = l.Budget.Err()
	}
	if err != nil && (from.last != nil || l.Budget.Err() != nil) { // not the folder's fault
		s.close()
		return nil, err
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("%w: %w", ErrKeeping, err)
	}
	return s, nil
}

// from is what begins at an offset.
func (s *seekable) from(at int64) *seekable {
	return &seekable{octets: io.NewSectionReader(s, at, s.size-at), size: s.size - at}
}

func (s *seekable) close() {
	if s.file != nil {
		_ = s.file.Close() // it was only read
	}
}
