package mail

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	// maxFields is how many Content- fields of a part are kept: the first ones
	// and the last.
	maxFields = 32
	// maxField is how many octets of one are: half of them at its beginning,
	// half at its end.
	maxField = 64 << 10
)

// partHeader is what the header of a part says of it.
type partHeader struct {
	content Header // the Content- fields
	// Of fields that may stand there once, at the top of a message: how often
	// they do.
	from, date, repeated int
	version              bool // MIME-Version
	octets               int  // of content
}

// header reads the header of a part, up to the blank line or the first line
// that is no field. Only Content- fields are kept.
func (s *source) header() (partHeader, error) {
	h := headerReader{s: s}
	for first := true; ; first = false {
		piece, begins, err := s.next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				break
			}
			return h.partHeader, err
		}
		if begins && !s.within && !utf8.Valid(piece) {
			s.defects.add(headerOctets)
		}
		line := bytes.TrimRight(piece, "\r\n")
		switch {
		case !begins:
			h.more("", piece)
			continue
		case first && h.indented(line):
			continue
		case len(line) > 0 && (line[0] == ' ' || line[0] == '\t'):
			h.more("\n", line)
			continue
		case len(line) == 0:
			return h.done(), h.behind()
		case first && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")): // of a mailbox
			continue
		case h.field(line):
			continue
		}
		s.defects.add(headerLine)
		if namesFile(line) {
			h.astray(line)
		}
		goesOn, err := h.broken(piece)
		if err != nil {
			return h.partHeader, err
		}
		if !goesOn {
			break
		}
	}
	return h.done(), nil
}

type headerReader struct {
	partHeader
	s    *source
	name string // of the field under way, "" for one that is not kept
	head []byte // its value, up to half of maxField
	tail []byte // what follows, the last half of maxField and more
	cut  bool
	next int // of the last half of the fields, in a ring
	seen uint64
	lost []byte // parameters that stand behind no field of the part
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
	if plain := plainName(line); plain != "" {
		h.s.defects.add(headerLine)
		name, ok = plain, true
		value = line[bytes.IndexByte(line, ':')+1:]
	}
	if !ok || strings.IndexByte(name, '=') >= 0 && namesFile(line) {
		return false
	}
	h.flush()
	h.count(name)
	if !describesPart(name) {
		return true
	}
	h.name = name
	h.more("", value)
	return true
}

// count notes the fields that may stand in a message once (RFC 5322 §3.6).
func (h *headerReader) count(name string) {
	once := []string{"from", "date", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject",
		"mime-version", "content-type", "content-disposition", "content-id"}
	if len(name) > len("content-disposition") {
		return
	}
	for i, n := range once {
		if len(n) != len(name) || !strings.EqualFold(n, name) {
			continue
		}
		switch n {
		case "from":
			h.from++
		case "date":
			h.date++
		case "mime-version":
			h.version = true
		}
		if h.seen&(1<<i) != 0 {
			h.repeated++
		}
		h.seen |= 1 << i
	}
}

// more continues the field under way.
func (h *headerReader) more(fold string, piece []byte) {
	if h.name == "" {
		return
	}
	if len(h.head)+len(fold)+len(piece) <= maxField/2 {
		h.head = append(append(h.head, fold...), piece...)
		return
	}
	h.tail = append(append(h.tail, fold...), piece...)
	if len(h.tail) > maxField {
		h.tail = append(h.tail[:0], h.tail[len(h.tail)-maxField/2:]...)
		h.cut = true
		h.s.defects.unread(fieldTooLong)
	}
}

func (h *headerReader) flush() {
	if h.name != "" {
		value := append(h.head, h.tail...)
		if h.cut {
			value = append(append(h.head, "\n ;"...), h.tail...)
		}
		f := Field{h.name, strings.TrimRight(string(value), "\r\n")}
		h.octets += len(f.Value)
		if len(h.content) < maxFields {
			h.content = append(h.content, f)
		} else {
			h.content[maxFields/2+h.next] = f
			h.next = (h.next + 1) % (maxFields / 2)
			h.s.defects.unread(fieldTooLong)
		}
	}
	h.name, h.head, h.tail, h.cut = "", nil, nil, false
}

func (h *headerReader) done() partHeader {
	h.flush()
	if h.lost != nil {
		h.name = "Content-Type" // a last one: what it says beside names does not count
		h.more("", h.lost)
		h.flush()
	}
	return h.partHeader
}

// behind looks at the line after the blank one: where the header ends with a
// semicolon, a parameter may have been left behind it.
func (h *headerReader) behind() error {
	n := len(h.content)
	if n == 0 || !strings.HasSuffix(strings.TrimRight(h.content[n-1].Value, " \t"), ";") {
		return nil
	}
	piece, _, err := h.s.next()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	line := bytes.TrimRight(piece, "\r\n")
	if namesFile(line) {
		h.content[n-1].Value += "\n " + string(line)
	}
	h.s.back(piece)
	return nil
}

// namesFile tells whether a line that is no field begins with a parameter that
// somebody asks for.
func namesFile(line []byte) bool {
	i := bytes.IndexAny(line, "=:")
	return i > 0 && nameBefore(nil, string(line[:min(i, 256)])) != "" && len(bytes.TrimLeft(line, " \t")) > 0
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
		if err := h.s.budget.Charge(len(piece)); err != nil {
			return false, err
		}
		line := bytes.TrimRight(piece, "\r\n")
		if len(line) == 0 && !h.s.within && h.isBase64() && !isBase64Text(ahead) {
			ahead = nil // no reader has it in the content: it ends the header for some, and is passed over by others
			return false, nil
		}
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
