// Package officexml tells what the XML of office documents says of programs in
// them, and of what they fetch from elsewhere when they are opened: the list of
// what is in a document, the relations between its parts (ECMA-376 part 2 §9,
// §10), and documents that are one text.
package officexml

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"html"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
)

// Found is what was found in a text.
type Found struct {
	// Macros: the document has a project of macros, or a sheet of them.
	Macros bool
	// Remote: another host has a template of the document, or a part or an object
	// that is shown as its own. Programs fetch it without a click, and run the macros
	// of a template. A picture or a link is none.
	Remote bool
}

func (f *Found) add(more Found) {
	f.Macros = f.Macros || more.Macros
	f.Remote = f.Remote || more.Remote
}

// plain is a piece of a text in UTF-16 without what makes it two octets a character:
// what names anything in it is ASCII.
func plain(b []byte) []byte {
	if bytes.IndexByte(b, 0) < 0 {
		return b
	}
	return bytes.ReplaceAll(b, []byte{0}, nil)
}

// text is a part in UTF-8: one in UTF-16 says so, or shows it by its first character
// (XML 1.0, appendix F). What is no character is left out.
func text(b []byte) []byte {
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("<\x00")):
	case bytes.HasPrefix(b, []byte("\xfe\xff")), bytes.HasPrefix(b, []byte("\x00<")):
		order = binary.BigEndian
	default:
		return bytes.ToValidUTF8(b, nil)
	}
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	return bytes.TrimPrefix([]byte(string(utf16.Decode(units))), []byte("\ufeff"))
}

// IsContentTypes tells the name of the list of what a document has in it.
func IsContentTypes(name string) bool { return strings.EqualFold(base(name), "[Content_Types].xml") }

// IsRelations tells the name of a part that relates others.
func IsRelations(name string) bool { return strings.HasSuffix(strings.ToLower(name), ".rels") }

func base(name string) string { return name[strings.LastIndexAny(name, `/\`)+1:] }

// ContentTypes looks into the list of what is in a document, whatever of it can be
// read: a project of macros may be called anything.
func ContentTypes(list []byte) Found {
	return Found{Macros: macros(html.UnescapeString(string(text(list))))}
}

// macros tells whether a type, of content or of a relation, is that of macros.
func macros(kind string) bool {
	kind = strings.ToLower(kind)
	return strings.Contains(kind, "vbaproject") || strings.Contains(kind, "macrosheet")
}

// Relations looks into a part that relates others, as far as it can be read.
func Relations(part []byte) (f Found) {
	d := xml.NewDecoder(bytes.NewReader(text(part)))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		t, err := d.RawToken()
		if err != nil {
			return f
		}
		if start, ok := t.(xml.StartElement); ok && start.Name.Local == "Relationship" {
			f.add(relation(start.Attr))
		}
	}
}

func relation(attributes []xml.Attr) (f Found) {
	var kind, target, mode string
	for _, a := range attributes {
		switch a.Name.Local {
		case "Type":
			kind = a.Value
		case "Target":
			target = a.Value
		case "TargetMode":
			mode = a.Value
		}
	}
	f.Macros = macros(kind)
	kind = strings.ToLower(base(kind))
	f.Remote = strings.EqualFold(strings.TrimSpace(mode), "External") && fetched(kind) && RemoteTarget(target)
	return f
}

// fetched tells the last word of the type of a relation to what programs fetch by
// themselves, pictures aside.
func fetched(kind string) bool {
	return slices.Contains([]string{"attachedtemplate", "oleobject", "frame", "subdocument", "afchunk", "package", "control", "externaldata"}, kind)
}

// RemoteTarget tells whether a target names another host: by a scheme that does, or
// as Windows has shares. A file in a folder of the same host is none.
func RemoteTarget(target string) bool {
	target = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(target), `\`, "/"))
	scheme, rest, ok := strings.Cut(target, ":")
	switch {
	case strings.HasPrefix(target, "//"):
		return true
	case !ok || len(scheme) <= 1: // C:/…
		return false
	case scheme == "file":
		// file://host/path, file:////host/path, file://///host/path
		slashes := len(rest) - len(strings.TrimLeft(rest, "/"))
		rest = strings.TrimLeft(rest, "/")
		host, _, _ := strings.Cut(rest, "/")
		return (slashes == 2 && host != "localhost" || slashes > 3) && !drive(host)
	}
	return strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}

func drive(s string) bool { return len(s) == 2 && (s[1] == ':' || s[1] == '|') }

// IsFlat tells a document that is one text by what it begins with.
func IsFlat(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(bytes.TrimPrefix(head, []byte("\xff\xfe")), []byte("\xfe\xff")), "\x00\xef\xbb\xbf \t\r\n")
	head = plain(head)
	if !bytes.HasPrefix(head, []byte("<?xml")) {
		return false
	}
	for _, word := range []string{"<?mso-application", ":wordDocument", "<pkg:package", "urn:schemas-microsoft-com:office:spreadsheet", "urn:oasis:names:tc:opendocument:xmlns:office:", "office:mimetype"} {
		if bytes.Contains(head, []byte(word)) {
			return true
		}
	}
	return false
}

// overlap is how much of a piece of a document that is one text has to be seen
// once more with the next.
const overlap = 2 << 10
