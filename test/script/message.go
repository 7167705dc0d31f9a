package script

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime/quotedprintable"
	"regexp"
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

var (
	encodedWord = regexp.MustCompile(`=\?([^?*]+)(?:\*[^?]*)?\?([BbQq])\?([^? ]*)\?=`)
	between     = regexp.MustCompile(`(\?=)[ \t]+(=\?)`)
)

// Decode unfolds a raw value and decodes its encoded-words (RFC 2047). The
// octets of neighbours in one charset are joined first, for senders cut
// characters in two.
func Decode(raw string) (string, error) {
	text := strings.TrimSpace(strings.ReplaceAll(raw, "\r\n", ""))
	for between.MatchString(text) {
		text = between.ReplaceAllString(text, "$1$2")
	}
	var out strings.Builder
	var octets []byte
	charset, pos := "", 0
	flush := func() error {
		if charset == "" {
			return nil
		}
		e, err := htmlindex.Get(charset)
		if err != nil {
			return fmt.Errorf("script: charset %q: %w", charset, err)
		}
		decoded, err := e.NewDecoder().Bytes(octets)
		if err != nil {
			return fmt.Errorf("script: %q in %s: %w", octets, charset, err)
		}
		out.Write(decoded)
		charset, octets = "", nil
		return nil
	}
	for _, m := range encodedWord.FindAllStringSubmatchIndex(text, -1) {
		label := strings.ToLower(text[m[2]:m[3]])
		if m[0] > pos || label != charset {
			if err := flush(); err != nil {
				return "", err
			}
		}
		out.WriteString(text[pos:m[0]])
		pos = m[1]
		word, err := wordOctets(text[m[4]:m[5]], text[m[6]:m[7]])
		if err != nil {
			return "", fmt.Errorf("script: %q: %w", raw, err)
		}
		charset, octets = label, append(octets, word...)
	}
	if err := flush(); err != nil {
		return "", err
	}
	out.WriteString(text[pos:])
	return out.String(), nil
}

func wordOctets(encoding, text string) ([]byte, error) {
	if strings.EqualFold(encoding, "B") {
		return base64.StdEncoding.DecodeString(text)
	}
	return io.ReadAll(quotedprintable.NewReader(strings.NewReader(strings.ReplaceAll(text, "_", " "))))
}
