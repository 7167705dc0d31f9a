package config

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/directory"
)

// clashes reports addresses that cannot be read, or that belong to a client
// already.
func (d *decoder) clashes(all []directory.Clash) {
	p := addressPlaces{owned: map[string]map[string]*node{}, told: map[string]int{}}
	for _, c := range all {
		if c.Client == "" {
			d.Errorf(d.domainsAt[c.Address], "domains: %q: %v", c.Address, c.Err)
			continue
		}
		client := d.clientList[d.clientByID[c.Client]]
		if c.Err != nil {
			d.Errorf(p.next(client, c.Address, nil), "client %s: address %q: %v", c.Client, c.Address, c.Err)
			continue
		}
		first := p.first(d.clientList[d.clientByID[c.Other]], c.Address)
		at := p.next(client, c.Address, first)
		if c.Other == c.Client {
			d.Errorf(at, "client %s: address %s stands there twice, first at %s", c.Client, c.Address, first.Pos())
			continue
		}
		d.Errorf(at, "client %s: address %s belongs to client %s already, at %s", c.Client, c.Address, c.Other, first.Pos())
	}
}

// addressPlaces finds where the addresses of clashes stand. Clashes come in
// the order of the addresses.
type addressPlaces struct {
	owned map[string]map[string]*node // by client and folded address: where first
	told  map[string]int              // by client: the addresses before were told of
}

// first is where a client first has an address.
func (p addressPlaces) first(c listed, address string) *node {
	places := p.owned[c.ID]
	if places == nil {
		places = make(map[string]*node, len(c.addresses))
		for i, a := range c.Addresses {
			if folded := fold(a); places[folded] == nil {
				places[folded] = c.addresses[i]
			}
		}
		p.owned[c.ID] = places
	}
	if at := places[fold(address)]; at != nil {
		return at
	}
	return c.at
}

// next is where an address stands that was not told of yet, and not at but.
func (p addressPlaces) next(c listed, address string, but *node) *node {
	want := fold(address)
	for i := p.told[c.ID]; i < len(c.addresses); i++ {
		if c.addresses[i] != but && fold(c.Addresses[i]) == want {
			p.told[c.ID] = i + 1
			return c.addresses[i]
		}
	}
	return c.at
}

// fold is the form in which addresses of clients are compared.
func fold(entry string) string {
	if domain, ok := strings.CutPrefix(entry, "@"); ok {
		return "@" + address.FoldDomain(domain)
	}
	if strings.HasPrefix(entry, "/") {
		return entry
	}
	return address.Fold(entry)
}
