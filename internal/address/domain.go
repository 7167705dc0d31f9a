package address

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// FoldDomain is a domain in lower-case A-labels, without the dot of the root:
// the form in which domains compare. What IDNA does not allow is only in lower
// case.
func FoldDomain(domain string) string {
	domain = Rootless(domain)
	for i := 0; i < len(domain); i++ {
		if domain[i] >= utf8.RuneSelf {
			return foldIDN(domain)
		}
	}
	return lower(domain)
}

// MaxDomain is more octets than a domain can have: 253 in A-labels (RFC 1035
// §2.3.4), none of which stands for more than one character of UTF-8.
const MaxDomain = 253 * utf8.UTFMax

func foldIDN(domain string) string {
	if !utf8.ValidString(domain) {
		return lower(domain)
	}
	if a, err := ToASCII(domain); err == nil && a != "" {
		return Rootless(lower(a))
	}
	return compose(strings.ToLower(domain))
}

// ToASCII maps a domain as for a look-up (RFC 5891 §5, UTS 46): case and width
// are folded, underscores and the like are not ours to refuse. The error says
// what IDNA does not allow.
func ToASCII(domain string) (string, error) {
	// Longer ones have no A-labels, and the time to find out is quadratic.
	if len(domain) > MaxDomain {
		return "", ErrTooLong
	}
	return profile().ToASCII(domain)
}

func profile() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.BidiRule())
}

// DisplayDomain is a domain for people: in U-labels (RFC 5890 §2.3.2.1) where
// these stand for the same domain.
func DisplayDomain(domain string) string {
	folded := FoldDomain(domain)
	if !strings.Contains(folded, "xn--") || len(folded) > MaxDomain {
		return folded
	}
	u, err := profile().ToUnicode(folded)
	if err != nil || FoldDomain(u) != folded {
		return folded
	}
	return u
}

// DomainTexts are the spellings of a domain that an expression is tried on:
// in A-labels and, where it differs, in U-labels.
func DomainTexts(domain string) []string { return distinct(FoldDomain(domain), DisplayDomain(domain)) }

// Rootless takes off the dot of the root; two dots are no domain's end.
func Rootless(domain string) string {
	if strings.HasSuffix(domain, "..") {
		return domain
	}
	return strings.TrimSuffix(domain, ".")
}

// possibleDomain tells whether a text can stand behind an @ without being
// read as something else.
func possibleDomain(s string) bool {
	if s == "" {
		return false
	}
	if s[0] == '[' {
		return s[len(s)-1] == ']' && len(s) > 2 && !strings.ContainsAny(s[1:len(s)-1], "[]\\ @\"") && Printable(s)
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == 0x7f || strings.IndexByte("()<>@,;:\\\"[]|%!", c) >= 0 {
			return false
		}
	}
	return true
}
