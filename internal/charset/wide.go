package charset

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"
)

// wide is UTF-16 (RFC 2781) or UTF-32: units of 2 or 4 octets, in the order of
// the label unless a byte order mark says otherwise.
type wide struct {
	unit   int
	little bool
}

// NewDecoder reads a whole text: the mark in front is asked for its order.
func (w wide) NewDecoder() *encoding.Decoder {
	return &encoding.Decoder{Transformer: wideDecoder{w}}
}

// NewEncoder writes nothing but UTF-8's replacement: we never write these.
func (wide) NewEncoder() *encoding.Encoder { return encoding.Replacement.NewEncoder() }

// marked is the order that a byte order mark tells.
func (w wide) marked(octets string) (little, ok bool) {
	if len(octets) < w.unit {
		return false, false
	}
	switch octets[:w.unit] {
	case "\xff\xfe", "\xff\xfe\x00\x00":
		return true, true
	case "\xfe\xff", "\x00\x00\xfe\xff":
		return false, true
	}
	return false, false
}

func (w wide) read(octets string) string {
	if little, ok := w.marked(octets); ok {
		w.little, octets = little, octets[w.unit:]
	}
	var b strings.Builder
	b.Grow(len(octets))
	high := rune(0)
	for ; len(octets) >= w.unit; octets = octets[w.unit:] {
		v := uint32(0)
		for i := range w.unit {
			at := i // the octet that counts for most first
			if w.little {
				at = w.unit - 1 - i
			}
			v = v<<8 | uint32(octets[at])
		}
		r := rune(v)
		if w.unit == 4 {
			if v > utf8.MaxRune {
				r = utf8.RuneError
			}
			b.WriteRune(r)
			continue
		}
		if high != 0 {
			pair := utf16.DecodeRune(high, r)
			b.WriteRune(pair)
			if high = 0; pair != utf8.RuneError {
				continue
			}
		}
		if utf16.IsSurrogate(r) && r < 0xdc00 {
			high = r
			continue
		}
		b.WriteRune(r)
	}
	if high != 0 || octets != "" {
		b.WriteRune(utf8.RuneError)
	}
	return b.String()
}

// wideDecoder has to see all of a text at once.
type wideDecoder struct{ wide }

func (wideDecoder) Reset() {}

func (d wideDecoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	if !atEOF {
		return 0, 0, transform.ErrShortSrc
	}
	s := d.read(string(src))
	if len(s) > len(dst) {
		return 0, 0, transform.ErrShortDst
	}
	return copy(dst, s), len(src), nil
}

// Turned is the charset in the other order of octets, where the label leaves
// the order open, or may lie: programs differ there (RFC 2781 §4.3; the WHATWG
// has it the other way round).
func (c Charset) Turned(octets string) (Charset, bool) {
	w, ok := c.encoding.(wide)
	if !ok {
		return Charset{}, false
	}
	if _, marked := w.marked(octets); marked {
		return Charset{}, false
	}
	return Charset{wide{w.unit, !w.little}, c.name}, true
}
