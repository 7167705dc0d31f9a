package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/officexml"
	"github.com/tollgate-mail/tollgate/internal/rtf"
)

// isRTF tells a text in RTF, which office programs open whatever it is called.
func isRTF(head []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte(`{\rt`))
}

// rtf lists the files that a text has embedded. They stand in it in hexadecimal
// digits behind the word objdata (RTF 1.9.1, Objects). What is damaged in a text is
// no fault of an archive: programs show the rest of it.
func (l *listing) rtf(r io.Reader) error {
	in := bufio.NewReaderSize(r, 32<<10)
	for within := false; ; {
		if !within {
			if err := l.toObject(in); err != nil {
				return ended(err)
			}
		}
		object := &hexText{r: in}
		if err := l.object(object); ended(err) != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, object); err != nil {
			return ended(err)
		}
		within = object.another
	}
}

// ended is an error but that of the end.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// toObject reads up to the content of the next object.
func (l *listing) toObject(in *bufio.Reader) error {
	const word, template, longestWord = "objdata", "template", len("template")
	for {
		piece, err := in.ReadSlice('\\')
		if charged := l.Budget.Charge(1 + len(piece)/64); charged != nil {
			return charged
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		next, err := in.Peek(longestWord + 1)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		switch {
		case isWord(next, word):
			_, err := in.Discard(len(word))
			return err
		case isWord(next, template):
			if err := l.template(in); err != nil {
				return err
			}
		}
	}
}

// isWord tells a control word by the text that begins with it.
func isWord(text []byte, word string) bool {
	return bytes.HasPrefix(text, []byte(word)) && (len(text) == len(word) || !isLetter(text[len(word)]))
}

// template looks where the template of a text is, which stands behind its word up to
// the end of the group.
func (l *listing) template(in *bufio.Reader) error {
	const word, longest = "template", 2 << 10
	group, err := in.Peek(longest)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	group, _, _ = bytes.Cut(group[len(word):], []byte("}"))
	if err := l.Budget.Charge(1 + len(group)); err != nil {
		return err
	}
	if officexml.RemoteTarget(rtf.Characters(group)) {
		l.Sign(Remote)
	}
	return nil
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// object reads what is embedded: a head ([MS-OLEDS] §2.2.5), and what the program of its
// class keeps.
func (l *listing) object(r io.Reader) error {
	const (
		head     = 8 // version, format
		linked   = 1
		embedded = 2
		longest  = 2 << 10 // octets of the name of a class, or of a place
	)
	var h [head]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return err
	}
	format := binary.LittleEndian.Uint32(h[4:])
	if format != linked && format != embedded {
		return nil
	}
	class, topic := "", ""
	for i := range 3 { // its class, its topic, its item
		var n [4]byte
		if _, err := io.ReadFull(r, n[:]); err != nil {
			return err
		}
		size := binary.LittleEndian.Uint32(n[:])
		if size > longest {
			return nil
		}
		text := make([]byte, size)
		if _, err := io.ReadFull(r, text); err != nil {
			return err
		}
		switch i {
		case 0:
			class = strings.TrimRight(string(text), "\x00")
		case 1:
			topic = strings.TrimRight(string(text), "\x00")
		}
	}
	if format == linked && officexml.RemoteTarget(topic) || strings.EqualFold(class, "OLE2Link") {
		l.Sign(Remote)
	}
	if format == linked {
		return nil // the other program follows it
	}
	if strings.EqualFold(class, "Package") {
		return l.packaged(r) // with its length, as in a compound file
	}
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return err
	}
	return l.content(l.metered(r))
}

// hexText reads the octets that hexadecimal digits stand for, to the end of the
// group. Programs pass over white space and control words between them, and over groups
// that begin with one; digits in another group count, and so does what stands as it is
// behind the word bin (RTF 1.9.1, Binary data).
type hexText struct {
	r      *bufio.Reader
	depth  int
	skip   int  // the depth of the group that is passed over
	opened bool // a group has begun, and nothing in it yet
	raw    int  // octets that stand there as they are
	low    byte // the second half of one of them
	half   bool // low is next
	done   bool
	// another: it ends where one begins within it.
	another bool
}

func (d *hexText) Read(p []byte) (n int, err error) {
	for n < len(p) {
		high, err := d.digit()
		if err != nil {
			return n, err
		}
		low, err := d.digit()
		if err != nil {
			return n, err
		}
		p[n] = high<<4 | low
		n++
	}
	return n, nil
}

func (d *hexText) digit() (byte, error) {
	if d.half {
		d.half = false
		return d.low, nil
	}
	for !d.done {
		c, err := d.r.ReadByte()
		if err != nil {
			return 0, err
		}
		if d.raw > 0 {
			if d.raw--; d.skip > 0 {
				continue
			}
			d.low, d.half = c&0xf, true
			return c >> 4, nil
		}
		opened := d.opened
		d.opened = c == '{' || opened && c <= ' '
		switch {
		case c == '{':
			d.depth++
		case c == '}':
			d.depth--
			d.done = d.depth < 0
			if d.depth < d.skip {
				d.skip = 0
			}
		case c == '\\':
			if opened && d.skip == 0 {
				d.skip = d.depth
			}
			if err := d.word(); err != nil {
				return 0, err
			}
		case d.skip > 0: // a text in between
		case '0' <= c && c <= '9':
			return c - '0', nil
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			return c | 0x20 - 'a' + 10, nil
		}
	}
	return 0, io.EOF
}

// word passes over a control word with its number, or a control symbol. A letter
// behind the number is no part of it.
func (d *hexText) word() error {
	const longest, most = len("objdata"), 1 << 30
	var name []byte
	numbered, number := false, 0
	for first := true; ; first = false {
		c, err := d.r.ReadByte()
		if err != nil {
			return err
		}
		switch {
		case first && c == '\'': // a character by its number
			_, err := d.r.Discard(2)
			return err
		case first && !isLetter(c):
			return nil
		case isLetter(c) && !numbered:
			if len(name) <= longest {
				name = append(name, c)
			}
			continue
		case c == '-' && !numbered:
			numbered = true
			continue
		case '0' <= c && c <= '9':
			numbered, number = true, min(number*10+int(c-'0'), most)
			continue
		}
		if string(name) == "bin" {
			d.raw = number
		}
		d.another = string(name) == "objdata" && !numbered // a word with a number is another
		d.done = d.done || d.another
		if c == ' ' {
			return nil
		}
		return d.r.UnreadByte()
	}
}
