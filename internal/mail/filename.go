package mail

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// MaxName is how many octets of a file name are kept. Of a longer one the
	// middle is left out, for what matters is at its end.
	MaxName  = 512
	maxNames = 16      // of one part, and boundaries
	maxList  = 1 << 20 // octets in a NameList
)

// NameList gathers texts, each once, within a bound for all of them.
type NameList struct {
	Names []string
	seen  map[string]struct{}
	size  int
}

// Add appends a name that is not there yet. The error wraps ErrComplex: there
// are too many.
func (l *NameList) Add(name string) error {
	if _, ok := l.seen[name]; ok {
		return nil
	}
	if l.size += len(name); l.size > maxList {
		return fmt.Errorf("names of more than %d octets: %w", maxList, ErrComplex)
	}
	if l.seen == nil {
		l.seen = make(map[string]struct{})
	}
	l.seen[name] = struct{}{}
	l.Names = append(l.Names, name)
	return nil
}

// mediaType is the type of the first Content-Type that has one.
func (h Header) mediaType(implied string) string {
	for _, f := range h {
		if !strings.EqualFold(f.Name, "Content-Type") {
			continue
		}
		value, _ := parameters(f.Value)
		if i := strings.IndexAny(value, " \t("); i >= 0 {
			value = value[:i]
		}
		// RFC 2045 §5.2: what cannot be read is text/plain; for a rule it is
		// better to see what stands there.
		if strings.IndexByte(value, '/') > 0 {
			return shorten(printable(readRaw(value, "")))
		}
	}
	return implied
}

// disposition is the word that Content-Disposition begins with.
func (h Header) disposition() string {
	raw, _ := h.Get("Content-Disposition")
	value, _ := parameters(raw)
	if i := strings.IndexAny(value, " \t("); i >= 0 {
		value = value[:i]
	}
	return printable(readRaw(value, ""))
}

// boundaries are those that the parts of a multipart may be delimited by.
// There are several where fields or parameters contradict each other; a
// message is not divided by those it does not mean, unless somebody meant it.
func (h Header) boundaries() []string {
	var list []string
	for _, f := range h {
		if !strings.EqualFold(f.Name, "Content-Type") {
			continue
		}
		value, params := parameters(f.Value)
		if !strings.HasPrefix(value, "multipart/") {
			continue
		}
		add := func(b string) {
			b = strings.TrimRight(b, " \t")
			if b != "" && !slices.Contains(list, b) && len(list) <= maxNames {
				list = append(list, b)
			}
		}
		for _, p := range params {
			if p.name != "boundary" || p.section >= 0 || p.encoded {
				continue
			}
			for _, b := range p.values {
				add(b)
				if i := strings.IndexAny(b, " \t("); i >= 0 { // a comment
					add(b[:i])
				}
			}
		}
		for _, b := range parameterTexts(params, "boundary", "") {
			add(b)
		}
	}
	return list
}

// fileNames are the names that a part's fields give it.
func (h Header) fileNames(fallback string) (names []string, bidi bool) {
	p := new(Part)
	for _, field := range []string{"Content-Disposition", "Content-Type"} {
		for _, f := range h {
			if !strings.EqualFold(f.Name, field) {
				continue
			}
			value := f.Value
			if strings.HasPrefix(strings.TrimLeft(value, " \t\r\n"), "=?") { // the whole is encoded
				value = Decode(value, fallback)
			}
			_, params := parameters(value)
			for _, name := range []string{"filename", "name"} {
				for _, text := range parameterTexts(params, name, fallback) {
					p.addName(text)
				}
			}
		}
	}
	return p.Names, p.Bidi
}

// addName adds a name that is not there yet.
func (p *Part) addName(text string) {
	texts := []string{text}
	if before, _, ok := strings.Cut(text, "\x00"); ok {
		texts = append(texts, before) // where some programs end it
	}
	for _, text := range texts {
		name, bidi := CleanName(text)
		p.Bidi = p.Bidi || bidi
		if name != "" && !slices.Contains(p.Names, name) && len(p.Names) <= maxNames {
			p.Names = append(p.Names, name)
		}
	}
}

// CleanName is a file name as it is compared with rules and shown to people:
//   - without the folders before it;
//   - without control characters and those that cannot be seen (zero-width
//     space, word joiner, soft hyphen, byte order mark, tags);
//   - without the characters that govern the direction of writing; bidi tells
//     that there were some that make a name look like another (U+202B, U+202D,
//     U+202E, U+2067);
//   - without dots and spaces at its end, which some systems ignore;
//   - composed (NFC), and of at most MaxName octets.
func CleanName(name string) (clean string, bidi bool) {
	name, bidi = visible(name)
	name = trimName(name)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = trimName(name[i+1:])
	}
	return shorten(name), bidi
}

// CleanPath is CleanName for a name within an archive: folders stay, divided
// by slashes.
func CleanPath(name string) (clean string, bidi bool) {
	name, bidi = visible(name)
	return shorten(strings.ReplaceAll(strings.TrimRight(name, " ."), `\`, "/")), bidi
}

func trimName(s string) string { return strings.TrimLeft(strings.TrimRight(s, ` ./\`), " ") }

func visible(name string) (string, bool) {
	bidi := false
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', r == 0x85, r == 0x2028, r == 0x2029, r == 0xa0:
			return ' '
		case r < ' ', r >= 0x7f && r < 0xa0:
			return -1
		case r == 0x202b, r == 0x202d, r == 0x202e, r == 0x2067:
			bidi = true
			return -1
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x61c:
			return -1
		case r == 0xad, r == 0x200b, r == 0x2060, r == 0xfeff, r >= 0xe0000 && r < 0xe0080:
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	return norm.NFC.String(name), bidi
}

// shorten leaves out the middle of a long name.
func shorten(s string) string {
	if len(s) <= MaxName {
		return s
	}
	const gap = "…"
	head, tail := MaxName/4, len(s)-(MaxName-MaxName/4-len(gap))
	for !utf8.RuneStart(s[head]) {
		head--
	}
	for !utf8.RuneStart(s[tail]) {
		tail++
	}
	return s[:head] + gap + s[tail:]
}
