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
	if n := len(tok); n < len("::1") || n > 64 {
		return
	}
	// "IPv6:2001:db8::1" (RFC 5321 §4.1.3): the prefix's 6 is taken along.
	if i := strings.LastIndexByte(before, '['); i >= 0 {
		if lead := before[i+1:]; strings.EqualFold(lead, "IPv") && strings.HasPrefix(tok, "6:") {
			tok, before = tok[2:], before[:i+1]
		}
	}
	tok = strings.TrimRight(tok, ".")
	if a, err := netip.ParseAddr(tok); err == nil && bounded(before, after) && !a.IsUnspecified() && !t.seen[a] {
		t.seen[a] = true
		t.ips = append(t.ips, a)
	}
}

func addrByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == ':' || c == '.'
}

// bounded tells whether what stands around keeps a token from being part of a
// name or of a version.
func bounded(before, after string) bool {
	if before != "" && nameByte(before[len(before)-1]) {
		return false
	}
	return after == "" || !nameByte(after[0])
}

func nameByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' || c >= 0x80
}
