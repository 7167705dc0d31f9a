package mail

import (
	"math/bits"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"github.com/tollgate-mail/tollgate/internal/lexical"
)

// defect is a way in which a message is not what RFC 5322 and RFC 2045-2049
// ask.
type defect uint

const (
	partUnread defect = iota
	tooManyParts
	tooDeep
	tooManyNames
	fieldTooLong
	tooMuchWork
	headerLine
	headerOctets
	nul
	bareCR
	longLine
	fieldLacks
	fieldTwice
	versionLacks
	typeSyntax
	parameterSyntax
	parameterTwice
	namesDiffer
	boundaryLacks
	boundariesDiffer
	boundaryInvalid
	delimiterLacks
	encodingUnknown
	encodingsDiffer
	encodingLacks
	encodedParts
	divided
	defectCount
)

// Defect is a row of the table of defects.
type Defect struct {
	Name string // as rules see it
	Text string // for people
}

// Defects has a row for every value of mime_defects, in the order in which a
// message's are told.
func Defects() []Defect {
	return []Defect{
		partUnread:       {"part_unread", "a part could not be read to its end, or what is in it was not looked for"},
		tooManyParts:     {"too_many_parts", "more than 5000 parts have a header of their own"},
		tooDeep:          {"too_deep", "parts are more than 100 levels deep, or more than 8 encoded ones are within each other"},
		tooManyNames:     {"too_many_names", "more names or boundaries than are kept: of a part, or of the message"},
		fieldTooLong:     {"field_too_long", "a Content- field is so long, or there are so many, that the middle is not read"},
		tooMuchWork:      {"too_much_work", "reading the parts takes more work than their length allows"},
		headerLine:       {"header_line", "a line in a header is no field (RFC 5322 2.2)"},
		headerOctets:     {"header_octets", "octets above 127 in a header that are not UTF-8 (RFC 6532 3)"},
		nul:              {"nul", "a NUL (RFC 5322 2.3)"},
		bareCR:           {"bare_cr", "a CR without LF (RFC 5322 2.3)"},
		longLine:         {"long_line", "a line of more than 998 octets (RFC 5322 2.1.1)"},
		fieldLacks:       {"field_missing", "no From or no Date (RFC 5322 3.6)"},
		fieldTwice:       {"field_repeated", "a field is there twice that may be there once (RFC 5322 3.6, RFC 2045 3)"},
		versionLacks:     {"mime_version_missing", "Content- fields without MIME-Version (RFC 2045 4)"},
		typeSyntax:       {"type_syntax", "a Content-Type that names no type (RFC 2045 5.1)"},
		parameterSyntax:  {"parameter_syntax", "parameters that are not written as RFC 2045 5.1 has them"},
		parameterTwice:   {"parameter_repeated", "a parameter is there twice (RFC 2045 5)"},
		namesDiffer:      {"names_differ", "a part has several names, or one that can be read in several ways"},
		boundaryLacks:    {"boundary_missing", "a multipart without a boundary (RFC 2046 5.1.1)"},
		boundariesDiffer: {"boundaries_differ", "a multipart has several boundaries, or one that can be read in several ways"},
		boundaryInvalid:  {"boundary_syntax", "a boundary that is empty or of more than 70 characters (RFC 2046 5.1.1)"},
		delimiterLacks:   {"end_missing", "a multipart without its last delimiter (RFC 2046 5.1.1)"},
		encodingUnknown:  {"encoding_unknown", "a Content-Transfer-Encoding that nobody knows (RFC 2045 6.1)"},
		encodingsDiffer:  {"encodings_differ", "several Content-Transfer-Encodings (RFC 2045 3)"},
		encodingLacks:    {"encoding_undeclared", "a content that is in base64 though nothing says so"},
		encodedParts:     {"encoding_of_parts", "an encoding of what has parts of its own (RFC 2045 6.4)"},
		divided:          {"divided", "a piece of a message that was divided: the others come as messages of their own (RFC 2046 5.2.2)"},
	}
}

// defects is a set of them.
type defects struct{ set uint64 }

func (d *defects) add(one defect) { d.set |= 1 << one }

func (d *defects) has(one defect) bool { return d.set&(1<<one) != 0 }

// unread adds a reason why something is not known.
func (d *defects) unread(why defect) {
	d.add(partUnread)
	d.add(why)
}

// names are those that rules see.
func (d *defects) names() []string {
	if d.set == 0 {
		return nil
	}
	names := make([]string, 0, bits.OnesCount64(d.set))
	for i, row := range Defects() {
		if d.has(defect(i)) {
			names = append(names, row.Name)
		}
	}
	return names
}

// checkParameters holds a Content-Type or Content-Disposition against the
// grammar of RFC 2045 §5.1 and RFC 2183 §2. A semicolon at the end, which that
// does not have either, is no defect: half of all programs write it.
func (d *defects) checkParameters(f Field) {
	s := strings.Trim(lexical.Uncomment(fieldtext.Unfold(f.Value)), " \t")
	rest, ok := cutToken(s)
	if f.Named("Content-Type") {
		rest, ok = strings.CutPrefix(rest, "/")
		if ok {
			rest, ok = cutToken(rest)
		}
	}
	if !ok {
		d.add(typeSyntax)
		_, rest, ok = strings.Cut(s, ";")
		rest = ";" + rest
		if !ok {
			return
		}
	}
	seen := make(map[string]bool)
	for {
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" {
			return
		}
		if rest[0] != ';' {
			break
		}
		rest = strings.TrimLeft(rest[1:], " \t")
		if rest == "" {
			return
		}
		text := rest
		if rest, ok = cutToken(rest); !ok {
			break
		}
		name := strings.ToLower(text[:len(text)-len(rest)])
		if seen[name] {
			d.add(parameterTwice)
		}
		seen[name] = true
		if rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " \t"), "="); !ok {
			break
		}
		rest = strings.TrimLeft(rest, " \t")
		if n := lexical.Quoted(rest); n > 0 {
			rest = rest[n:]
		} else if rest, ok = cutToken(rest); !ok {
			break
		}
	}
	d.add(parameterSyntax)
}

// cutToken takes a token off (RFC 2045 §5.1); ok is false where there is none.
func cutToken(s string) (rest string, ok bool) {
	i := 0
	for i < len(s) && s[i] > ' ' && s[i] <= '~' && strings.IndexByte(`()<>@,;:\"/[]?=`, s[i]) < 0 {
		i++
	}
	return s[i:], i > 0
}
