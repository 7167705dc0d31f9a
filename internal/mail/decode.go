package mail

import (
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
	return printable(decodeAll(s, fallbackCharset))
}

// decodeAll decodes a text of one line, control characters included.
func decodeAll(s, fallbackCharset string) string {
	d := decoder{fallback: fallbackCharset, rest: s}
	d.out.Grow(len(s))
	return d.run()
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
		case r == '\n', r == '\r', r == '\u0085', r == '\u2028', r == '\u2029': // line ends, Unicode's too
			return ' '
		case r < ' ' && r != '\t', r >= 0x7f && r < 0xa0:
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
