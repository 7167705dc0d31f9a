package attachment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// inMemory is how many octets of an archive are kept in memory.
const inMemory = 256 << 10

// spooled is an archive that can be read from any place.
type spooled struct {
	io.ReaderAt
	size int64
	file *os.File // nil when in memory
}

// spool reads an archive, into a file without a name if it is long.
func (l *listing) spool(r io.Reader) (*spooled, error) {
	var start bytes.Buffer
	if _, err := io.CopyN(&start, r, inMemory); err != nil {
		if !errors.Is(err, io.EOF) {
			return nil, err
		}
		return &spooled{ReaderAt: bytes.NewReader(start.Bytes()), size: int64(start.Len())}, nil
	}
	f, err := os.CreateTemp(l.config.Dir, "attachment-*")
	if err != nil {
		return nil, fmt.Errorf("keeping an archive: %w", err)
	}
	s := &spooled{ReaderAt: f, file: f}
	err = os.Remove(f.Name())
	if err == nil {
		s.size, err = io.Copy(f, io.MultiReader(&start, r))
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("keeping an archive: %w", err)
	}
	return s, nil
}

func (s *spooled) close() {
	if s.file != nil {
		_ = s.file.Close() // it was only read
	}
}
