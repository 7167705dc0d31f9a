package list

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// appendName appends an address or domain in the one form in which they are
// compared, that of package address: of a part of an address (user@, .domain) it is
// that part's. at is the place of the last @ in it, -1 for none.
func appendName(dst []byte, s string) (name []byte, at int) {
	start := len(dst)
	if dst, ok := appendPlain(dst, s); ok {
		name = bytes.TrimSuffix(dst, []byte("."))
		return name, bytes.LastIndexByte(name[start:], '@')
	}
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		rest := strings.TrimPrefix(s, ".")
		dst = append(dst, s[:len(s)-len(rest)]...)
		return append(dst, address.FoldDomain(rest)...), -1
	}
	// Of an address that is none its domain is compared all the same.
	local, domain := s[:i], address.FoldDomain(s[i+1:])
	if a := address.Parse(s); i > 0 && i < len(s)-1 && a.Valid() {
		local, domain = address.Split(a.String())
	} else if a := address.Parse(local + "@x"); i > 0 && a.Valid() {
		local, _ = address.Split(a.String())
	}
	dst = append(append(dst, local...), '@')
	return append(dst, domain...), len(dst) - start - 1
}

// appendPlain appends s in lower case if there is no more to its form: ASCII
// without quotes, comments and what else only an address may have.
func appendPlain(dst []byte, s string) ([]byte, bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c >= utf8.RuneSelf, c <= ' ', c == 0x7f, strings.IndexByte("\"\\(),:;<>[]%!|", c) >= 0:
			return dst, false
		case c == '@' && strings.IndexByte(s[i+1:], '@') >= 0:
			return dst, false
		}
		dst = append(dst, c)
	}
	return dst, true
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
