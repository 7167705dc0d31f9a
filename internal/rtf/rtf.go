// Package rtf reads the words of a text in RTF (RTF 1.9.1), as programs show them.
package rtf

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// Is tells a text in RTF.
func Is(text string) bool { return strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), `{\rt`) }

// Text is what is in a text.
type Text struct {
	// Shown are its words, with white space where a paragraph, line or cell ends.
	Shown string
	// Others are the words as other programs show them: that know of Unicode where there are
	// words for those that do not, or on paper of another colour.
	Others []string
	// Hidden are those that are said to be hidden, too small or white.
	Hidden string
	// Links are the instructions of its fields, which have the addresses of links.
	Links []string
	// Cut tells that there is more to it than is looked at: what follows may be read
	// otherwise than programs show it.
	Cut bool
}

// The bounds of a text.
const (
	maxDepth = 1 << 10 // groups within each other; deeper ones are as the last
	maxLinks = 1 << 10
	maxFonts = 1 << 12
)

// Read reads a text. The error is that of the budget, with what was read until then.
func Read(b *budget.Budget, text string) (Text, error) {
	r, err := read(b, text, false, false)
	all := Text{Shown: r.shown.String(), Hidden: r.hidden.String(), Links: r.links, Cut: r.cut}
	for _, known := range []bool{false, true} {
		for _, painted := range []bool{false, true} {
			if err != nil || known && !r.twice || painted && !r.white || !known && !painted {
				continue
			}
			var other *reader
			if other, err = read(b, text, known, painted); err == nil && !slices.Contains(all.Others, other.shown.String()) {
				all.Others = append(all.Others, other.shown.String())
			}
		}
	}
	return all, err
}

// read reads a text, as programs show it that know of Unicode or on paper that is painted.
func read(b *budget.Budget, text string, known, painted bool) (*reader, error) {
	r := &reader{budget: b, rest: text, page: "windows-1252", fonts: make(map[int]int), known: known, painted: painted}
	r.group.unicode = 1
	err := r.read()
	r.flush()
	return r, err
}

// group is what holds within a group.
type group struct {
	kind    kind
	hides   bool
	small   bool
	pale    bool // its colour is that of paper
	font    int
	unicode int // characters that stand for a Unicode one to programs that know none
}

// kind is what the words of a group are.
type kind uint8

const (
	words kind = iota
	nothing
	fonts
	colours
	link
	box // nothing, but for the words that are said to stand in it
)

type reader struct {
	budget *budget.Budget
	rest   string
	group
	groups []group
	deeper int // groups beyond maxDepth

	page   string      // the charset of octets
	fonts  map[int]int // their charsets
	star   bool        // the next word begins a group that may be unknown
	skip   int         // characters that stand for one that was read
	octets []byte      // that are not decoded yet
	high   rune        // the first half of a character

	shown, hidden, link strings.Builder
	links               []string
	cut                 bool

	known    bool     // words in Unicode count
	twice    bool     // there are some
	painted  bool     // white letters are seen
	coloured bool     // what is behind letters may have a colour: white ones are not said to be hidden
	white    bool     // there are some
	colours  []bool   // of its table: which are white
	mixed    [3]uint8 // the one that is read: red, green, blue
}

func (r *reader) read() error {
	for r.rest != "" {
		if err := r.budget.Charge(1); err != nil {
			return err
		}
		c := r.rest[0]
		switch c {
		case '{':
			r.rest = r.rest[1:]
			r.open()
		case '}':
			r.rest = r.rest[1:]
			r.close()
		case '\\':
			r.rest = r.rest[1:]
			r.control()
		case '\r', '\n':
			r.rest = r.rest[1:]
		default:
			n := strings.IndexAny(r.rest, "{}\\\r\n")
			if n < 0 {
				n = len(r.rest)
			}
			if err := r.budget.Charge(n); err != nil {
				return err
			}
			run := r.rest[:n]
			r.rest = r.rest[n:]
			passed := min(r.skip, len(run))
			r.skip -= passed
			r.star = false
			if r.kind == colours {
				r.colour(run)
			} else if r.kind != nothing {
				r.octets = append(r.octets, run[passed:]...)
			}
		}
	}
	return nil
}

func (r *reader) open() {
	r.flush()
	r.skip = 0
	if len(r.groups) >= maxDepth {
		r.deeper++
		r.cut = true
		return
	}
	r.groups = append(r.groups, r.group)
}

func (r *reader) close() {
	r.flush()
	r.skip, r.star = 0, false
	switch n := len(r.groups); {
	case r.deeper > 0:
		r.deeper--
	case n > 0:
		was := r.kind
		r.group, r.groups = r.groups[n-1], r.groups[:n-1]
		if was == link && r.kind != link {
			if len(r.links) < maxLinks {
				r.links = append(r.links, r.link.String())
			} else {
				r.cut = true
			}
			r.link.Reset()
		}
	}
}

// control reads what follows a backslash.
func (r *reader) control() {
	if r.rest == "" {
		return
	}
	n := 0
	for n < len(r.rest) && isLetter(r.rest[n]) {
		n++
	}
	if n == 0 {
		r.symbol()
		return
	}
	word := r.rest[:n]
	from := n
	if n < len(r.rest) && r.rest[n] == '-' {
		n++
	}
	for n < len(r.rest) && '0' <= r.rest[n] && r.rest[n] <= '9' {
		n++
	}
	number, err := strconv.Atoi(r.rest[from:n])
	if r.rest = r.rest[n:]; strings.HasPrefix(r.rest, " ") {
		r.rest = r.rest[1:]
	}
	star := r.star
	r.star = false
	if word == "bin" && err == nil {
		r.rest = r.rest[min(max(number, 0), len(r.rest)):]
		return
	}
	if r.skip > 0 && word != "u" {
		r.skip--
		return
	}
	r.word(word, number, err == nil, star)
}

// symbol reads a character behind a backslash.
func (r *reader) symbol() {
	c := r.rest[0]
	r.rest = r.rest[1:]
	switch c {
	case '*':
		r.star = true
		return
	case '\'':
		if len(r.rest) < 2 {
			return
		}
		v, err := strconv.ParseUint(r.rest[:2], 16, 8)
		if err != nil {
			return
		}
		r.rest = r.rest[2:]
		if r.skip > 0 {
			r.skip--
			return
		}
		if r.kind != nothing {
			r.octets = append(r.octets, byte(v))
		}
		return
	case '\r', '\n':
		c = ' ' // the end of a paragraph
	case '~':
		c = ' '
	case '_':
		c = '-'
	case '{', '}', '\\':
	default:
		return
	}
	if r.skip > 0 {
		r.skip--
		return
	}
	r.write(string(rune(c)))
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// character takes one of Unicode, in units of UTF-16.
func (r *reader) character(number int) {
	r.skip = r.unicode
	c := rune(uint16(number))
	switch {
	case r.high != 0 && utf16.DecodeRune(r.high, c) != utf8.RuneError:
		c, r.high = utf16.DecodeRune(r.high, c), 0
	case utf16.IsSurrogate(c): // one without another half is nothing; what follows is
		r.high = c
		return
	default:
		r.high = 0
	}
	r.write(string(c))
}
