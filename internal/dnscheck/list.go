package dnscheck

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/miekg/dns"
)

var (
	errNoList   = errors.New("an answer that is no list's")
	errListsAll = errors.New("the list has what no list may have (RFC 5782 section 5)")
)

// CheckZone tells what is wrong with the name of a list's zone.
func CheckZone(zone string) error {
	if _, ok := absolute(zone); !ok {
		return fmt.Errorf("%q is no name of a DNS zone", zone)
	}
	return nil
}

// Listed is what a DNS list says of an IP address: the addresses it answers,
// in order, all within 127.0.0.0/8; none for an address that is not listed
// (RFC 5782 §2). Among them may be some that say that the list does not serve
// who asks: see Refuses.
//
// An answer outside of 127.0.0.0/8 is an error and no listing: it comes from
// whoever put a wildcard in place of a list, or of every name that does not
// exist, and would list the world. So is any answer of a list that has 127.0.0.1,
// which none may have (RFC 5782 §5): it was given up, or somebody answers in its
// place.
func (r *Resolver) Listed(ctx context.Context, zone string, addr netip.Addr) ([]netip.Addr, error) {
	if !addr.IsValid() {
		return nil, nil
	}
	name, ok := absolute(reversed(addr) + zone)
	if !ok {
		return nil, CheckZone(zone)
	}
	nobody := []string{"1.0.0.127." + zone}
	if addr.Unmap().Is6() {
		nobody = append(nobody, nobodyIPv6+zone)
	}
	return r.listed(ctx, zone, name, nobody...)
}

// nobodyIPv6 is ::FFFF:7F00:1, which no list of IPv6 addresses may have (RFC 5782
// §5), as names of lists have it.
const nobodyIPv6 = "1.0.0.0.0.0.f.7.f.f.f.f." + "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."

// ListedDomain is what a DNS list of domains says of one (RFC 5782 §4), like
// Listed. No domain, an address literal, and a domain too long for a name in
// the zone are not listed. The domain that no list may have is "invalid" (§5).
func (r *Resolver) ListedDomain(ctx context.Context, zone, domain string) ([]netip.Addr, error) {
	if err := CheckZone(zone); err != nil {
		return nil, err
	}
	name, ok := absolute(domain)
	if !ok || hostless(name) {
		return nil, nil
	}
	at, _ := absolute(zone)
	if len(name)+len(at) > maxName+1 {
		return nil, nil
	}
	return r.listed(ctx, zone, name+at, "invalid."+zone)
}

// Refuses tells whether an answer is no listing but says that the list does not
// serve who asks: 127.0.0.1, an address that ends in 255 as 127.0.0.255 and
// 127.0.1.255, and all of 127.255.255.0/24.
func Refuses(addr netip.Addr) bool {
	if addr = addr.Unmap(); !addr.Is4() {
		return false
	}
	raw := addr.As4()
	return raw == [4]byte{127, 0, 0, 1} || raw[0] == 127 && raw[3] == 255 || raw[0] == 127 && raw[1] == 255 && raw[2] == 255
}

func (r *Resolver) listed(ctx context.Context, zone, name string, nobody ...string) ([]netip.Addr, error) {
	during := newTimed(ctx, r.total)
	defer during.end()
	q := question{name, dns.TypeA}
	a, err := r.lookup(during, q)
	if err != nil {
		r.lists.note(zone, trusted, nil, nil)
		return nil, err
	}
	for _, addr := range a.addrs {
		if raw := addr.As4(); raw[0] != 127 {
			r.lists.note(zone, distrusted, nil, r.now)
			return nil, temporary(q, fmt.Errorf("%w: %v", errNoList, addr))
		}
	}
	all := slices.SortedFunc(slices.Values(a.addrs), netip.Addr.Compare)
	said := trusted
	if slices.ContainsFunc(all, func(a netip.Addr) bool { return !Refuses(a) }) && slices.ContainsFunc(nobody, func(nobody string) bool { return r.listsAll(during, nobody) }) {
		said = distrusted
	}
	r.lists.note(zone, said, all, r.now)
	if said == distrusted {
		return nil, temporary(q, errListsAll)
	}
	return all, nil
}

// listsAll tells whether a list has what none may have. That it cannot be told
// takes nothing from what the list has said.
func (r *Resolver) listsAll(ctx context.Context, nobody string) bool {
	name, ok := absolute(nobody)
	if !ok {
		return false
	}
	a, err := r.lookup(ctx, question{name, dns.TypeA})
	return err == nil && slices.ContainsFunc(a.addrs, func(a netip.Addr) bool { return !Refuses(a) })
}
