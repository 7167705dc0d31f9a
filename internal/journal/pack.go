package journal

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/tollgate-mail/tollgate/internal/journal/index"
)

// memberText is about how much text one member has: so much is unpacked to look at one
// line of it.
const memberText = 1 << 20

// scribe writes an index while the lines of its file pass by.
type scribe struct {
	builder *index.Builder
	terms   *termed
	whole   index.Whole
	text    int64 // octets of all members
	member  index.Member
	entry   Entry
}

func newScribe(w io.Writer, id index.ID) *scribe {
	s := &scribe{builder: index.NewBuilder(w), whole: index.Whole{ID: id}}
	s.begin(0)
	return s
}

func (s *scribe) begin(at int64) {
	s.member = index.Member{Offset: at, Earliest: math.MaxInt64, Latest: math.MinInt64}
	s.terms = newTermed(s.builder.Add)
}

// line takes a line without its end; nil for one that is too long to be an entry.
func (s *scribe) line(line []byte) {
	s.member.Lines++
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	if t := timeOf(line); t != nil && s.whole.First == "" {
		s.whole.First = string(t)
	}
	s.entry = Entry{}
	if err := json.Unmarshal(line, &s.entry); err != nil || s.entry.Time.IsZero() {
		return // no search finds it
	}
	at := s.entry.Time.UnixMilli()
	s.member.Earliest, s.member.Latest = min(s.member.Earliest, at), max(s.member.Latest, at)
	s.terms.entry(&s.entry)
}

// end ends a member of so much text that is packed up to an offset of the file.
func (s *scribe) end(at, text int64) error {
	s.member.Size, s.member.Text = at-s.member.Offset, text
	s.text += text
	err := s.builder.End(s.member)
	s.begin(at)
	return err
}

func (s *scribe) finish() error {
	s.whole.Size = s.member.Offset
	return s.builder.Finish(s.whole)
}

// wholeLines calls fn with each line and its end, in pieces of bounded memory: what is
// longer than an entry can be comes in several, of which the last alone has ended set;
// whole is then nil.
func wholeLines(r *bufio.Reader, fn func(piece, whole []byte, ended bool) error) error {
	var held []byte
	long := false
	for {
		piece, err := r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
			return err
		}
		eof := errors.Is(err, io.EOF)
		if len(piece) == 0 && eof && len(held) == 0 && !long {
			return nil
		}
		ended := err == nil || eof
		whole := piece
		switch {
		case long, len(held)+len(piece) > longest+1:
			long, held, whole = true, nil, nil
		case !ended || len(held) > 0:
			held = append(held, piece...)
			whole = held
		}
		if err := fn(piece, bytes.TrimSuffix(whole, []byte("\n")), ended); err != nil {
			return err
		}
		if ended {
			held, long = held[:0], false
		}
		if eof {
			return nil
		}
	}
}

// counted counts what is written through it.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// packLines packs the lines of a journal in members, and writes their index. It
// returns how much text there was.
func packLines(ctx context.Context, from io.Reader, to, indexTo io.Writer, id index.ID) (text int64, err error) {
	out := &counted{w: to}
	s := newScribe(indexTo, id)
	zip := gzip.NewWriter(out)
	member, number := int64(0), 0
	begin := func() {
		zip.Reset(out)
		zip.Extra = extra(id, number)
		number++
	}
	begin()
	end := func() error {
		if err := zip.Close(); err != nil {
			return err
		}
		text += member
		err := s.end(out.n, member)
		member = 0
		return err
	}
	err = wholeLines(bufio.NewReaderSize(from, 256<<10), func(piece, line []byte, ended bool) error {
		if member == 0 && text > 0 {
			begin()
		}
		if _, err := zip.Write(piece); err != nil {
			return err
		}
		member += int64(len(piece))
		if !ended {
			return nil
		}
		s.line(line)
		if member < memberText {
			return nil
		}
		return errors.Join(end(), ctx.Err())
	})
	if err == nil && (member > 0 || text == 0) {
		err = end()
	}
	if err == nil {
		err = s.finish()
	}
	return text, err
}

// errForeign: not all of a file is members of ours.
var errForeign = errors.New("packed by somebody else")

// indexLines writes the index of a file that was packed in members, and returns how
// much text it has. Its errors: errForeign, of what is damaged, of reading.
func indexLines(ctx context.Context, from io.Reader, indexTo io.Writer, id index.ID) (text int64, err error) {
	octets := &octets{r: bufio.NewReaderSize(from, 256<<10)}
	zip, err := gzip.NewReader(octets)
	if err != nil {
		return 0, err
	}
	s := newScribe(indexTo, id)
	for n := 0; ; n++ {
		if whose, number, ok := ours(zip.Extra, len(zip.Extra)); !ok || whose != id || number != n {
			return text, errForeign
		}
		zip.Multistream(false)
		member := int64(0)
		if err := wholeLines(bufio.NewReaderSize(zip, 256<<10), func(piece, line []byte, ended bool) error {
			if member += int64(len(piece)); ended {
				s.line(line)
			}
			return nil
		}); err != nil {
			return text, err
		}
		text += member
		if err := errors.Join(s.end(octets.n, member), ctx.Err()); err != nil {
			return text, err
		}
		switch err := zip.Reset(octets); {
		case errors.Is(err, io.EOF):
			return text, s.finish()
		case err != nil:
			return text, fmt.Errorf("after its member %d: %w", n, err)
		}
	}
}

// octets counts what is read, octet by octet where it is asked so: gzip reads no
// further than its member.
type octets struct {
	r *bufio.Reader
	n int64
}

func (o *octets) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	o.n += int64(n)
	return n, err
}

func (o *octets) ReadByte() (byte, error) {
	b, err := o.r.ReadByte()
	if err == nil {
		o.n++
	}
	return b, err
}
