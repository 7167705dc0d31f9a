// Package markup reads the tokens of an HTML text (HTML §13.2.5), as strings within
// it: a page costs memory only where a token is not as it stands there. Which tokens
// there are is what golang.org/x/net/html says; tests hold it to that.
//
// A text has LF alone for the ends of its lines, and no NUL: see Clean.
package markup

import (
	"strings"

	"golang.org/x/net/html"
)

// Kind is what a token is.
type Kind int

// The kinds of tokens. A tag that does not end is none: it ends the text.
const (
	End Kind = iota
	Text
	Comment // whatever begins like a declaration, too
	Doctype
	StartTag
	ClosedTag // a start tag that ends its element
	EndTag
)

// Reader reads the tokens of a text. It is for one goroutine.
type Reader struct {
	text  string
	at    int
	token string
	name  string
	attrs []attribute
	seen  map[string]bool // names of attributes, of tags with many
	raw   string          // the element whose text follows, where that has no tags
	plain bool            // the text has no references
}

type attribute struct{ name, value string }

// Reset has the reader begin with a text.
func (r *Reader) Reset(text string) {
	r.text, r.at, r.raw, r.token, r.name = text, 0, "", "", ""
	const few = 256
	if cap(r.attrs) > few {
		r.attrs, r.seen = nil, nil
	}
	clear(r.attrs[:cap(r.attrs)])
	r.attrs = r.attrs[:0]
}

// Raw is the token as it stands in the text.
func (r *Reader) Raw() string { return r.token }

// Name is that of a tag, in lower case.
func (r *Reader) Name() string { return r.name }

// Attributes is how many a start tag has; each name counts once.
func (r *Reader) Attributes() int { return len(r.attrs) }

// Attribute is one of a start tag: its name in lower case, its value with references
// resolved.
func (r *Reader) Attribute(i int) (name, value string) {
	return r.attrs[i].name, unescaped(r.attrs[i].value)
}

// Text is a text with references resolved.
func (r *Reader) Text() string {
	if r.plain || strings.IndexByte(r.token, '&') < 0 {
		return r.token
	}
	return html.UnescapeString(r.token)
}

// TagsFollow has what follows a start tag read as elements, where it would be text
// alone.
func (r *Reader) TagsFollow() { r.raw = "" }

// Next goes to the next token.
func (r *Reader) Next() Kind {
	begin := r.at
	if raw := r.raw; raw != "" {
		r.raw = ""
		if r.at = r.rawEnd(begin, raw); r.at > begin {
			r.token, r.plain = r.text[begin:r.at], raw != "textarea" && raw != "title"
			return Text
		}
	}
	for from := begin; ; {
		i := strings.IndexByte(r.text[from:], '<')
		if i < 0 {
			break
		}
		kind := begins(r.text[from+i:])
		if kind == Text {
			from += i + 1
			continue
		}
		if from += i; from > begin {
			r.at = from
			r.token, r.plain = r.text[begin:from], false
			return Text
		}
		return r.markup(kind)
	}
	r.at = len(r.text)
	r.token, r.plain = r.text[begin:], false
	if r.token == "" {
		return End
	}
	return Text
}

// begins is what a "<" begins: Text where it stands for itself.
func begins(text string) Kind {
	if len(text) < 2 {
		return Text
	}
	switch c := text[1]; {
	case isLetter(c):
		return StartTag
	case c == '/' && len(text) == 2:
		return Text
	case c == '/' && isLetter(text[2]):
		return EndTag
	case c == '/', c == '!', c == '?':
		return Comment
	}
	return Text
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func (r *Reader) markup(kind Kind) Kind {
	begin := r.at
	switch kind {
	case StartTag:
		if kind = r.tag(begin + 1); kind != End {
			r.raw = rawText(r.name)
		}
	case EndTag:
		if kind = r.tag(begin + 2); kind != End {
			r.attrs, kind = r.attrs[:0], EndTag
		}
	default:
		rest := r.text[begin:]
		var size int
		switch {
		case strings.HasPrefix(rest, "<!--"):
			size = commentEnd(rest)
		case len(rest) >= 9 && rest[1] == '!' && strings.EqualFold(rest[2:9], "doctype"):
			kind = Doctype
			fallthrough
		default:
			if size = strings.IndexByte(rest, '>') + 1; size == 0 {
				size = len(rest)
			}
		}
		r.at += size
	}
	r.token = r.text[begin:r.at]
	return kind
}

// commentEnd is how long a comment is (HTML §13.2.5.43 to 52).
func commentEnd(text string) int {
	const open = len("<!--")
	for end := open; ; end++ {
		i := strings.IndexByte(text[end:], '>')
		if i < 0 {
			return len(text)
		}
		end += i
		if s := text[open:end]; s == "" || s == "-" || strings.HasSuffix(s, "--") || strings.HasSuffix(s, "--!") {
			return end + 1
		}
	}
}

// rawText is the name of an element that has no elements, "" of others.
func rawText(name string) string {
	switch name {
	case "iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "textarea", "title", "xmp":
		return name
	}
	return ""
}

// rawEnd is where the text of such an element ends.
func (r *Reader) rawEnd(from int, name string) int {
	switch name {
	case "plaintext":
		return len(r.text)
	case "script":
		return from + scriptEnd(r.text[from:])
	}
	for at := from; ; at++ {
		i := strings.Index(r.text[at:], "</")
		if i < 0 {
			return len(r.text)
		}
		if at += i; isTag(r.text[at+2:], name) {
			return at
		}
	}
}
