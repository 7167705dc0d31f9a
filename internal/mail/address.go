package mail

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// SplitAddress is address.Split.
func SplitAddress(addr string) (local, domain string) { return address.Split(addr) }

// FoldAddress is address.Fold.
func FoldAddress(addr string) string { return address.Fold(addr) }

// FoldDomain is address.FoldDomain.
func FoldDomain(domain string) string { return address.FoldDomain(domain) }

// quoted is the length of the quoted string (RFC 5322 §3.2.4) that s begins
// with; 0 when there is none.
func quoted(s string) int {
	if s == "" || s[0] != '"' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// rootless takes off the dot of the root; two dots are no domain's end.
func rootless(domain string) string {
	if strings.HasSuffix(domain, "..") {
		return domain
	}
	return strings.TrimSuffix(domain, ".")
}
