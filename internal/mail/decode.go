package mail

import (
	"encoding/base64"
	"strings"

	"golang.org/x/text/encoding"
)

// Decode unfolds a raw value and decodes its encoded-words (RFC 2047). Raw
// 8-bit octets are read as UTF-8 when they are valid, else in fallbackCharset.
// The result is UTF-8 on one line, without control characters but tabs. An
// encoded-word that cannot be decoded stays as it is. Time is linear in the
// length of raw.
func Decode(raw, fallbackCharset string) string {
	s := unfold(raw)
	if plain(s) {
		return s
	}
	d := decoder{fallback: fallbackCharset, rest: s}
	d.out.Grow(len(s))
	return printable(d.run())
}

// AppendDecode appends what Decode returns, without the white space around it
// and, for a value of printable ASCII, without an allocation.
func AppendDecode(dst []byte, raw, fallbackCharset string) []byte {
	start := len(dst)
	if foldsOnly(raw) {
		dst = appendUnfolded(dst, strings.TrimLeft(raw, " \t\r\n"))
	} else {
		dst = append(dst, strings.TrimSpace(Decode(raw, fallbackCharset))...)
	}
	for len(dst) > start && (dst[len(dst)-1] == ' ' || dst[len(dst)-1] == '\t') {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// foldsOnly tells whether a text decodes to itself but for its folds.
func foldsOnly(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x7f || c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == '=' && i+1 < len(s) && s[i+1] == '?' {
			return false
		}
	}
	return true
}

// plain tells whether a text decodes to itself.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x7f || c < ' ' && c != '\t' || c == '=' && i+1 < len(s) && s[i+1] == '?' {
			return false
		}
	}
	return true
}

// unfold takes out line ends: before white space they are folds (RFC 5322
// §2.2.3), elsewhere they become a space, for a value is one line.
func unfold(s string) string {
	if strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return string(appendUnfolded(make([]byte, 0, len(s)), s))
}

func appendUnfolded(dst []byte, s string) []byte {
	if strings.IndexByte(s, '\r') < 0 {
		// What an MTA shows: line by line, not octet by octet.
		for {
			n := strings.IndexByte(s, '\n')
			if n < 0 {
				return append(dst, s...)
			}
			dst = append(dst, s[:n]...)
			s = strings.TrimLeft(s[n:], "\n")
			if s != "" && s[0] != ' ' && s[0] != '\t' {
				dst = append(dst, ' ')
			}
		}
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\n' && s[i] != '\r' {
			dst = append(dst, s[i])
			continue
		}
		for i+1 < len(s) && (s[i+1] == '\n' || s[i+1] == '\r') {
			i++
		}
		if i+1 < len(s) && s[i+1] != ' ' && s[i+1] != '\t' {
			dst = append(dst, ' ')
		}
	}
	return dst
}

// printable takes out control characters, which a value may hide words with.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r':
			return ' '
		case r < ' ' && r != '\t', r == 0x7f:
			return -1
		}
		return r
	}, s)
}

type decoder struct {
	out      strings.Builder
	fallback string
	rest     string
	noEnd    bool // no further "?=" follows

	// Octets of adjacent encoded-words in one charset wait here: characters
	// are divided between words in practice, though RFC 2047 §5 forbids it.
	octets []byte
	enc    encoding.Encoding
	within bool
}

func (d *decoder) run() string {
	for d.rest != "" {
		i := strings.Index(d.rest, "=?")
		if i < 0 {
			i = len(d.rest)
		}
		text := d.rest[:i]
		d.rest = d.rest[i:]
		if d.rest == "" {
			d.literal(text)
			break
		}
		w, ok := d.word()
		if !ok {
			d.literal(text + d.rest[:w.length])
			d.rest = d.rest[w.length:]
			continue
		}
		// RFC 2047 §6.2: white space between encoded-words is not shown.
		if !d.within || strings.Trim(text, " \t") != "" {
			d.literal(text)
		}
		if d.within && d.enc != w.enc {
			d.flush()
		}
		d.within, d.enc = true, w.enc
		d.octets = append(d.octets, w.octets...)
		d.rest = d.rest[w.length:]
	}
	d.flush()
	return d.out.String()
}

// literal is text outside encoded-words.
func (d *decoder) literal(s string) {
	if s == "" {
		return
	}
	d.flush()
	d.out.WriteString(readRaw(s, d.fallback))
}

func (d *decoder) flush() {
	if d.within {
		d.out.WriteString(convert(d.enc, string(d.octets)))
	}
	d.octets, d.within = d.octets[:0], false
}

// word is an encoded-word. Of one that cannot be decoded only length is set:
// what of the text is to be passed over.
type word struct {
	length int
	enc    encoding.Encoding
	octets []byte
}

// word reads the encoded-word at the start of rest, which begins with "=?".
func (d *decoder) word() (word, bool) {
	if d.noEnd {
		return word{length: 2}, false
	}
	w, ok := wordAt(d.rest)
	if w.length < 0 {
		d.noEnd = true
		w.length = 2
	}
	return w, ok
}

// maxLabel bounds a charset's name, so that a text of many "=?" is read once.
const maxLabel = 80

// wordAt reads the encoded-word that s begins with, if it begins with "=?". A
// length of -1 says that there is no end of a word in all of s. White space within a word, which RFC
// 2047 §2 forbids, is tolerated: mail has it.
func wordAt(s string) (word, bool) {
	const start = len("=?")
	if !strings.HasPrefix(s, "=?") {
		return word{}, false
	}
	q := strings.IndexByte(s[start:min(len(s), start+maxLabel)], '?')
	if q < 0 || len(s) < start+q+len("?Q?") || s[start+q+2] != '?' {
		return word{length: start}, false
	}
	enc, known := charset(s[start : start+q])
	if !known {
		return word{length: start}, false
	}
	text := start + q + len("?Q?")
	end := strings.Index(s[text:], "?=")
	if end < 0 {
		return word{length: -1}, false
	}
	w := word{length: text + end + len("?="), enc: enc}
	var ok bool
	switch s[start+q+1] {
	case 'q', 'Q':
		w.octets, ok = decodeQ(s[text:text+end]), true
	case 'b', 'B':
		w.octets, ok = decodeB(s[text : text+end])
	default:
		return word{length: start}, false
	}
	return w, ok
}

// decodeQ is RFC 2047 §4.2; an equals sign that begins no octet stays.
func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_':
			out = append(out, ' ')
		case c == '=' && i+2 < len(s) && hexDigit(s[i+1]) >= 0 && hexDigit(s[i+2]) >= 0:
			out = append(out, byte(hexDigit(s[i+1])<<4|hexDigit(s[i+2])))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// decodeB is RFC 2047 §4.1, without the padding that mail often lacks.
func decodeB(s string) ([]byte, bool) {
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '=' {
			return -1
		}
		return r
	}, s)
	if len(s) > 1 && len(s)%4 == 1 {
		s = s[:len(s)-1] // six bits make no octet
	}
	out, err := base64.RawStdEncoding.DecodeString(s)
	return out, err == nil
}
