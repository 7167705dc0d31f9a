package dnscheck

import (
	"net/netip"
	"slices"
	"strings"
)

// networks are those that tell of an address whether anybody elsewhere reaches it.
type networks struct {
	// reserved are the networks of which nobody does (the registries of RFC 6890):
	// this host and network, private and shared ones, link and site, benchmarks,
	// discarded, several at once, and what was never given out. Those for
	// documentation are not among them: nobody has them by mistake.
	reserved []netip.Prefix
	// embedding are IPv6 networks whose addresses have one of IPv4 in them.
	embedding []embedding
}

type embedding struct {
	netip.Prefix
	at int // the octet where that begins
}

func newNetworks() networks {
	var n networks
	for text := range strings.FieldsSeq(`
		0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 198.18.0.0/15 224.0.0.0/3
		::/127 100::/64 fc00::/7 fe80::/10 fec0::/10 ff00::/8`) {
		n.reserved = append(n.reserved, netip.MustParsePrefix(text))
	}
	n.embedding = []embedding{
		{netip.MustParsePrefix("::/96"), 12},        // compatible ones (RFC 4291 §2.5.5.1)
		{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64 (RFC 6052)
		{netip.MustParsePrefix("2002::/16"), 2},     // 6to4 (RFC 3056)
	}
	return n
}

// unreachable tells of an address that nobody elsewhere reaches.
func (n *networks) unreachable(a netip.Addr) bool {
	in := func(a netip.Addr) bool {
		return slices.ContainsFunc(n.reserved, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	if in(a) {
		return true
	}
	for _, e := range n.embedding {
		if e.Contains(a) { // IPv4 is in none
			raw := a.As16()
			return in(netip.AddrFrom4([4]byte(raw[e.at:])))
		}
	}
	return false
}

// isLocalhost tells of names that stand for the host that asks, whatever DNS says
// of them (RFC 6761 §6.3).
func isLocalhost(name string) bool {
	return name == "localhost." || strings.HasSuffix(name, ".localhost.")
}
