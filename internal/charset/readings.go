package charset

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// Readings are the ways in which programs read the octets of a text, each once, and are
// charged as Decode is. A byte order mark tells more than a label; the label is
// believed, or Raw where there is none that is known; and where the label cannot be
// right, what the text itself says (meta, "" for nothing) and the guess of Raw are read
// as well.
func Readings(b *budget.Budget, octets, label, meta string) []string {
	c, known := Find(label)
	byMark, marked := mark(octets)
	if !marked && known && c.IsUTF8() && utf8.ValidString(octets) && strings.IndexByte(octets, 0) < 0 {
		return []string{c.Decode(b, octets)}
	}
	var all []string
	add := func(text string) {
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	if marked {
		add(byMark.Decode(b, octets))
	}
	labelled := ""
	if known {
		labelled = c.Decode(b, octets)
	} else {
		labelled = Raw(b, octets, label)
	}
	add(labelled)
	if marked && byMark.Wide() {
		return all
	}
	if order, ok := byZeros(octets); ok && (!known || c.encoding != order) {
		add(Charset{order, ""}.Decode(b, octets))
	}
	_ = b.Charge(1 + len(octets)) // the caller looks at the budget
	plain := isPlain(octets)
	doubtful := !known || SaysNothing(label) || strings.ContainsRune(labelled, utf8.RuneError)
	if m, ok := Find(meta); ok && doubtful && m.KeepsASCII() && (!plain || m.Stateful()) {
		add(m.Decode(b, octets))
	}
	switch {
	case plain:
	case utf8.ValidString(octets):
		add(octets)
	case doubtful:
		add(Raw(b, octets))
	case c.single():
		part := sample(octets)
		if guess, ok := detect(b, part); ok && guess != c && likelier(guess.Decode(b, part), c.Decode(b, part)) {
			add(guess.Decode(b, octets))
		}
	}
	return all
}

// byZeros is the order of UTF-16 that a text in Latin letters is in, whatever says
// otherwise: one octet of nearly each two is zero.
func byZeros(octets string) (order wide, ok bool) {
	const looked = 2 << 10
	octets = octets[:min(len(octets), looked)]
	zeros := [2]int{}
	for i := range len(octets) {
		if octets[i] == 0 {
			zeros[i%2]++
		}
	}
	most := max(zeros[0], zeros[1])
	return wide{2, zeros[1] > zeros[0]}, most > 1 && 4*most > len(octets) && zeros[0]+zeros[1]-most <= most/8
}

// likelier tells whether a guess is much more like a text than what the label says: of
// two sets of Cyrillic letters also where one has capitals for the small ones of the other.
func likelier(guess, labelled string) bool {
	return likeness(guess) > 2*max(0, likeness(labelled)) || shouts(labelled) && !shouts(guess)
}

// shouts tells whether there are more capitals than small letters.
func shouts(s string) bool {
	more := 0
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
		case unicode.IsUpper(r):
			more++
		case unicode.IsLower(r):
			more--
		}
	}
	return more > 0
}

// isPlain tells of octets of ASCII alone.
func isPlain(octets string) bool {
	for i := range len(octets) {
		if octets[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// single tells whether each octet is a character.
func (c Charset) single() bool {
	_, ok := c.encoding.(*charmap.Charmap)
	return ok
}

// mark is the charset that a byte order mark tells.
func mark(octets string) (Charset, bool) {
	for _, m := range []struct {
		mark string
		Charset
	}{
		{"\xef\xbb\xbf", Charset{}},
		{"\xff\xfe\x00\x00", Charset{wide{4, true}, "utf-32le"}}, {"\x00\x00\xfe\xff", Charset{wide{4, false}, "utf-32be"}},
		{"\xff\xfe", Charset{wide{2, true}, "utf-16le"}}, {"\xfe\xff", Charset{wide{2, false}, "utf-16be"}},
	} {
		if strings.HasPrefix(octets, m.mark) {
			return m.Charset, true
		}
	}
	return Charset{}, false
}
