package config

import "github.com/tollgate-mail/tollgate/internal/directory"

// clashes reports addresses, logins and networks that cannot be read, or that
// belong to a client already.
func (d *decoder) clashes(all []directory.Clash) {
	p := claimPlaces{owned: map[claims]map[string]*node{}, told: map[claims]int{}}
	for _, c := range all {
		if c.Client == "" {
			d.Errorf(d.domainsAt[c.Text], "domains: %q: %v", c.Text, c.Err)
			continue
		}
		client := d.clientList[d.clientByID[c.Client]]
		if c.Err != nil {
			d.Errorf(p.next(client, c, nil), "client %s: %s %q: %v", c.Client, c.Kind, c.Text, c.Err)
			continue
		}
		first := p.first(d.clientList[d.clientByID[c.Other]], c)
		at := p.next(client, c, first)
		if c.Other == c.Client {
			d.Errorf(at, "client %s: %s %s stands there twice, first at %s", c.Client, c.Kind, c.Text, first.Pos())
			continue
		}
		d.Errorf(at, "client %s: %s %s belongs to client %s already, at %s", c.Client, c.Kind, c.Text, c.Other, first.Pos())
	}
}

// claims are those of one kind of a client.
type claims struct {
	id   string
	kind directory.Kind
}

// claimPlaces finds where the entries of clashes stand. Clashes come in
// the order of the entries.
type claimPlaces struct {
	owned map[claims]map[string]*node // by folded entry: where first
	told  map[claims]int              // the entries before were told of
}

// first is where a client first has what clashes.
func (p claimPlaces) first(c listed, clash directory.Clash) *node {
	of := claims{c.ID, clash.Kind}
	places := p.owned[of]
	if places == nil {
		written := c.written[clash.Kind]
		places = make(map[string]*node, len(written))
		for i, at := range written {
			if folded := c.folded(clash.Kind, i); places[folded] == nil {
				places[folded] = at
			}
		}
		p.owned[of] = places
	}
	if at := places[clash.Kind.Fold(clash.Text)]; at != nil {
		return at
	}
	return c.at
}

// next is where an entry stands that was not told of yet, and not at but.
func (p claimPlaces) next(c listed, clash directory.Clash, but *node) *node {
	of := claims{c.ID, clash.Kind}
	want := clash.Kind.Fold(clash.Text)
	written := c.written[clash.Kind]
	for i := p.told[of]; i < len(written); i++ {
		if written[i] != but && c.folded(clash.Kind, i) == want {
			p.told[of] = i + 1
			return written[i]
		}
	}
	return c.at
}

// folded is an entry in the form in which those of clients compare.
func (c *listed) folded(kind directory.Kind, i int) string {
	if kind == directory.Network {
		return c.Networks[i].String()
	}
	return kind.Fold(c.written[kind][i].Value.(string))
}
