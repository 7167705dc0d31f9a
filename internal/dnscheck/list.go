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
	errListSays = errors.New("the list reports an error")
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
// (RFC 5782 §2).
//
// An answer outside of 127.0.0.0/8 is an error and no listing: it comes from
// whoever put a wildcard in place of a list, or of every name that does not
// exist, and would list the world. So are those in 127.255.255.0/24, by which
// lists tell that they do not serve this resolver.
func (r *Resolver) Listed(ctx context.Context, zone string, addr netip.Addr) ([]netip.Addr, error) {
	if !addr.IsValid() {
		return nil, nil
	}
	name, ok := absolute(reversed(addr) + zone)
	if !ok {
		return nil, CheckZone(zone)
	}
	return r.listed(ctx, name)
}

// ListedDomain is what a DNS list of domains says of one (RFC 5782 §4), like
// Listed. No domain, an address literal, and a domain too long for a name in
// the zone are not listed.
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
	return r.listed(ctx, name+at)
}

func (r *Resolver) listed(ctx context.Context, name string) ([]netip.Addr, error) {
	during := newStage(ctx, r.stage)
	defer during.end()
	q := question{name, dns.TypeA}
	a, err := r.lookup(during, q)
	if err != nil {
		return nil, err
	}
	for _, addr := range a.addrs {
		raw := addr.As4()
		switch {
		case raw[0] != 127:
			return nil, temporary(q, fmt.Errorf("%w: %v", errNoList, addr))
		case raw[1] == 255 && raw[2] == 255:
			return nil, temporary(q, fmt.Errorf("%w: %v", errListSays, addr))
		}
	}
	return slices.SortedFunc(slices.Values(a.addrs), netip.Addr.Compare), nil
}
