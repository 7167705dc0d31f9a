package list

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/tollgate-mail/tollgate/rules/expr"
)

// lookupProfile maps domain names for look-up (RFC 5891 §5, UTS 46), but lets
// underscores pass, which host names in mail have.
var lookupProfile = idna.New(
	idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.BidiRule(),
)

// appendName appends an address or domain in the one form in which they are
// compared: case folded, the domain in A-labels and without a trailing dot. at
// is the place of the last @ in it, -1 for none. A domain that has no A-label
// form is merely folded.
func appendName(dst []byte, s string) (name []byte, at int) {
	start := len(dst)
	if dst, ok := appendLower(dst, s); ok {
		name = bytes.TrimSuffix(dst, []byte("."))
		return name, bytes.LastIndexByte(name[start:], '@')
	}
	local, domain := "", s
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		local, domain = s[:i+1], s[i+1:]
	}
	dst = expr.AppendFold(dst, local)
	at = len(dst) - start - 1
	if ascii, err := ASCIIDomain(domain); err == nil && ascii != "" {
		dst = append(dst, ascii...)
	} else {
		dst = expr.AppendFold(dst, domain)
	}
	return bytes.TrimSuffix(dst, []byte(".")), at
}

// appendLower appends s in lower case if it is ASCII.
func appendLower(dst []byte, s string) ([]byte, bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			return dst, false
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst, true
}

// ASCIIDomain is a domain in lower-case A-labels; a leading dot stays.
func ASCIIDomain(s string) (string, error) {
	rest := strings.TrimPrefix(s, ".")
	ascii, err := lookupProfile.ToASCII(rest)
	return s[:len(s)-len(rest)] + ascii, err
}

// literalAddr reads a text that is an IP address: bare, or an address literal
// as in HELO (RFC 5321 §4.1.3).
func literalAddr(s string) (netip.Addr, bool) {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	if s == "" {
		return netip.Addr{}, false
	}
	if s[0] == '[' && s[len(s)-1] == ']' {
		s = s[1 : len(s)-1]
		if len(s) > 5 && strings.EqualFold(s[:5], "IPv6:") {
			s = s[5:]
		}
	}
	if !looksLikeAddr(s) {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err == nil && a.Zone() == ""
}

// looksLikeAddr is a quick no to almost every name.
func looksLikeAddr(s string) bool {
	hex := strings.IndexByte(s, ':') >= 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9', c == '.':
		case hex && (c == ':' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'):
		default:
			return false
		}
	}
	return len(s) > 1 && len(s) <= 45
}
