package mail

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/charset"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
)

const maxNames = 256 // of one part, the first and the last half of them

// fieldBudget is what reading the fields that describe a part may cost: the text of
// one can be taken in so many ways, each within the others, that all of them
// together cost hundreds of steps an octet. What is left over by the parts before
// is there for one that is dear.
type fieldBudget struct {
	left int64 // steps
}

// newFieldBudget is that of a message before its first part.
func newFieldBudget() fieldBudget {
	const first = 24 << 10
	return fieldBudget{first}
}

// open is the budget of the fields of one more part, which have so many octets.
func (f *fieldBudget) open(b *budget.Budget, octets int) *budget.Budget {
	const perOctet = 44 // of the 64 of budget.Allowance; few fields cost more than 20
	f.left += perOctet * int64(octets)
	return b.Within(f.left)
}

// close takes what was spent. It tells whether that was all that there is, and the
// fields may not have been read to their end.
func (f *fieldBudget) close(part *budget.Budget) (cut bool) {
	steps, _ := part.Spent()
	f.left -= steps
	return errors.Is(part.Err(), budget.ErrSpent)
}

// declared is a Content-Type or Content-Disposition.
type declared struct {
	isType bool
	value  string
	params []parameter
	cut    bool
}

// declared reads those fields of a part, each once.
func (h Header) declared(b *budget.Budget, fallback string) []declared {
	var all []declared
	for _, f := range h {
		isType := strings.EqualFold(f.Name, "Content-Type")
		if !isType && !strings.EqualFold(f.Name, "Content-Disposition") {
			continue
		}
		value := f.Value
		if strings.HasPrefix(strings.TrimLeft(value, " \t\r\n"), "=?") { // the whole is encoded
			value = fieldtext.Decode(b, value, fallback)
		}
		d := declared{isType: isType}
		d.value, d.params, d.cut = parameters(b, value)
		all = append(all, d)
		if joined := foldsJoined(value); joined != value {
			also := declared{isType: isType, value: d.value}
			_, also.params, also.cut = parameters(b, joined)
			all = append(all, also)
		}
	}
	return all
}

// mediaTypes is the type of the first Content-Type that has one, and what others name.
func mediaTypes(all []declared, implied string) (first string, others []string) {
	const most = 4
	for _, d := range all {
		value := ""
		if d.isType {
			value = typeWord(d.value)
		}
		// RFC 2045 §5.2: what cannot be read is text/plain; for a rule it is
		// better to see what stands there.
		if strings.IndexByte(value, '/') <= 0 {
			continue
		}
		value = shorten(fieldtext.Printable(charset.Raw(nil, value, "")))
		switch {
		case first == "":
			first = value
		case value != first && len(others) < most && !slices.Contains(others, value):
			others = append(others, value)
		}
	}
	return cmp.Or(first, implied), others
}

// typeWord is the media type that a value begins with. RFC 2045 §5.1 has no
// white space in it, and RFC 822 had; what begins like a multipart is one for
// some.
func typeWord(value string) string {
	if main, sub, ok := strings.Cut(value, "/"); ok {
		value = strings.TrimRight(main, " \t") + "/" + strings.TrimLeft(sub, " \t")
	}
	value = firstWord(value)
	if strings.ContainsAny(value, `"'`) {
		value = strings.NewReplacer(`"`, "", "'", "").Replace(value)
	}
	if rest, ok := strings.CutPrefix(value, "multipart"); ok && !strings.HasPrefix(rest, "/") {
		if rest = strings.Trim(rest, `\-_.`); rest == "" {
			rest = "mixed" // RFC 2046 §5.1.7
		}
		return "multipart/" + rest
	}
	return value
}

// multipart tells whether parts may follow: what names a boundary and no type has
// some, too.
func (d declared) multipart() bool {
	word := typeWord(d.value)
	return strings.HasPrefix(word, "multipart/") || strings.IndexByte(word, '/') < 0 && slices.ContainsFunc(d.params, func(p parameter) bool { return p.name == "boundary" })
}

// disposition is the word that the first Content-Disposition begins with.
func disposition(all []declared) string {
	for _, d := range all {
		if !d.isType {
			return fieldtext.Printable(charset.Raw(nil, firstWord(d.value), ""))
		}
	}
	return ""
}

// firstWord is the word that a value begins with, unless it is a parameter.
func firstWord(value string) string {
	if i := strings.IndexAny(value, " \t(,"); i >= 0 {
		value = value[:i]
	}
	if strings.IndexByte(value, '=') >= 0 {
		return ""
	}
	return value
}

// boundaries are those that the parts of a multipart may be delimited by.
// There are several where fields or parameters contradict each other; a
// message is not divided by those it does not mean, unless somebody meant it.
func (w *walker) boundaries(c *budget.Budget, all []declared) (list []string, multipart bool) {
	d, empty := &w.defects, false
	known := make(map[string]bool)
	for _, field := range all {
		if !field.isType || !field.multipart() {
			continue
		}
		multipart = true
		if field.cut {
			d.unread(tooManyNames)
		}
		params := field.params
		add := func(b string) {
			b = strings.TrimRight(b, " \t")
			empty = empty || b == ""
			if b != "" && !known[b] && c.Charge(1+len(b)) == nil {
				known[b] = true
				if list = append(list, b); len(list) > maxReadings {
					list = slices.Delete(list, maxReadings/2, maxReadings/2+1)
					d.unread(tooManyNames)
				}
			}
		}
		for _, p := range params {
			if p.name == "boundary" && p.section < 0 && !p.encoded {
				for _, b := range p.values {
					add(b)
				}
			}
		}
		for _, b := range parameterTexts(c, params, "boundary", "") {
			add(b)
		}
	}
	switch {
	case !multipart:
	case len(list) == 0 && empty:
		d.add(boundaryInvalid)
		return []string{""}, true
	case len(list) == 0:
		d.add(boundaryLacks)
	case len(list) > 1:
		d.add(boundariesDiffer)
	}
	for _, b := range list {
		if len(b) > 70 { // RFC 2046 §5.1.1
			d.add(boundaryInvalid)
		}
	}
	return list, multipart
}

// fileNames are the names that a part's fields give it.
func (w *walker) fileNames(b *budget.Budget, p *Part, all []declared, fallback string) {
	for _, isType := range []bool{false, true} { // a Content-Disposition counts for most
		for _, field := range all {
			if field.isType != isType {
				continue
			}
			if field.cut {
				w.defects.unread(tooManyNames)
			}
			for _, name := range []string{"filename", "name"} {
				for _, text := range parameterTexts(b, field.params, name, fallback) {
					w.addName(b, p, text)
				}
			}
		}
	}
	if len(p.Names) > 0 || p.Disposition != "attachment" && !strings.HasPrefix(p.Type, "application/") {
		return
	}
	// Some programs name a file that has no name by what else is said of it.
	for _, field := range []string{"Content-Location", "Content-Description"} {
		if raw, ok := p.Content.Get(field); ok {
			if text := strings.TrimSpace(fieldtext.Decode(b, raw, fallback)); looksLikeFile(text) {
				w.addName(b, p, text)
			}
		}
	}
}

// looksLikeFile tells a file's name from an address or a sentence.
func looksLikeFile(text string) bool {
	i := strings.LastIndexByte(text, '.')
	return i > 0 && len(text)-i <= 8 && !strings.ContainsAny(text, " \t:/@<>")
}

// addName adds a name that is not there yet.
func (w *walker) addName(b *budget.Budget, p *Part, text string) {
	texts := []string{text}
	if before, _, ok := strings.Cut(text, "\x00"); ok {
		texts = append(texts, before) // where some programs end it
	}
	// A stream of a file (NTFS) is opened as the file.
	if before, _, ok := strings.Cut(text, ":"); ok && looksLikeFile(before) {
		texts = append(texts, before)
	}
	// What no file's name may end with for some systems, they leave out.
	if t := strings.Trim(text, "\"'`?*<>|:;, \t%“”„‘’«»"); t != text {
		texts = append(texts, t)
	}
	for _, text := range texts {
		if b.Charge(1+len(text)) != nil {
			return
		}
		name, bidi := CleanName(text)
		p.Bidi = p.Bidi || bidi
		if name == "" || p.named[name] {
			continue
		}
		if p.named == nil {
			p.named = make(map[string]bool)
		}
		p.named[name] = true
		if p.Names = append(p.Names, name); len(p.Names) > maxNames {
			p.Names = slices.Delete(p.Names, maxNames/2, maxNames/2+1)
			w.defects.unread(tooManyNames)
		}
	}
}
