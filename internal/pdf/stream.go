package pdf

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/ascii85"
	"errors"
	"fmt"
	"io"
)

// stream reads what stands behind the word: objects, what may be a file, or what is passed
// over.
func (s *scan) stream() error {
	o := s.object
	if s.lost.objects || o.objects && s.lost.filtered { // it cannot be told what there is
		s.damaged = true
	}
	s.object, s.lost, s.filter = object{}, object{}, false
	raw := &body{in: s.in}
	if err := raw.begin(); err != nil {
		return err
	}
	r := io.Reader(raw)
	for _, filter := range o.filters {
		switch filter {
		case "FlateDecode", "Fl":
			r = &inflated{scan: s, r: r, objects: o.objects}
		case "ASCIIHexDecode", "AHx":
			r = &fromHex{r: bufio.NewReader(r)}
		default:
			r = &tolerant{scan: s, r: ascii85.NewDecoder(&plain85{r: bufio.NewReader(r)}), objects: o.objects}
		}
	}
	if err := s.look(o, r); err != nil {
		return err
	}
	// What others read of it, or not, is passed over.
	for n := 0; ; n++ {
		var rest [4 << 10]byte
		_, err := raw.Read(rest[:])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Charge(1); err != nil {
			return err
		}
	}
}

func (s *scan) look(o object, r io.Reader) error {
	switch {
	case o.table, o.image && !o.objects:
		return nil
	case o.objects && (o.unread || o.image):
		s.damaged = true
		return nil
	case o.unread:
		return nil // files are known by their names
	case !o.objects:
		return s.Content(r)
	}
	within := s.scan(r, 4<<10)
	within.packed, within.names = true, s.names
	err := within.tokens()
	s.names = within.names
	s.embedded = s.embedded || within.embedded
	s.found.Script = s.found.Script || within.found.Script
	return err
}

// inflated reads what is deflated, in an envelope (RFC 1950) whose sum nobody looks at.
type inflated struct {
	scan    *scan
	r       io.Reader
	z       io.Reader
	objects bool
}

func (i *inflated) Read(p []byte) (int, error) {
	if i.z == nil {
		var envelope [2]byte
		if _, err := io.ReadFull(i.r, envelope[:]); err != nil {
			return 0, i.scan.cut(err, i.objects)
		}
		i.z = i.scan.Unpack(i.r)
	}
	n, err := i.z.Read(p)
	return n, i.scan.cut(err, i.objects)
}

// tolerant ends where something is damaged.
type tolerant struct {
	scan    *scan
	r       io.Reader
	objects bool
}

func (t *tolerant) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	return n, t.scan.cut(err, t.objects)
}

// cut makes an end of what is damaged: it may be no file, and programs show the rest of the
// document. Of objects it is told.
func (s *scan) cut(err error, objects bool) error {
	var flated flate.CorruptInputError
	var based ascii85.CorruptInputError
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &flated) || errors.As(err, &based) {
		s.damaged = s.damaged || objects
		return io.EOF
	}
	return err
}

// fromHex reads hexadecimal digits up to their end (ISO 32000-1 §7.4.2).
type fromHex struct{ r *bufio.Reader }

func (h *fromHex) Read(p []byte) (n int, err error) {
	for n < len(p) {
		high, err := h.digit()
		if err != nil {
			return n, err
		}
		low, err := h.digit()
		if err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
		p[n] = byte(high<<4 | low)
		n++
	}
	return n, nil
}

func (h *fromHex) digit() (int, error) {
	for {
		c, err := h.r.ReadByte()
		if err != nil {
			return 0, err
		}
		if c == '>' {
			return 0, io.EOF
		}
		if n := digitOf(c); n >= 0 {
			return n, nil
		}
	}
}

// plain85 is what the decoder knows: without the mark of the end, and what stands before
// it in other programs.
type plain85 struct {
	r     *bufio.Reader
	ended bool
}

func (d *plain85) Read(p []byte) (n int, err error) {
	for n < len(p) && !d.ended {
		c, err := d.r.ReadByte()
		if err != nil {
			return n, err
		}
		switch {
		case c == '~':
			d.ended = true
		case '!' <= c && c <= 'u', c == 'z':
			p[n] = c
			n++
		}
	}
	if n == 0 && d.ended {
		return 0, io.EOF
	}
	return n, nil
}

// body reads a stream up to its end, or to the next object, for a table may point there.
type body struct {
	in   *bufio.Reader
	done bool
}

// ends are what a stream ends before. The length that its dictionary says may be wrong.
func ends() []string { return []string{"endstream", "endobj", " obj"} }

const longestEnd = len("endstream")

// begin passes over the end of the line behind the word, and blanks before it: programs
// do. What is deflated begins with none.
func (b *body) begin() error {
	const most = 64 // blanks
	for range most {
		next, err := b.in.Peek(1)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("pdf: %w", err)
		}
		if len(next) == 0 || next[0] != ' ' && next[0] != '\t' {
			break
		}
		if _, err := b.in.Discard(1); err != nil {
			return fmt.Errorf("pdf: %w", err)
		}
	}
	for _, c := range []byte("\r\n") {
		next, err := b.in.Peek(1)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("pdf: %w", err)
		}
		if len(next) == 1 && next[0] == c {
			if _, err := b.in.Discard(1); err != nil {
				return fmt.Errorf("pdf: %w", err)
			}
		}
	}
	return nil
}

func (b *body) Read(p []byte) (int, error) {
	if b.done || len(p) == 0 {
		return 0, io.EOF
	}
	ahead, err := b.in.Peek(longestEnd)
	if err == nil {
		ahead, err = b.in.Peek(min(b.in.Buffered(), len(p)+longestEnd))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("pdf: %w", err)
	}
	whole := len(ahead) - longestEnd + 1 // an end that begins behind it may lack its rest
	if err != nil {
		whole = len(ahead)
	}
	for _, end := range ends() {
		if at := bytes.Index(ahead, []byte(end)); at >= 0 && at < whole {
			whole = at
			b.done = true
		}
	}
	n := copy(p, ahead[:max(whole, 0)])
	b.done = b.done && n == whole
	if _, discarded := b.in.Discard(n); discarded != nil {
		return 0, fmt.Errorf("pdf: %w", discarded)
	}
	if n == 0 {
		b.done = true
		return 0, io.EOF
	}
	return n, nil
}
