package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/charset"
)

// Decode unfolds a raw value and decodes its encoded-words (RFC 2047). Octets
// that nothing labels, or whose label says nothing, are read as charset.Raw has
// it: as UTF-8 where they are, else in fallbackCharset. The result is UTF-8 on
// one line, without control characters but tabs, and with one kind of space. An
// encoded-word that cannot be decoded stays as it is. Time is linear in the
// length of raw, and charged; once the budget is spent nothing is decoded any
// more, and whoever asked has to look at it.
func Decode(b *budget.Budget, raw, fallbackCharset string) string {
	spent := b.Charge(1 + len(raw))
	s := unfold(raw)
	switch {
	case plain(s):
		return s
	case spent != nil:
		return printable(strings.ToValidUTF8(s, "\uFFFD"))
	}
	return printable(decodeAll(b, s, fallbackCharset))
}

// decodeAll decodes a text of one line, control characters included.
func decodeAll(b *budget.Budget, s, fallbackCharset string) string {
	d := decoder{budget: b, fallback: fallbackCharset, rest: s}
	d.out.Grow(len(s))
	return d.run()
}

// AppendDecode appends what Decode returns, without the white space around it
// and, for a value of printable ASCII, without an allocation.
func AppendDecode(b *budget.Budget, dst []byte, raw, fallbackCharset string) []byte {
	start := len(dst)
	if foldsOnly(raw) {
		_ = b.Charge(1 + len(raw))
		dst = appendUnfolded(dst, strings.TrimLeft(raw, " \t\r\n"))
	} else {
		dst = append(dst, strings.TrimSpace(Decode(b, raw, fallbackCharset))...)
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
	var room [256]byte // most values are shorter
	return string(appendUnfolded(room[:0], s))
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

// printable takes out control characters, which a value may hide words with,
// and makes a space of what looks like one.
func printable(s string) string {
	if isPrintable(s) { // most are, and strings.Map asks a function for each character
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\u0085', r == '\u2028', r == '\u2029': // line ends, Unicode's too
			return ' '
		case r < ' ' && r != '\t', r >= 0x7f && r < 0xa0:
			return -1
		case r >= 0xa0 && unicode.Is(unicode.Zs, r):
			return ' '
		}
		return r
	}, s)
}

// isPrintable tells of a text of well-formed UTF-8 that printable leaves it as it
// is. It may say no of others.
func isPrintable(s string) bool {
	for _, r := range s {
		switch {
		case r >= ' ' && r < 0x7f, r == '\t':
		case r < 0xa0, r == utf8.RuneError, r == '\u2028', r == '\u2029':
			return false
		case r < 0x1680 && r != 0xa0: // no space between
		case unicode.Is(unicode.Zs, r):
			return false
		}
	}
	return true
}

// manner is how labels and the ends of words are taken.
type manner uint8

const (
	asLabelled  manner = iota // as RFC 2047 has it
	anyLabel                  // those that nobody knows, too
	asUTF8                    // what is UTF-8, whatever it is labelled
	joinedWords               // what is divided between words without care: base64, sets of characters
	otherOrder                // UTF-16 and UTF-32 in the other order of octets
	brokenWords               // what is no digit of base64 left out; a word that nothing ends
)

type decoder struct {
	budget   *budget.Budget
	out      strings.Builder
	manner   manner
	fallback string
	hint     string // the label of a word before, for octets without one
	rest     string
	noEnd    bool // no further "?=" follows

	// Octets of adjacent encoded-words in one charset wait here: characters
	// are divided between words in practice, though RFC 2047 §5 forbids it.
	octets []byte
	room   []byte // of the word that is read
	base64 []byte // of words in B, where they are joined before decoding
	last   word
	within bool

	// What says that another manner may find something else.
	unknown, mislabelled, divided, broken, turned bool
}

func (d *decoder) run() string {
	for d.rest != "" && d.budget.Charge(1) == nil {
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
			d.unknown = d.unknown || w.unknown
			d.broken = d.broken || w.broken
			d.literal(text + d.rest[:w.length])
			d.rest = d.rest[w.length:]
			continue
		}
		// RFC 2047 §6.2: white space between encoded-words is not shown.
		if !d.within || strings.Trim(text, " \t") != "" {
			d.literal(text)
		}
		if d.within && d.last.set == w.set && w.set.Stateful() && w.set.Open(string(d.octets)) {
			d.divided = true
		}
		// RFC 2047 §5: each word of a charset with states begins anew.
		if d.within && (d.last.set != w.set || d.last.unlabelled != w.unlabelled || w.set.Stateful() && d.manner != joinedWords) {
			d.flush()
		}
		if d.within && d.last.open {
			d.divided = true
		}
		d.within, d.last = true, w
		if d.manner == joinedWords && w.base64 != "" {
			d.base64 = append(d.base64, w.base64...)
		} else {
			d.unjoin()
			d.octets = append(d.octets, w.octets...)
		}
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
	d.out.WriteString(charset.Raw(d.budget, s, d.hint, d.fallback))
}

// unjoin decodes the base64 that waits.
func (d *decoder) unjoin() {
	if len(d.base64) > 0 {
		_ = d.budget.Charge(len(d.base64))
		d.octets, _ = appendB(d.octets, string(d.base64))
		d.base64 = d.base64[:0]
	}
}

func (d *decoder) flush() {
	if !d.within {
		return
	}
	d.unjoin()
	defer func() { d.octets, d.within = d.octets[:0], false }()
	if d.last.set.IsUTF8() && !d.last.unlabelled && utf8.Valid(d.octets) { // nearly all: there is one reading
		d.hint = d.last.label
		_ = d.budget.Charge(len(d.octets))
		d.out.Write(d.octets)
		return
	}
	octets := string(d.octets)
	switch {
	case d.last.unlabelled, d.notUTF8(octets) && d.manner == anyLabel:
		d.out.WriteString(charset.Raw(d.budget, octets, d.hint, d.fallback))
	case !d.last.set.Wide() && !d.last.set.Stateful() && !d.last.set.IsUTF8() && !plain(octets) && utf8.ValidString(octets):
		if d.mislabelled = true; d.manner == asUTF8 {
			d.out.WriteString(octets)
			break
		}
		fallthrough
	default:
		set := d.last.set
		if turned, ok := set.Turned(octets); ok {
			if d.turned = true; d.manner == otherOrder {
				set = turned
			}
		}
		d.hint = d.last.label
		d.out.WriteString(set.Decode(d.budget, octets))
	}
}

// notUTF8 tells of words labelled UTF-8 that are not, so that programs take the
// label for one that says nothing.
func (d *decoder) notUTF8(octets string) bool {
	if !d.last.set.IsUTF8() || utf8.ValidString(octets) || charset.MostlyUTF8(octets) {
		return false
	}
	d.unknown = true
	return true
}

// word reads the encoded-word at the start of rest, which begins with "=?".
func (d *decoder) word() (word, bool) {
	if d.noEnd {
		return word{length: 2}, false
	}
	w, ok := wordAt(d.rest, d.manner, d.room[:0])
	if w.octets != nil {
		d.room = w.octets
	}
	_ = d.budget.Charge(max(w.length, 0))
	if w.length < 0 {
		d.noEnd, w.length = true, 2
	}
	d.noEnd = d.noEnd || w.cut
	return w, ok
}
