package mail

import (
	"net/netip"
	"strings"
)

// TraceIPs are the addresses in Received fields and X-Originating-IP, nearest
// hop first, without repeats. IPv4-mapped ones are as they were written.
func (h Header) TraceIPs() []netip.Addr {
	t := trace{seen: make(map[netip.Addr]bool)}
	for _, f := range h {
		if strings.EqualFold(f.Name, "Received") {
			t.collect(unfold(f.Value))
		}
	}
	for _, f := range h {
		if strings.EqualFold(f.Name, "X-Originating-IP") {
			t.collect(unfold(f.Value))
		}
	}
	return t.ips
}

type trace struct {
	ips  []netip.Addr
	seen map[netip.Addr]bool
}

func (t *trace) collect(s string) {
	for i := 0; i < len(s); {
		if !addrByte(s[i]) {
			i++
			continue
		}
		j := i
		for j < len(s) && addrByte(s[j]) {
			j++
		}
		t.token(s[i:j], s[:i], s[j:])
		i = j
	}
}

// token adds a run of the octets that addresses consist of, if it is one and
// stands by itself.
func (t *trace) token(tok, before, after string) {
	if n := len(tok); n < len("::1") || n > 64 || !likely(tok) {
		return
	}
	// "IPv6:2001:db8::1" (RFC 5321 §4.1.3): the prefix's 6 is taken along.
	if lead := len(before) - len("IPv"); lead >= 0 && strings.EqualFold(before[lead:], "IPv") && strings.HasPrefix(tok, "6:") {
		tok, before = tok[len("6:"):], before[:lead]
	}
	a, ok := readAddr(tok)
	if ok && bounded(before, after) && !version(before, after) && !a.IsUnspecified() && !t.seen[a] {
		t.seen[a] = true
		t.ips = append(t.ips, a)
	}
}

// likely tells a token that may be an address from times and pieces of names,
// of which a Received field is full.
func likely(tok string) bool {
	return strings.Count(tok, ".") >= 3 || strings.Contains(tok, "::") || strings.Count(tok, ":") >= 7
}

// readAddr reads an address that a sentence's dot or colon, or a port may
// follow.
func readAddr(tok string) (netip.Addr, bool) {
	tok = strings.TrimRight(tok, ".")
	if a, err := netip.ParseAddr(tok); err == nil {
		return a, true
	}
	if p, err := netip.ParseAddrPort(tok); err == nil {
		return p.Addr(), true
	}
	a, err := netip.ParseAddr(strings.TrimRight(tok, ":"))
	return a, err == nil
}

func addrByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == ':' || c == '.'
}

// bounded tells whether what stands around keeps a token from being part of a
// name.
func bounded(before, after string) bool {
	if before != "" && nameByte(before[len(before)-1]) {
		return false
	}
	return after == "" || !nameByte(after[0])
}

// version tells whether a dotted quad surely counts releases: one between
// slashes, as in (5.65v3.0/1.1.8.2/02Aug95), or the word after "id", where
// Exchange puts its own. Sendmail's (8.17.1.5/8.17.1.5) looks like addresses
// and is taken for them.
func version(before, after string) bool {
	if strings.HasSuffix(before, "/") && strings.HasPrefix(after, "/") {
		return true
	}
	word := strings.TrimRight(before, " \t")
	n := len(word) - len("id")
	return len(word) < len(before) && n >= 0 && strings.EqualFold(word[n:], "id") && (n == 0 || !nameByte(word[n-1]))
}

func nameByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' || c >= 0x80
}
