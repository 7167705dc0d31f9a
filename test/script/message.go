package script

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// Field is a header field as it stands in a message.
type Field struct {
	Name string
	Raw  string // all after the colon, with CR LF folds, without the line end
}

// Message is a message cut at the blank line. It is read by other means than
// the ones under test.
type Message struct {
	Fields []Field
	Body   []byte // after the blank line
}

// ReadMessage cuts a message whose line ends are CR LF.
func ReadMessage(data []byte) Message {
	var m Message
	for len(data) > 0 {
		end := bytes.Index(data, []byte("\r\n"))
		if end < 0 {
			end = len(data)
		}
		line := string(data[:end])
		rest := data[min(end+2, len(data)):]
		if line == "" {
			m.Body = rest
			return m
		}
		switch {
		case len(m.Fields) > 0 && (line[0] == ' ' || line[0] == '\t'):
			m.Fields[len(m.Fields)-1].Raw += "\r\n" + line
		default:
			name, raw, ok := strings.Cut(line, ":")
			if !ok {
				m.Body = data // the header ended without a blank line
				return m
			}
			m.Fields = append(m.Fields, Field{name, raw})
		}
		data = rest
	}
	return m
}

// All are the raw values of all fields of that name, in any case.
func (m Message) All(name string) []string {
	var all []string
	for _, f := range m.Fields {
		if strings.EqualFold(f.Name, name) {
			all = append(all, f.Raw)
		}
	}
	return all
}

// Without leaves out the fields of those names.
func (m Message) Without(names ...string) []Field {
	var rest []Field
next:
	for _, f := range m.Fields {
		for _, name := range names {
			if strings.EqualFold(f.Name, strings.TrimSpace(name)) {
				continue next
			}
		}
		rest = append(rest, f)
	}
	return rest
}

// Decode unfolds a raw value and decodes its encoded-words.
func Decode(raw string) (string, error) {
	d := mime.WordDecoder{CharsetReader: func(label string, in io.Reader) (io.Reader, error) {
		e, err := htmlindex.Get(label)
		if err != nil {
			return nil, err
		}
		return e.NewDecoder().Reader(in), nil
	}}
	text, err := d.DecodeHeader(strings.TrimSpace(strings.ReplaceAll(raw, "\r\n", "")))
	if err != nil {
		return "", fmt.Errorf("script: decode %q: %w", raw, err)
	}
	return text, nil
}
