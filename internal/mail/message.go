package mail

import "bytes"

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
