package address

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/lexical"
)

// What is wrong with an address in a policy.
var (
	ErrNoDomain  = errors.New("no domain")
	ErrNoLocal   = errors.New("nothing before the @")
	ErrLocal     = errors.New("the part before the @ has a character that needs quotes, or cannot be there at all")
	ErrDomain    = errors.New("not a domain name")
	ErrTooLong   = errors.New("too long")
	ErrCharacter = errors.New("a control character, or octets that are not UTF-8")
)

// CheckMailbox cuts user@domain, as an operator writes it, at its last @ and
// checks both parts (RFC 5321 §4.1.2, RFC 6531 §3.3), without a source route.
// It is lenient with dots alone: some mailers give out local parts that begin
// or end with one.
func CheckMailbox(s string) (local, domain string, err error) {
	if len(s) > Max {
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
	if !atoms(local) && lexical.Quoted(local) != len(local) {
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
	if len(s) > Max {
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
