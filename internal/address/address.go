// Package address is about addresses and domains: what a client wrote becomes
// the mailbox that Postfix would deliver to, in the one form in which
// everything compares, and in the one for people. It is pure.
package address

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/lexical"
)

// Max bounds an address, in octets. RFC 5321 §4.5.3.1 asks for 64 and 255;
// what mailers make up (VERP, SRS) is often longer, never like this.
const Max = 640

// Address is a mailbox as a client named it, or the null sender.
type Address struct {
	// Given is the text as it came.
	Given string
	// Local is the part before the @ without its quotes, composed (NFC), in the
	// case it came in; Domain is that behind it, in lower-case A-labels where IDNA allows,
	// without the dot of the root. A bare local part has no domain.
	Local, Domain string

	bad bool
	// form is the form in which addresses compare.
	form string
}

// Parse reads an address as it stands in MAIL or RCPT, with or without its
// angle brackets, the way Postfix does: RFC 5321 §4.1.2 and appendix C (source
// routes), with the comments, white space, quoted pairs and doubled brackets
// of RFC 822. What is no single address is not Valid; it compares as it is
// written, with nothing else.
func Parse(given string) Address {
	if a, ok := plain(given); ok {
		return a
	}
	a := Address{Given: given}
	text, ok := unquoted(given)
	if !ok {
		return a.unreadable()
	}
	// A lone @ is the null sender to Postfix, and one at the end is nothing.
	text = strings.TrimRight(text, "@")
	a.Local = text
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		a.Local = text[:at]
		domain := Rootless(text[at+1:])
		if !possibleDomain(domain) {
			return a.unreadable()
		}
		a.Domain = FoldDomain(domain)
	}
	a.Local = compose(a.Local)
	a.form = join(foldLocal(quote(a.Local)), a.Domain)
	return a
}

// Internal is an address as an MTA has it within: the last @ divides, and a local
// part has quotes only where it needs them. It is for what Postfix tells in macros.
func Internal(s string) Address {
	if a, ok := plain(s); ok {
		return a
	}
	return internal(s)
}

// internal is Internal of what needs parsing.
func internal(s string) Address {
	if strings.HasPrefix(s, `"`) {
		if a := Parse(s); a.Valid() {
			return a
		}
	}
	a := Address{Given: s, Local: s}
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		a.Local = s[:at]
		domain := Rootless(s[at+1:])
		if !possibleDomain(domain) {
			return a.unreadable()
		}
		a.Domain = FoldDomain(domain)
	}
	a.Local = compose(a.Local)
	a.form = join(foldLocal(quote(a.Local)), a.Domain)
	return a
}

// plain reads what needs no parsing: by far the most addresses.
func plain(s string) (Address, bool) {
	at, upper := -1, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '@':
			if at >= 0 {
				return Address{}, false
			}
			at = i
		case 'A' <= c && c <= 'Z':
			upper = true
		case !alphanumeric(c) && (c >= 0x80 || strings.IndexByte("#$&'*+-/=?^_`{}~.", c) < 0):
			return Address{}, false // % and ! among them
		}
	}
	if at < 0 && s != "" {
		a := Address{Given: s, Local: s, form: s}
		if upper {
			a.form = lower(s)
		}
		return a, true
	}
	if at <= 0 || at == len(s)-1 || s[len(s)-1] == '.' {
		return Address{}, false
	}
	domain := s[at+1:]
	for i := 0; i < len(domain); i++ {
		if c := domain[i]; !alphanumeric(c) && c != '.' && c != '-' && c != '_' {
			return Address{}, false
		}
	}
	a := Address{Given: s, Local: s[:at], Domain: domain, form: s}
	if upper {
		a.Domain = lower(domain)
		a.form = lower(s)
	}
	return a, true
}

// unreadable is what is no single address. Whatever may be its domain is told
// all the same: rules on domains shall not be blind to it.
func (a Address) unreadable() Address {
	a = Address{Given: a.Given, Local: a.Given, bad: true, form: a.Given}
	if at := strings.LastIndexByte(a.Given, '@'); at >= 0 {
		if domain := strings.TrimFunc(a.Given[at+1:], func(r rune) bool { return r <= ' ' || strings.ContainsRune("<>\"(),;.\x7f", r) }); possibleDomain(domain) {
			a.Domain = FoldDomain(domain)
		}
	}
	return a
}

// Valid tells whether this is one address, or the null sender.
func (a Address) Valid() bool { return !a.bad }

// Null tells whether this is the null sender (RFC 5321 §4.5.5).
func (a Address) Null() bool { return !a.bad && a.Local == "" && a.Domain == "" }

// String is the form in which addresses compare: the local part case folded,
// composed (NFC), and quoted only where it must be; the domain in lower-case
// A-labels. The null sender is "".
func (a Address) String() string { return a.form }

// ASCII is the address with its domain in A-labels and its local part in the
// case it came in.
func (a Address) ASCII() string {
	if a.bad {
		return a.Given
	}
	if n := len(a.Local); len(a.form) == n+1+len(a.Domain) && a.form[n] == '@' && a.form[:n] == a.Local && a.form[n+1:] == a.Domain && atoms(a.Local) {
		return a.form // as most are
	}
	return join(quote(a.Local), a.Domain)
}

// Text is the address for people: with its domain in U-labels.
func (a Address) Text() string {
	if a.bad {
		return a.Given
	}
	if domain := DisplayDomain(a.Domain); domain != a.Domain {
		return join(quote(a.Local), domain)
	}
	return a.ASCII()
}

// Texts are the spellings that an expression is tried on: ASCII and, where it
// differs, Text.
func (a Address) Texts() []string { return distinct(a.ASCII(), a.Text()) }

// Untagged is the address without what begins at the first of the delimiters.
// A local part that begins with one, or needs quotes, has no tag.
func (a Address) Untagged(delimiters string) (Address, bool) {
	user, ok := Untag(quote(a.Local), delimiters)
	if !ok || a.bad {
		return a, false
	}
	b := Address{Local: user, Domain: a.Domain}
	b.form = join(foldLocal(quote(user)), a.Domain)
	b.Given = b.ASCII()
	return b, true
}

// Untag cuts a local part as it stands in an address before the first of the
// delimiters.
func Untag(local, delimiters string) (user string, tagged bool) {
	i := strings.IndexAny(local, delimiters)
	if i <= 0 || local[0] == '"' {
		return local, false
	}
	return local[:i], true
}

// Fold is Parse(s).String(): folding twice is folding once.
func Fold(s string) string { return Parse(s).form }

// Login is the form in which the names that clients authenticate by compare:
// case folded, and of one with an @ what is behind it as a domain. A name that
// differed in case alone would be nobody's, and its mail would cost nothing.
func Login(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return foldLocal(compose(s))
	}
	return foldLocal(compose(s[:at])) + "@" + FoldDomain(s[at+1:])
}

// Split cuts an address as String, ASCII and Text write it at the @ before
// its domain. An address without one is a local part; an @ within quotes is
// none.
func Split(s string) (local, domain string) {
	at := strings.LastIndexByte(s, '@')
	if at < 0 || at < lexical.Quoted(s) {
		return s, ""
	}
	return s[:at], s[at+1:]
}

// Domain is that of an address as a client wrote it, in the form in which
// domains compare; "" where there is none.
func Domain(s string) string { return Parse(s).Domain }

func join(local, domain string) string {
	if domain == "" {
		return local
	}
	return local + "@" + domain
}

func distinct(a, b string) []string {
	if a == b {
		return []string{a}
	}
	return []string{a, b}
}
