package mail

import (
	"strings"
	"unicode/utf8"
)

// SplitAddress cuts at the @ before the domain: local part and domain. An
// address without one is a local part; an @ within its quotes is none.
func SplitAddress(addr string) (local, domain string) {
	at := strings.LastIndexByte(addr, '@')
	if at < 0 || at < quoted(addr) {
		return addr, ""
	}
	return addr[:at], addr[at+1:]
}

// quoted is the length of the quoted string (RFC 5321 §4.1.2) that s begins
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

// FoldAddress is the form under which addresses compare: case folded, the
// domain as A-labels where IDNA allows. A source route and quotes that are
// not needed go. An address without domain stays without. Folding twice is
// folding once.
func FoldAddress(addr string) string {
	// RFC 5321 §4.1.1.3, appendix C: what stands before the colon of a route
	// is to be ignored.
	for strings.HasPrefix(addr, "@") {
		colon := strings.IndexByte(addr, ':')
		if colon < 0 {
			break
		}
		addr = addr[colon+1:]
	}
	local, domain := SplitAddress(addr)
	folded := foldLocal(local)
	if len(local) == len(addr) {
		if folded == local {
			return addr
		}
		return folded
	}
	d := FoldDomain(domain)
	if folded == local && d == domain {
		return addr
	}
	return folded + "@" + d
}

// foldLocal folds a local part: most systems know no case in it (RFC 5321
// §2.4 leaves that to them).
func foldLocal(s string) string {
	if n := quoted(s); n > 0 && n == len(s) {
		s = requote(s)
	}
	return lower(s)
}

// requote gives a local part its quotes only where it needs them (RFC 5321
// §4.1.2: the forms are equivalent).
func requote(s string) string {
	content := s[1 : len(s)-1]
	if strings.IndexByte(content, '\\') < 0 {
		if dotString(content) {
			return content
		}
		return s
	}
	var b strings.Builder
	for i := 0; i < len(content); i++ {
		if content[i] == '\\' && i+1 < len(content) {
			i++
		}
		b.WriteByte(content[i])
	}
	bare := b.String()
	if dotString(bare) {
		return bare
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(bare) + `"`
}

// dotString is RFC 5321 §4.1.2, with the octets of RFC 6531.
func dotString(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80, c == '.':
		case strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// lower is lower case, without an allocation for what is so already.
func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 'A' && c <= 'Z' || c >= 0x80 {
			if !utf8.ValidString(s) {
				return lowerASCII(s) // strings.ToLower would change the octets
			}
			return strings.ToLower(s)
		}
	}
	return s
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
