package list

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gaissmai/bart"
)

// manyPrefixes is from where on a table beats trying one after another.
const manyPrefixes = 8

// Prefixes is a set of networks.
type Prefixes struct {
	All   []netip.Prefix
	table *bart.Lite // nil while there are few
}

func (s *Prefixes) Add(p netip.Prefix) {
	s.All = append(s.All, p)
	if s.table == nil && len(s.All) == manyPrefixes {
		s.table = new(bart.Lite)
		for _, q := range s.All {
			s.table.Insert(q)
		}
	} else if s.table != nil {
		s.table.Insert(p)
	}
}

func (s *Prefixes) Contains(a netip.Addr) bool {
	if s.table != nil {
		return s.table.Contains(a)
	}
	for _, p := range s.All {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// ParsePrefix reads an address or a CIDR prefix. IPv4-mapped IPv6 is IPv4.
// exact is false where bits beyond the prefix length were set, and ignored.
func ParsePrefix(s string) (p netip.Prefix, exact bool, err error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return p, false, fmt.Errorf("%q is neither an address nor a prefix such as 192.0.2.0/24", s)
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true, nil
	}
	p, err = netip.ParsePrefix(s)
	if err != nil {
		return p, false, fmt.Errorf("%q is neither an address nor a prefix such as 192.0.2.0/24", s)
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	m := p.Masked()
	return m, m == p, nil
}

// HostBits says what an inexact prefix was taken for.
func HostBits(s string, p netip.Prefix) string {
	return fmt.Sprintf("%s has bits set beyond its length; it is taken as %s", s, p)
}
