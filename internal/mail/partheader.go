package mail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxHeader is how many octets the Content- fields of a part may have.
const maxHeader = 256 << 10

// header reads the header of a part, up to the blank line or the first line
// that is no field. Only Content- fields are kept.
func (s *source) header() (Header, error) {
	h := headerReader{s: s}
	for first := true; ; first = false {
		piece, begins, err := s.next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				break
			}
			return nil, err
		}
		line := bytes.TrimRight(piece, "\r\n")
		switch {
		case !begins:
			h.more("", piece)
			continue
		case len(line) > 0 && (line[0] == ' ' || line[0] == '\t'):
			h.more("\n", line)
			continue
		case len(line) == 0:
			return h.done()
		case first && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")): // of a mailbox
			continue
		case h.field(line):
			continue
		}
		goesOn, err := h.broken(piece)
		if err != nil {
			return nil, err
		}
		if !goesOn {
			break
		}
	}
	return h.done()
}

type headerReader struct {
	s      *source
	fields Header
	name   string // of the field under way, "" for one that is not kept
	value  []byte
	size   int // of all fields that are kept
}

// describesPart tells whether a field says something of its part (RFC 2045
// §9).
func describesPart(name string) bool {
	const prefix = "content-"
	return len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// field begins a field, if the line is one.
func (h *headerReader) field(line []byte) bool {
	name, value, ok := cutField(line)
	if !ok {
		return false
	}
	h.flush()
	if !describesPart(name) {
		return true
	}
	if h.size += len(line); h.size <= maxHeader {
		h.name, h.value = name, append([]byte(nil), value...)
	}
	return true
}

// more continues the field under way.
func (h *headerReader) more(fold string, piece []byte) {
	if h.name == "" {
		return
	}
	if h.size += len(piece); h.size <= maxHeader {
		h.value = append(append(h.value, fold...), piece...)
	}
}

func (h *headerReader) flush() {
	if h.name != "" {
		h.fields = append(h.fields, Field{h.name, strings.TrimRight(string(h.value), "\r\n")})
	}
	h.name, h.value = "", nil
}

func (h *headerReader) done() (Header, error) {
	h.flush()
	if h.size > maxHeader {
		return nil, fmt.Errorf("a part's Content- fields are longer than %d octets: %w", maxHeader, ErrComplex)
	}
	return h.fields, nil
}

// broken looks behind a line that is no field. The header ends before it,
// unless Content- fields follow before the next blank line: some programs pass
// over the line and see them.
func (h *headerReader) broken(piece []byte) (goesOn bool, err error) {
	ahead := append([]byte(nil), piece...)
	defer func() {
		if !goesOn {
			h.s.again = append(ahead, h.s.again...)
		}
	}()
	if h.s.within || bytes.HasPrefix(piece, []byte("--")) {
		return false, nil
	}
	for len(ahead) < maxAhead {
		piece, _, err := h.s.next()
		if errors.Is(err, io.EOF) {
			if h.s.level > 0 { // met again when it is read again
				ahead = append(ahead, h.s.met...)
				h.s.level = 0
			}
			return false, nil
		}
		if err != nil {
			return false, err
		}
		ahead = append(ahead, piece...)
		line := bytes.TrimRight(piece, "\r\n")
		if len(line) == 0 || h.s.within || bytes.HasPrefix(line, []byte("--")) {
			return false, nil
		}
		if name, _, ok := cutField(line); ok && describesPart(name) {
			h.field(line)
			return true, nil
		}
	}
	return false, nil
}
