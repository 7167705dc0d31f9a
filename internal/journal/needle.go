package journal

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// needle tells fast whether a line can have a text in it, in any case. It may say
// yes of one that has not, never no of one that has.
type needle struct {
	runes  []rune // folded
	anchor int    // the one of them that is looked for first, as the rarest
	ends   []byte // the last octets of its spellings
}

// common are octets from the most to the less frequent in the journals; what is
// not among them is rarer still.
const common = `",:e_artsinocldmpu0123456.-@789ghfbyvwk/<>{}[] `

// newNeedle is nil where nothing of the text stands in a line for sure: JSON may
// write it otherwise (RFC 8259 §7).
func newNeedle(text string) *needle {
	best := ""
	for _, piece := range strings.FieldsFunc(text, func(r rune) bool {
		return r < ' ' || r == '"' || r == '\\' || r == '/' || r == '\u2028' || r == '\u2029' || r == utf8.RuneError
	}) {
		if len(piece) > len(best) {
			best = piece
		}
	}
	if best == "" {
		return nil
	}
	n := new(needle)
	rarest := -1
	for _, r := range best {
		n.runes = append(n.runes, loose(r))
		at := strings.IndexByte(common, string(unicode.ToLower(r))[utf8.RuneLen(unicode.ToLower(r))-1])
		if at < 0 {
			at = len(common)
		}
		if at > rarest {
			rarest, n.anchor = at, len(n.runes)-1
		}
	}
	for _, r := range spellings(n.runes[n.anchor]) {
		s := string(r)
		if end := s[len(s)-1]; bytes.IndexByte(n.ends, end) < 0 {
			n.ends = append(n.ends, end)
		}
	}
	return n
}

// loose is one for all spellings of a letter: those that strings.EqualFold and
// those that strings.ToLower take for the same.
func loose(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}
	if r == 'İ' {
		return 'I'
	}
	least := r
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		least = min(least, o)
	}
	return least
}

func spellings(r rune) []rune {
	all := []rune{r}
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		all = append(all, o)
	}
	if r == 'I' {
		all = append(all, 'İ')
	}
	return all
}

// in tells whether the octets have the text in them; a nil needle cannot tell.
func (n *needle) in(b []byte) bool {
	if n == nil {
		return true
	}
	for _, end := range n.ends {
		for p := 0; ; {
			i := bytes.IndexByte(b[p:], end)
			if i < 0 {
				break
			}
			p += i + 1
			if n.around(b, p) {
				return true
			}
		}
	}
	return false
}

// around tells whether the text is there whose anchor ends at p.
func (n *needle) around(b []byte, p int) bool {
	q := p
	for k := n.anchor; k >= 0; k-- {
		r, size := rune(0), 1
		switch {
		case q == 0:
			return false
		case b[q-1] < utf8.RuneSelf:
			r = rune(b[q-1])
		default:
			r, size = utf8.DecodeLastRune(b[:q])
		}
		if loose(r) != n.runes[k] {
			return false
		}
		q -= size
	}
	for _, want := range n.runes[n.anchor+1:] {
		r, size := rune(0), 1
		switch {
		case p == len(b):
			return false
		case b[p] < utf8.RuneSelf:
			r = rune(b[p])
		default:
			r, size = utf8.DecodeRune(b[p:])
		}
		if loose(r) != want {
			return false
		}
		p += size
	}
	return true
}

var escape = []byte(`\u`)

// escaped tells whether the line may spell a character by its number.
func escaped(line []byte) bool { return bytes.Contains(line, escape) }
