// Package pdf tells what is in a document of PDF (ISO 32000) besides pages: files,
// scripts, actions that start programs.
//
// A document is read as it comes, and not by its tables: programs repair documents
// whose tables are wrong, and find objects where others see a comment or a text.
package pdf

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrUnreadable: objects are packed in a way that is not read, or damaged.
var ErrUnreadable = errors.New("objects that cannot be read")

// Is tells a document by what it begins with: other octets may stand before it
// (implementation note 13 of PDF 1.7).
func Is(head []byte) bool {
	const within = 1024
	return bytes.Contains(head[:min(len(head), within)], []byte("%PDF-"))
}

// Scanner reads a document.
type Scanner struct {
	// Charge is told each step of work; its error ends the reading.
	Charge func(steps int) error
	// Unpack reads what is deflated (RFC 1951). One reader is in use at a time.
	Unpack func(io.Reader) io.Reader
	// Content is told what may be a file: each stream that is no picture and has nothing of
	// the document itself. Its error ends the reading.
	Content func(io.Reader) error
	// Names is how many names of files are kept.
	Names int
}

// Found is what a document has.
type Found struct {
	// Files are what embedded files are called, as octets in UTF-8 or any charset.
	Files []string
	// Script: there is JavaScript, or an action that starts a program.
	Script bool
	// Encrypted: it is, with a password or with one that programs know, or says so. What
	// its files are called is not known then, but where that is told as a text nevertheless;
	// nor what is in its packed objects.
	Encrypted bool
}

// scan is the reading of a document, or of objects within a stream.
type scan struct {
	*Scanner
	found    Found
	names    []string // that files may be called
	embedded bool
	damaged  bool

	in     *bufio.Reader
	packed bool   // it is objects within a stream: there are no streams
	due    bool   // the name of a file, where a text comes next
	number string // the key whose number comes next
	filter bool   // those of a stream, where names come next
	lost   object // what dictionaries said that were cut off by a word
	buffer []byte // of a name or a word
	object object
}

// object is what its dictionary says of the stream behind it.
type object struct {
	filters               []string
	objects, table, image bool
	deflated              bool
	unread                bool // it is packed in a way that is not read
	filtered              bool // it is packed at all
	count, first          bool // it says how many objects it has, and where the first begins
}

// Scan reads a document to its end. The error is that of the reader or of a function of
// the Scanner, or ErrUnreadable, with what was found nevertheless.
func (s *Scanner) Scan(r io.Reader) (Found, error) {
	one := s.scan(r, 32<<10)
	err := one.tokens()
	if one.embedded {
		one.found.Files = one.names
		if one.found.Encrypted { // or says so in a comment
			one.found.Files = slices.DeleteFunc(one.names, func(name string) bool { return !isText(name) })
		}
	}
	if err == nil && one.damaged && !one.found.Encrypted {
		err = ErrUnreadable
	}
	return one.found, err
}

func (s *Scanner) scan(r io.Reader, window int) *scan {
	return &scan{Scanner: s, in: bufio.NewReaderSize(r, window), buffer: make([]byte, 0, longestWord)}
}

// isText tells whether a name has nothing in it but what names have: of eight octets that are
// encrypted that is so once in thousands.
func isText(name string) bool {
	return utf8.ValidString(name) && strings.IndexFunc(name, unicode.IsControl) < 0
}

// longestWord is how much of a name or a word is looked at.
const longestWord = 64

const (
	space     = "\x00\t\n\f\r "
	delimiter = "()<>[]{}/%"
)

func isSpace(c byte) bool     { return strings.IndexByte(space, c) >= 0 }
func isDelimiter(c byte) bool { return strings.IndexByte(delimiter, c) >= 0 }

// tokens reads names and words, wherever they stand: also in comments and texts, to
// which a table may point.
func (s *scan) tokens() error {
	const step = 64
	for n := 0; ; n++ {
		if n%step == 0 {
			if err := s.Charge(1); err != nil {
				return err
			}
		}
		c, err := s.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("pdf: %w", err)
		}
		switch {
		case c == '/':
			err = s.name()
		case c == '(', c == '<':
			err = s.text(c)
		case isSpace(c), isDelimiter(c):
		default:
			err = s.word(c)
		}
		if err != nil {
			return err
		}
	}
}

// run reads up to the next space or delimiter; of a longer one the rest is passed over
// as another.
func (s *scan) run(b []byte) ([]byte, error) {
	for len(b) < longestWord {
		c, err := s.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, fmt.Errorf("pdf: %w", err)
		}
		if isSpace(c) || isDelimiter(c) {
			return b, s.in.UnreadByte()
		}
		b = append(b, c)
	}
	return b, nil
}

func (s *scan) name() error {
	name, err := s.run(s.buffer[:0])
	if err != nil {
		return err
	}
	name = decoded(name)
	s.due = false
	s.number = ""
	if s.filter = s.filter && isFilter(string(name)); s.filter {
		s.object.filtered = true
	}
	switch string(name) {
	case "F", "UF", "DOS", "Mac", "Unix":
		s.due = true
	case "JavaScript":
		s.found.Script = true
	case "Launch":
		s.found.Script, s.embedded = true, true // the name of the program is one
	case "Encrypt":
		s.found.Encrypted = true
	case "EF", "EmbeddedFile", "EmbeddedFiles":
		s.embedded = true
	case "ObjStm":
		s.object.objects = true
	case "N", "First":
		s.number = string(name)
	case "Filter":
		s.filter = true
	case "XRef":
		s.object.table = true
	case "Image", "DCTDecode", "DCT", "JPXDecode", "CCITTFaxDecode", "CCF", "JBIG2Decode":
		s.object.image = true
	case "FlateDecode", "Fl", "ASCIIHexDecode", "AHx", "ASCII85Decode", "A85":
		deflated := name[0] == 'F'
		if len(s.object.filters) < mostFilters && !(deflated && s.object.deflated) {
			s.object.deflated = s.object.deflated || deflated
			s.object.filters = append(s.object.filters, string(name))
		} else {
			s.object.unread = true
		}
	case "LZWDecode", "LZW", "RunLengthDecode", "RL", "Crypt", "Predictor":
		s.object.unread = true
	}
	return nil
}

// mostFilters are read of one stream.
const mostFilters = 8

// decoded is a name whose characters may be written by numbers (ISO 32000-1 §7.3.5).
func decoded(name []byte) []byte {
	if bytes.IndexByte(name, '#') < 0 {
		return name
	}
	b := name[:0]
	for i := 0; i < len(name); i++ {
		if name[i] == '#' && i+2 < len(name) && digitOf(name[i+1]) >= 0 && digitOf(name[i+2]) >= 0 {
			b = append(b, byte(digitOf(name[i+1])<<4|digitOf(name[i+2])))
			i += 2
			continue
		}
		b = append(b, name[i])
	}
	return b
}

func digitOf(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

func (s *scan) word(c byte) error {
	b, err := s.run(append(s.buffer[:0], c))
	if err != nil {
		return err
	}
	s.due = false
	switch {
	case s.packed:
	case bytes.Equal(b, []byte("stream")):
		return s.stream()
	case bytes.HasSuffix(b, []byte("obj")): // of the one before, or of this one
		// Or in a comment or a text: the dictionary goes on then.
		s.lost.objects = s.lost.objects || s.object.objects
		s.lost.filtered = s.lost.filtered || s.object.filtered
		s.object = object{}
		s.filter = false
	case c >= '0' && c <= '9':
		s.digits()
	}
	s.number = ""
	return nil
}

// digits takes the number of a key.
func (s *scan) digits() {
	o := &s.object
	switch s.number { // programs that are told where an object is ask for no more of a stream
	case "N":
		o.count = true
	case "First":
		o.first = true
	}
	o.objects = o.objects || o.count && o.first
	if s.filter { // what is told in another object
		o.unread, o.filtered = true, true
	}
}

// isFilter tells the names of filters: what others an array of them has, it is one of them.
func isFilter(name string) bool {
	switch name {
	case "FlateDecode", "Fl", "ASCIIHexDecode", "AHx", "ASCII85Decode", "A85", "LZWDecode", "LZW", "RunLengthDecode", "RL", "Crypt":
		return true
	}
	return false
}
