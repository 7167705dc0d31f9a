package markup

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// few is how many attributes are looked through one by one.
const few = 8

// manyNames is how many names of attributes are kept room for.
const manyNames = 256

// isSpace tells of what stands between attributes. There is no CR (see Clean).
func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\f' || c == '\r' }

// tag reads a tag whose name is at a place (HTML §13.2.5.8 and 32 to 40); End where
// the text ends before it does.
func (r *Reader) tag(at int) Kind {
	text := r.text
	r.attrs = r.attrs[:0]
	if len(r.seen) > manyNames {
		r.seen = nil // to clear the room of many costs as much with each tag to come
	}
	clear(r.seen)
	begin := at
	for at < len(text) && !isSpace(text[at]) && text[at] != '/' && text[at] != '>' {
		at++
	}
	r.name = lower(text[begin:min(at, len(text))])
	valueEnd := -1
	for {
		at = behindSpace(text, at)
		if at >= len(text) {
			break
		}
		if text[at] == '>' {
			r.at = at + 1
			if text[at-1] == '/' && at != valueEnd {
				return ClosedTag
			}
			return StartTag
		}
		var a attribute
		var end int
		a, end, at = readAttribute(text, at)
		if a.name != "" && r.keep(&a) {
			valueEnd = end
		}
	}
	r.at = len(text)
	return End
}

// keep adds an attribute, unless there is one of its name.
func (r *Reader) keep(a *attribute) bool {
	a.name = lower(a.name)
	if len(r.attrs) < few {
		if slices.ContainsFunc(r.attrs, func(b attribute) bool { return b.name == a.name }) {
			return false
		}
	} else {
		if r.seen == nil {
			r.seen = make(map[string]bool)
		}
		if len(r.seen) == 0 {
			for _, b := range r.attrs {
				r.seen[b.name] = true
			}
		}
		if r.seen[a.name] {
			return false
		}
		r.seen[a.name] = true
	}
	r.attrs = append(r.attrs, *a)
	return true
}

// readAttribute reads one; end is where its value does. What is no attribute has no
// name.
func readAttribute(text string, at int) (a attribute, end, next int) {
	begin := at
	for ; at < len(text); at++ {
		c := text[at]
		if isSpace(c) || c == '/' || c == '>' || c == '=' && at > begin { // a name may begin with one
			break
		}
	}
	a.name, end = text[begin:at], at
	switch at = behindSpace(text, at); {
	case at >= len(text):
		return a, end, at
	case text[at] == '/':
		return a, end, at + 1
	case text[at] != '=':
		return a, end, at
	}
	if at = behindSpace(text, at+1); at >= len(text) {
		return a, end, at
	}
	switch quote := text[at]; quote {
	case '>':
		return a, end, at
	case '\'', '"':
		at++
		i := strings.IndexByte(text[at:], quote)
		if i < 0 {
			return attribute{}, len(text), len(text)
		}
		a.value = text[at : at+i]
		return a, at + i, at + i + 1
	}
	begin = at
	for at < len(text) && !isSpace(text[at]) && text[at] != '>' {
		at++
	}
	a.value = text[begin:at]
	return a, at, at
}

func behindSpace(text string, at int) int {
	for at < len(text) && isSpace(text[at]) {
		at++
	}
	return at
}

// lower is a name in lower case, as far as it is ASCII.
func lower(name string) string {
	for i := range len(name) {
		if c := name[i]; 'A' <= c && c <= 'Z' {
			b := []byte(name)
			for i, c := range b {
				if 'A' <= c && c <= 'Z' {
					b[i] = c | 0x20
				}
			}
			return string(b)
		}
	}
	return name
}

// unescaped is the value of an attribute with its references resolved. Unlike in
// texts, a name that no semicolon ends is one only where it is whole, and no
// parameter of an address (HTML §13.2.5.73).
func unescaped(value string) string {
	at := strings.IndexByte(value, '&')
	if at < 0 {
		return value
	}
	var b strings.Builder
	b.Grow(len(value))
	for at >= 0 {
		b.WriteString(value[:at])
		value = value[at:]
		size := reference(value)
		piece := value[:size]
		value = value[size:]
		if resolved := html.UnescapeString(piece); whole(piece, resolved, value) {
			piece = resolved
		}
		b.WriteString(piece)
		at = strings.IndexByte(value, '&')
	}
	b.WriteString(value)
	return b.String()
}

// reference is how long the one may be that a text begins with.
func reference(text string) int {
	at := 1
	if at < len(text) && text[at] == '#' {
		at++
		for at < len(text) && (isLetter(text[at]) || isDigit(text[at])) {
			at++
		}
	} else {
		for at < len(text) && (isLetter(text[at]) || isDigit(text[at])) {
			at++
		}
	}
	if at < len(text) && text[at] == ';' {
		at++
	}
	return at
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// whole tells whether all of a reference was resolved.
func whole(piece, resolved, rest string) bool {
	last := piece[len(piece)-1]
	switch {
	case strings.HasPrefix(piece, "&#"):
		return true // a number ends where its digits do
	case last == ';':
		return resolved[len(resolved)-1] != ';' || piece == "&semi;"
	}
	return resolved[len(resolved)-1] != last && !strings.HasPrefix(rest, "=")
}

// Clean is a text as Reader takes it: the ends of lines are LF (HTML §13.2.3.5), and
// there is no NUL, which browsers pass over in text.
func Clean(text string) string {
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "")
	}
	at := strings.IndexByte(text, '\r')
	if at < 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for at >= 0 {
		b.WriteString(text[:at])
		b.WriteByte('\n')
		if text = text[at+1:]; strings.HasPrefix(text, "\n") {
			text = text[1:]
		}
		at = strings.IndexByte(text, '\r')
	}
	b.WriteString(text)
	return b.String()
}
