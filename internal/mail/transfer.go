package mail

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"github.com/tollgate-mail/tollgate/internal/lexical"
)

const (
	encodingBase64 = "base64"
	encodingQuoted = "quoted-printable"
	encodingUU     = "uuencode"
	encodingY      = "yenc"
)

// filed tells of an encoding that has a line before and one behind what it encodes, as
// that of a file within a text has.
func filed(encoding string) bool { return encoding == encodingUU || encoding == encodingY }

// encodings are what the fields say is to be decoded; others tells whether one
// says that nothing is.
func (h Header) encodings(d *defects) (list []string, others bool) {
	fields := 0
	for _, f := range h {
		if !f.Named("Content-Transfer-Encoding") {
			continue
		}
		fields++
		name, known := encodingOf(f.Value)
		switch {
		case !known:
			d.add(encodingUnknown)
			others = true
		case name == "":
			others = true
		case !slices.Contains(list, name):
			list = append(list, name)
		}
	}
	if len(list) > 1 || len(list) == 1 && others {
		d.add(encodingsDiffer)
	}
	return list, others || fields == 0
}

// encodingOf reads a Content-Transfer-Encoding (RFC 2045 §6.1) as programs do;
// "" is one that leaves everything as it is.
func encodingOf(raw string) (name string, known bool) {
	raw = strings.Trim(lexical.Uncomment(fieldtext.Unfold(raw)), " \t\"'")
	if strings.HasPrefix(raw, "=?") {
		raw = strings.TrimSpace(fieldtext.Decode(nil, raw, ""))
	}
	if i := strings.IndexAny(raw, " \t;,(\"'"); i >= 0 {
		raw = raw[:i]
	}
	raw = strings.ToLower(raw)
	switch strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' {
			return -1
		}
		return r
	}, raw) {
	case "base64", "xbase64", "b64", "b":
		return encodingBase64, true
	case "quotedprintable", "xquotedprintable", "qp", "q":
		return encodingQuoted, true
	case "uuencode", "xuuencode", "uue", "xuue", "uu":
		return encodingUU, true
	case "yenc", "xyenc", "yencode", "xyencode":
		return encodingY, true
	case "7bit", "8bit", "binary":
		return "", true
	}
	return "", false
}

// encoding is what is decoded of the content that follows. Where fields
// contradict each other, or nothing is said of what is no text, the content
// decides.
func (s *source) encoding(h Header, text bool) string {
	list, others := h.encodings(s.defects)
	switch {
	case len(list) == 0 && text:
	case len(list) == 0:
		if s.looksEncoded() {
			s.defects.add(encodingLacks)
			return encodingBase64
		}
	case len(list) == 1 && !others:
		return list[0]
	default:
		for _, e := range []string{encodingBase64, encodingUU, encodingY, encodingQuoted} {
			if slices.Contains(list, e) && (filed(e) && len(list) == 1 || s.looks(e)) {
				return e
			}
		}
	}
	return ""
}

// composite reads what has parts of its own. RFC 2045 §6.4 allows no encoding
// of it, and some of it is encoded all the same.
func (w *walker) composite(s *source, content Header, read func(*source) error) error {
	list, _ := content.encodings(&w.defects)
	encoding := ""
	for _, e := range []string{encodingBase64, encodingUU, encodingY, encodingQuoted} {
		if slices.Contains(list, e) {
			w.defects.add(encodedParts)
			if encoding == "" && s.looks(e) {
				encoding = e
			}
		}
	}
	if encoding == "" {
		return read(s)
	}
	if w.encoded >= maxEncoded {
		w.defects.unread(tooDeep)
		return s.skip()
	}
	w.encoded++
	defer func() { w.encoded-- }()
	decoded := w.source(s.decoder(encoding), &w.defects)
	defer w.release(decoded)
	if err := read(decoded); err != nil {
		return err
	}
	return s.skip()
}

// decoder reads the decoded content up to the next delimiter.
func (s *source) decoder(encoding string) io.Reader {
	switch encoding {
	case encodingBase64:
		return &base64Reader{r: &body{s: s}}
	case encodingQuoted:
		return &quotedReader{r: bufio.NewReader(&body{s: s})}
	case encodingUU, encodingY:
		return &firstFile{text: &body{s: s, files: true, yEnc: encoding == encodingY}}
	}
	return &body{s: s}
}

// base64Reader decodes RFC 2045 §6.8 as mail programs do: what is no digit is
// passed over, padding may lack, and may stand within, where a sender joined
// texts after encoding them.
type base64Reader struct {
	r    io.Reader
	buf  [4096]byte
	in   []byte // of buf, not decoded yet
	bits uint32
	have int // bits that make no octet yet
	err  error
}

// digits has the value of each digit, 64 for the padding and 65 for the rest.
var digits = func() (t [256]byte) {
	for c := range 256 {
		t[c] = 65
		if v := lexical.Base64Digit(byte(c)); v >= 0 {
			t[c] = byte(v)
		}
	}
	t['='] = 64
	return t
}()

func (b *base64Reader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(b.in) == 0 {
			if b.err != nil {
				break
			}
			var m int
			m, b.err = b.r.Read(b.buf[:])
			b.in = b.buf[:m]
		}
		n += b.decode(p[n:])
	}
	if n == 0 && len(p) > 0 {
		return 0, b.err
	}
	return n, nil
}

// decode decodes what there is and p has room for.
func (b *base64Reader) decode(p []byte) (n int) {
	in, bits, have := b.in, b.bits, b.have
	for len(in) > 0 && n < len(p) {
		if have == 0 && len(in) >= 4 && len(p)-n >= 3 {
			v0, v1, v2, v3 := digits[in[0]], digits[in[1]], digits[in[2]], digits[in[3]]
			if v0|v1|v2|v3 < 64 {
				v := uint32(v0)<<18 | uint32(v1)<<12 | uint32(v2)<<6 | uint32(v3)
				p[n], p[n+1], p[n+2] = byte(v>>16), byte(v>>8), byte(v)
				in, n = in[4:], n+3
				continue
			}
		}
		v := digits[in[0]]
		in = in[1:]
		switch {
		case v < 64:
			bits = bits<<6 | uint32(v)
			if have += 6; have >= 8 {
				have -= 8
				p[n] = byte(bits >> have)
				n++
			}
		case v == 64:
			have = 0
		}
	}
	b.in, b.bits, b.have = in, bits, have
	return n
}

// quotedReader decodes RFC 2045 §6.7; an equals sign that begins nothing
// stays.
type quotedReader struct {
	r *bufio.Reader
}

func (q *quotedReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && (n == 0 || q.r.Buffered() > 0) {
		if _, err := q.r.Peek(1); err != nil {
			return 0, err // n is 0: what is buffered is no error
		}
		plain, _ := q.r.Peek(min(q.r.Buffered(), len(p)-n))
		if i := bytes.IndexByte(plain, '='); i >= 0 {
			plain = plain[:i]
		}
		if len(plain) > 0 {
			n += copy(p[n:], plain)
			_, _ = q.r.Discard(len(plain)) // they are buffered
			continue
		}
		_, _ = q.r.Discard(1)
		if c, ok := q.escape(); ok {
			p[n] = c
			n++
		}
	}
	return n, nil
}

// escape reads what follows an equals sign; ok is false for a soft line break.
// An error comes again with the next octet.
func (q *quotedReader) escape() (c byte, ok bool) {
	ahead, _ := q.r.Peek(2)
	if len(ahead) == 2 && lexical.HexDigit(ahead[0]) >= 0 && lexical.HexDigit(ahead[1]) >= 0 {
		c = byte(lexical.HexDigit(ahead[0])<<4 | lexical.HexDigit(ahead[1]))
		_, _ = q.r.Discard(2) // they are buffered
		return c, true
	}
	// White space may have been added at the end of the line.
	const most = 100
	blanks := 0
	for blanks < most {
		ahead, _ = q.r.Peek(blanks + 2)
		if len(ahead) <= blanks {
			_, _ = q.r.Discard(blanks)
			return 0, false
		}
		switch ahead[blanks] {
		case ' ', '\t':
			blanks++
			continue
		case '\n':
			_, _ = q.r.Discard(blanks + 1)
			return 0, false
		case '\r':
			if len(ahead) > blanks+1 && ahead[blanks+1] == '\n' {
				blanks++
			}
			_, _ = q.r.Discard(blanks + 1)
			return 0, false
		}
		break
	}
	return '=', true
}
