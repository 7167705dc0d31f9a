package mail

import (
	"bytes"
	"io"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// SplitMessage divides a message as Postfix shows it to a milter: the fields
// with bare LF folds, and the body as it came. The header ends at an empty
// line, which is no part of the body, or before the first line that is no
// field. A first line "From ..." of a mailbox becomes the field
// X-Mailbox-Line.
func SplitMessage(b []byte) (Header, []byte) {
	var h Header
	var name string
	var value []byte // of the field under way, if name is not empty
	end := func() Header {
		if name != "" {
			h = append(h, Field{name, string(value)})
		}
		return h
	}
	for len(b) > 0 {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case name == "" && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")):
			h = append(h, Field{"X-Mailbox-Line", " " + string(line)})
		case len(line) == 0:
			return end(), rest
		case line[0] == ' ' || line[0] == '\t':
			if name == "" {
				return h, b
			}
			value = append(append(value, '\n'), line...)
		default:
			n, v, ok := cutField(line)
			if !ok {
				return end(), b
			}
			end()
			name, value = n, append(value[:0], v...)
		}
		b = rest
	}
	return end(), nil
}

// cutField reads the first line of a field: printable ASCII, white space that
// Postfix tolerates, a colon.
func cutField(line []byte) (name string, value []byte, ok bool) {
	i := bytes.IndexByte(line, ':')
	if i < 0 {
		return "", nil, false
	}
	name = string(bytes.TrimRight(line[:i], " \t"))
	if name == "" {
		return "", nil, false
	}
	for j := 0; j < len(name); j++ {
		if name[j] <= ' ' || name[j] > '~' {
			return "", nil, false
		}
	}
	return name, line[i+1:], true
}

// Listing is what a message is made of.
type Listing struct {
	Names, Types []string // file names and media types of all parts, each once, in order
	Defects      []string // names of the table of Defects
	Files        FileCount
}

// FileCount is what a message has of files. It is of MeasureParts alone.
type FileCount struct {
	Count   int64 // parts with a name, or meant to be kept as a file (RFC 2183 §2.2)
	Largest int64 // octets of the largest, decoded
}

// ListParts lists all parts. On error it is what was found until then; one that
// wraps ErrComplex says that there may be more names. Octets that nothing labels
// are read in the fallback charset.
func ListParts(b *budget.Budget, r io.Reader, fallbackCharset string) (Listing, error) {
	return list(b, r, fallbackCharset, func(*Part) error { return nil })
}

// MeasureParts lists all parts and measures the files, which it decodes for it.
// Errors are those of ListParts.
func MeasureParts(b *budget.Budget, r io.Reader, fallbackCharset string) (Listing, error) {
	var files FileCount
	l, err := list(b, r, fallbackCharset, func(p *Part) error {
		if len(p.Names) == 0 && p.Disposition != "attachment" {
			return nil
		}
		n, err := io.Copy(io.Discard, p.Body)
		files.Count, files.Largest = files.Count+1, max(files.Largest, n)
		return err
	})
	l.Files = files
	return l, err
}

func list(b *budget.Budget, r io.Reader, fallbackCharset string, also func(*Part) error) (Listing, error) {
	var names, kinds NameList
	w := &walker{budget: b}
	w.visit = func(p *Part) error {
		for _, name := range p.Names {
			if names.Add(name) != nil {
				w.defects.unread(tooManyNames)
			}
		}
		if kinds.Add(p.Type) != nil {
			w.defects.unread(tooManyNames)
		}
		return also(p)
	}
	err := w.read(r, fallbackCharset)
	return Listing{Names: names.Names, Types: kinds.Names, Defects: w.defects.names()}, err
}
