package officexml

import (
	"bytes"
	"html"
	"iter"
	"regexp"
)

// Documents that are one text. They are looked through for words first: an expression
// for all of them costs two hundred times more an octet.

// Flat looks into a piece of a document that is one text.
func Flat(piece []byte) (f Found) {
	piece = plain(piece)
	f.Macros = macrosPresent(piece)
	for tag := range tags(piece, "source-code", true) { // of OpenDocument
		f.Macros = f.Macros || tag != nil
	}
	for tag := range tags(piece, "attachedTemplate", false) { // of Word 2003
		if m := templateIn.FindSubmatch(tag); m != nil {
			f.add(Found{Remote: RemoteTarget(html.UnescapeString(string(m[1])))})
		}
	}
	for tag := range tags(piece, "Relationship", false) {
		if tag[len(tag)-1] == '>' {
			f.add(Relations(tag))
		}
	}
	return f
}

var templateIn = regexp.MustCompile(`\s[^<>]*val\s*=\s*["']([^"'<>]*)`)

// macrosPresent tells whether a piece names macros as Word 2003 does, or what they are in
// where the document would be a zip otherwise.
func macrosPresent(piece []byte) bool {
	const said = "macrosPresent"
	for rest := piece; ; {
		i := bytes.Index(rest, []byte(said))
		if i < 0 {
			break
		}
		rest = rest[i+len(said):]
		value, ok := bytes.CutPrefix(bytes.TrimLeft(rest, spaces), []byte("="))
		value = bytes.TrimLeft(value, spaces)
		if ok && len(value) > 0 && (value[0] == '"' || value[0] == '\'') && bytes.HasPrefix(value[1:], []byte("yes")) {
			return true
		}
	}
	lower := make([]byte, len(piece))
	for i, c := range piece {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	return bytes.Contains(lower, []byte("vbaproject.bin")) || bytes.Contains(lower, []byte("editdata.mso"))
}

// Again is how many octets at the end of a piece have to be seen once more with the next:
// those of a tag that has not ended, up to half of the piece. Lost tells of a longer one
// that may say what is looked for.
func Again(piece []byte) (octets int, lost bool) {
	at := bytes.LastIndexByte(piece, '<')
	if at < 0 || bytes.IndexByte(piece[at:], '>') >= 0 {
		return min(overlap, len(piece)), false
	}
	tag := piece[at:]
	if len(tag) <= len(piece)/2 {
		return max(len(tag), min(overlap, len(piece))), false
	}
	const longestName = 256
	name := plain(tag[:min(len(tag), 2*longestName)])
	return min(overlap, len(piece)), bytes.Contains(name, []byte("attachedTemplate")) || bytes.Contains(name, []byte("Relationship"))
}

const spaces = " \t\n\f\r"

// tags are the start tags of a name in a piece, whatever is their prefix, up to their end
// or what else begins before it. Behind the name there is white space, or if it may be so
// the end of the tag.
func tags(piece []byte, name string, bare bool) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for at := 0; ; {
			i := bytes.Index(piece[at:], []byte(name))
			if i < 0 {
				return
			}
			begin := at + i
			at = begin + len(name)
			// What is behind it comes first: names that are looked back over have none of it.
			if at >= len(piece) || bytes.IndexByte([]byte(spaces), piece[at]) < 0 && !(bare && piece[at] == '>') {
				continue
			}
			if begin > 0 && piece[begin-1] == ':' {
				begin--
			}
			for begin > 0 && isName(piece[begin-1]) {
				begin--
			}
			if begin == 0 || piece[begin-1] != '<' {
				continue
			}
			end := len(piece)
			if n := bytes.IndexAny(piece[at:], "<>"); n >= 0 {
				if end = at + n; piece[end] == '>' {
					end++
				}
			}
			if !yield(piece[begin-1 : end]) {
				return
			}
		}
	}
}

func isName(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '.' || c == '-'
}
