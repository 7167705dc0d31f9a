package mail

import (
	"bytes"
	"strings"
)

// SplitMessage divides a message as Postfix shows it to a milter: the fields
// with bare LF folds, and the body as it came. The header ends at an empty
// line, which is no part of the body, or before the first line that is no
// field. A first line "From ..." of a mailbox becomes the field
// X-Mailbox-Line.
func SplitMessage(b []byte) (Header, []byte) {
	var h Header
	first := true
	for len(b) > 0 {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case first && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")):
			h = append(h, Field{"X-Mailbox-Line", " " + string(line)})
			b = rest
			continue
		case len(line) == 0:
			return h, rest
		case line[0] == ' ' || line[0] == '\t':
			if len(h) == 0 || first {
				return h, b
			}
			h[len(h)-1].Value += "\n" + string(line)
		default:
			name, value, ok := cutField(string(line))
			if !ok {
				return h, b
			}
			h = append(h, Field{name, value})
		}
		first = false
		b = rest
	}
	return h, nil
}

// cutField reads the first line of a field: printable ASCII, white space that
// Postfix tolerates, a colon.
func cutField(line string) (name, value string, ok bool) {
	i := strings.IndexByte(line, ':')
	if i < 0 {
		return "", "", false
	}
	name = strings.TrimRight(line[:i], " \t")
	if name == "" {
		return "", "", false
	}
	for j := 0; j < len(name); j++ {
		if name[j] <= ' ' || name[j] > '~' {
			return "", "", false
		}
	}
	return name, line[i+1:], true
}
