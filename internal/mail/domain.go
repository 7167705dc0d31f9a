package mail

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// FoldDomain is a domain in lower-case A-labels, without a trailing dot. What
// IDNA does not allow is only lower-cased.
func FoldDomain(domain string) string {
	domain = rootless(domain)
	for i := 0; i < len(domain); i++ {
		if domain[i] >= 0x80 {
			return foldIDN(domain)
		}
	}
	return lower(domain)
}

// maxDomain is more octets than a domain can have: 253 in A-labels (RFC 1035
// §2.3.4), none of which stands for more than one character of UTF-8.
const maxDomain = 253 * utf8.UTFMax

func foldIDN(domain string) string {
	if !utf8.ValidString(domain) {
		return lowerASCII(domain)
	}
	// Longer ones have no A-labels, and the time to find out is quadratic.
	if len(domain) > maxDomain {
		return strings.ToLower(domain)
	}
	// Case and width are mapped as for a look-up (UTS 46); underscores and the
	// like are not ours to refuse.
	p := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.BidiRule())
	if a, err := p.ToASCII(domain); err == nil && a != "" {
		return rootless(strings.ToLower(a))
	}
	return strings.ToLower(domain)
}

// rootless takes off the dot of the root; two dots are no domain's end.
func rootless(domain string) string {
	if strings.HasSuffix(domain, "..") {
		return domain
	}
	return strings.TrimSuffix(domain, ".")
}
