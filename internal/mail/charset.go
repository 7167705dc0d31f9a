package mail

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
)

// charset finds an encoding by a label of the WHATWG or of IANA; nil for
// UTF-8, ok is false for one that nobody knows.
func charset(label string) (e encoding.Encoding, ok bool) {
	label, _, _ = strings.Cut(strings.TrimSpace(label), "*") // RFC 2231 §5: a language may follow
	switch {
	case label == "":
		return nil, false
	case strings.EqualFold(label, "utf-8"), strings.EqualFold(label, "utf8"):
		return nil, true
	}
	if e, err := htmlindex.Get(label); err == nil {
		if name, err := htmlindex.Name(e); err == nil && name == "utf-8" {
			return nil, true
		} else if name == "replacement" {
			return nil, false
		}
		return e, true
	}
	if e, err := ianaindex.MIME.Encoding(label); err == nil && e != nil {
		return e, true
	}
	return nil, false
}

// convert reads octets in a charset. What cannot be read becomes U+FFFD.
func convert(e encoding.Encoding, octets string) string {
	if e == nil {
		return strings.ToValidUTF8(octets, "\uFFFD")
	}
	s, err := e.NewDecoder().String(octets)
	if err != nil {
		return strings.ToValidUTF8(octets, "\uFFFD")
	}
	return s
}

// readRaw reads octets that no encoded-word declares: UTF-8 (RFC 6532) when
// they are valid, else the fallback charset, else windows-1252, which has a
// character for nearly every octet.
func readRaw(s, fallback string) string {
	if utf8.ValidString(s) {
		return s
	}
	if e, ok := charset(fallback); ok && e != nil {
		return convert(e, s)
	}
	return convert(charmap.Windows1252, s)
}
