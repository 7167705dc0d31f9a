package accounting

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Form says how an address of a client is written.
type Form uint8

const (
	Mailbox     Form = iota // user@domain
	WholeDomain             // @domain
	Pattern                 // /regex/
)

// Address is one entry of a client's addresses, cut into its parts; case and
// IDN forms are as written.
type Address struct {
	Form  Form
	Local string // of a Mailbox
	// Domain of a Mailbox and a WholeDomain. Of a Pattern whose end spells it
	// out (@example\.org$) it is that of everything the pattern matches, in
	// lower case; else empty.
	Domain string
	Regexp *regexp.Regexp // of a Pattern; case is ignored unless it says (?-i)
	// Open: a Pattern that does not end where the address ends. It also
	// claims what goes on behind it, in anybody's domain.
	Open bool
}

// What is wrong with an address.
var (
	ErrNoDomain  = errors.New("no domain")
	ErrNoLocal   = errors.New("nothing before the @")
	ErrLocal     = errors.New("the part before the @ has a character that needs quotes, or cannot be there at all")
	ErrDomain    = errors.New("not a domain name")
	ErrTooLong   = errors.New("too long")
	ErrCharacter = errors.New("a control character, or octets that are not UTF-8")
)

// MaxAddress bounds an address, in octets. RFC 5321 §4.5.3.1 asks for 64 and
// 255; what mailers make up (VERP, SRS) is often longer, never like this.
const MaxAddress = 640

// ParseAddress reads one entry of a client's addresses.
func ParseAddress(s string) (Address, error) {
	if len(s) > 1 && s[0] == '/' && s[len(s)-1] == '/' {
		return parsePattern(s[1 : len(s)-1])
	}
	if s != "" && s[0] == '@' {
		if err := CheckDomain(s[1:]); err != nil {
			return Address{}, err
		}
		return Address{Form: WholeDomain, Domain: s[1:]}, nil
	}
	local, domain, err := ParseMailbox(s)
	if err != nil {
		return Address{}, err
	}
	return Address{Form: Mailbox, Local: local, Domain: domain}, nil
}

// ParseMailbox cuts user@domain at its last @ and checks both parts (RFC 5321
// §4.1.2, RFC 6531 §3.3), without a source route. It is lenient with dots
// alone: some mailers give out local parts that begin or end with one.
func ParseMailbox(s string) (local, domain string, err error) {
	if len(s) > MaxAddress {
		return "", "", ErrTooLong
	}
	if !Printable(s) {
		return "", "", ErrCharacter
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 || at == len(s)-1 {
		return "", "", ErrNoDomain
	}
	local, domain = s[:at], s[at+1:]
	if local == "" {
		return "", "", ErrNoLocal
	}
	if !atoms(local) && !quotedString(local) {
		return "", "", ErrLocal
	}
	if err := CheckDomain(domain); err != nil {
		return "", "", err
	}
	return local, domain, nil
}

// CheckDomain tells what is wrong with a domain name, in A-labels or U-labels,
// or with an address literal in its brackets.
func CheckDomain(s string) error {
	if len(s) > MaxAddress {
		return ErrTooLong
	}
	if !Printable(s) {
		return ErrCharacter
	}
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' { // RFC 5321 §4.1.3
		if strings.ContainsAny(s[1:len(s)-1], "[]\\ @") {
			return ErrDomain
		}
		return nil
	}
	label, longest, ascii := 0, 0, true
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if label == 0 {
				return ErrDomain
			}
			label = 0
		case alphanumeric(c), c == '-', c == '_', c >= utf8.RuneSelf:
			ascii = ascii && c < utf8.RuneSelf
			label++
			longest = max(longest, label)
		default:
			return ErrDomain
		}
	}
	// RFC 1035 §2.3.4; the limits are those of A-labels.
	if label == 0 || ascii && (longest > 63 || len(s) > 255) {
		return ErrDomain
	}
	return nil
}

// Printable tells whether s has neither control characters nor octets that
// are not UTF-8.
func Printable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == 0x7f {
			return false
		} else if c >= utf8.RuneSelf {
			return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
		}
	}
	return true
}

// atoms tells whether s can stand without quotes (RFC 5322 §3.2.3).
func atoms(s string) bool {
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && c < utf8.RuneSelf && strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) < 0 {
			return false
		}
	}
	return true
}

// quotedString tells whether s is one quoted string (RFC 5321 §4.1.2).
func quotedString(s string) bool {
	if len(s) < 2 || s[0] != '"' {
		return false
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i == len(s)-1
		}
	}
	return false
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
