package fieldtext

import (
	"strings"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/charset"
)

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
		// Joined, all octets so far wait, and whether they are divided is known.
		if d.manner != joinedWords && d.within && d.last.set == w.set && w.set.Stateful() && w.set.Open(string(d.octets)) {
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
