package dnscheck

import (
	"net/netip"
	"slices"
	"strings"
)

// reserved are the networks of which nobody elsewhere reaches an address (the
// registries of RFC 6890): this host and network, private and shared ones, link
// and site, benchmarks, discarded, several at once, and what was never given out.
// Those for documentation are not among them: nobody has them by mistake.
func reserved() []netip.Prefix {
	var all []netip.Prefix
	for text := range strings.FieldsSeq(`
		0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 198.18.0.0/15 224.0.0.0/3
		::/127 100::/64 fc00::/7 fe80::/10 fec0::/10 ff00::/8`) {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// embedded is the IPv4 address that an address of some IPv6 networks has in it:
// compatible ones (RFC 4291 §2.5.5.1), 6to4 (RFC 3056), NAT64 (RFC 6052).
func embedded(a netip.Addr) (netip.Addr, bool) {
	raw := a.As16()
	at := 12
	switch {
	case a.Is4():
		return a, false
	case netip.MustParsePrefix("2002::/16").Contains(a):
		at = 2
	case netip.MustParsePrefix("::/96").Contains(a), netip.MustParsePrefix("64:ff9b::/96").Contains(a):
	default:
		return a, false
	}
	return netip.AddrFrom4([4]byte(raw[at : at+4])), true
}

// unreachable tells of an address that nobody elsewhere reaches.
func (r *Resolver) unreachable(a netip.Addr) bool {
	in := func(a netip.Addr) bool {
		return slices.ContainsFunc(r.reserved, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	inner, ok := embedded(a)
	return in(a) || ok && in(inner)
}

// isLocalhost tells of names that stand for the host that asks, whatever DNS says
// of them (RFC 6761 §6.3).
func isLocalhost(name string) bool {
	return name == "localhost." || strings.HasSuffix(name, ".localhost.")
}
