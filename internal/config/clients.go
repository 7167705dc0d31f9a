package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
)

// listed is a client with where it stands.
type listed struct {
	*accounting.Client
	at       *node
	written  map[directory.Kind][]*node // what it claims, entry by entry
	tariffAt *node                      // nil: it names none
}

// client is [[client]].
func (d *decoder) client(n *node) {
	c := d.readClient(n)
	if c.ID == "" {
		d.moreClients = true
		return
	}
	if other, ok := d.clientByID[c.ID]; ok {
		d.Errorf(n, "client %s stands there twice: here and at %s", c.ID, d.clientList[other].at.Pos())
		return
	}
	d.clientByID[c.ID] = len(d.clientList)
	d.clientList = append(d.clientList, c)
}

func (d *decoder) readClient(n *node) listed {
	c := listed{Client: &accounting.Client{}, at: n, written: map[directory.Kind][]*node{}}
	d.Read(n, "[[client]]", d.clientFields(&c))
	if !c.ValidFrom.IsZero() && !c.Expires.IsZero() && !c.Expires.After(c.ValidFrom) {
		d.Errorf(n, "client %s is never valid: expires is not after valid_from", c.ID)
	}
	if n := n.Child("credit_limit"); n != nil && c.Mode == accounting.Unlimited {
		d.Warnf(n, `credit_limit is without effect in mode "unlimited"`)
	}
	if c.ID != "" && n.Child("addresses") == nil && n.Child("logins") == nil && n.Child("networks") == nil {
		d.Warnf(n, "client %s has no addresses: nothing reaches it", c.ID)
	}
	return c
}

func (d *decoder) clientFields(c *listed) []field {
	filter := func(n *node) {
		on := true
		d.Boolean(&on)(n)
		c.NoFilter = !on
	}
	return append([]field{
		{Key: "id", Read: d.clientID(&c.ID), Required: true},
		{Key: "name", Read: d.Text(&c.Name)},
		{Key: "addresses", Read: d.addresses(c)},
		{Key: "logins", Read: d.logins(c)},
		{Key: "networks", Read: d.networks(c)},
		{Key: "disabled", Read: d.Boolean(&c.Disabled)},
		{Key: "valid_from", Read: d.date(&c.ValidFrom)},
		{Key: "expires", Read: d.date(&c.Expires)},
		{Key: "schedule", Read: d.schedule(&c.Schedule)},
		{Key: "filter", Read: filter},
	}, d.accountFields(c)...)
}

func (d *decoder) clientID(into *string) func(*node) {
	return func(n *node) {
		s, ok := d.ReadString(n)
		if !ok {
			return
		}
		if err := accounting.CheckID(s); err != nil {
			d.Errorf(n, "%v", err)
			return
		}
		*into = s
	}
}

// addresses keeps them as they are written: the directory reads them, and says
// what is wrong with one.
func (d *decoder) addresses(c *listed) func(*node) {
	return func(n *node) {
		all := d.TextNodes(n)
		c.written[directory.Mailbox] = all
		c.Addresses = make([]string, len(all))
		for i, a := range all {
			c.Addresses[i] = a.Value.(string)
			// What cannot be read is told of with the clashes.
			p, err := accounting.ParseAddress(c.Addresses[i])
			switch {
			case err != nil:
			case p.Form == accounting.Mailbox && p.Local == "*":
				d.Errorf(a, "%s: there are no wild cards; for every address at the domain write @%s", c.Addresses[i], p.Domain)
			case p.Form == accounting.Mailbox && strings.Contains(p.Local, "*"):
				d.Errorf(a, "%s: there are no wild cards; an expression is written /between slashes/", c.Addresses[i])
			case p.Form != accounting.Pattern && address.MixesScripts(c.Addresses[i]):
				d.Warnf(a, "%s: a name in it has letters of Latin and of another script that look alike", c.Addresses[i])
			case p.Open:
				d.Warnf(a, "%s does not end where the address ends, so it also matches addresses in domains of others, and mail to them is accepted: end it in $", c.Addresses[i])
			}
		}
	}
}

// logins keeps them as they are written, as addresses are.
func (d *decoder) logins(c *listed) func(*node) {
	return func(n *node) {
		all := d.TextNodes(n)
		c.written[directory.Login] = all
		c.Logins = make([]string, len(all))
		for i, a := range all {
			c.Logins[i] = a.Value.(string)
		}
	}
}

func (d *decoder) networks(c *listed) func(*node) {
	return func(n *node) {
		for _, at := range d.TextNodes(n) {
			if p, ok := d.Prefix(at); ok {
				c.Networks = append(c.Networks, p)
				c.written[directory.Network] = append(c.written[directory.Network], at)
			}
		}
	}
}

// date reads a day.
func (d *decoder) date(into *time.Time) func(*node) {
	return func(n *node) {
		t, ok := n.Value.(time.Time)
		switch {
		case ok && t.Location().String() == document.LocalDate:
			*into = t
		case !ok && isDate(n.Value):
			d.Errorf(n, "%s must be a date, not a string: write it without quotes", n.Key)
		default:
			d.Errorf(n, "%s must be a date such as 2026-01-31, not %s", document.QuoteKey(n.Key), shownDate(n))
		}
	}
}

// shownDate shows what reads like a date and is none: one that no month has.
func shownDate(n *node) string {
	if s, ok := n.Value.(string); ok && len(s) == len(time.DateOnly) {
		return values.Shown(n)
	}
	return n.What()
}

func isDate(v any) bool {
	s, _ := v.(string)
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func (d *decoder) schedule(into **accounting.Schedule) func(*node) {
	return func(n *node) {
		s, ok := d.ReadString(n)
		if !ok {
			return
		}
		schedule, err := accounting.ParseSchedule(s)
		if err != nil {
			d.Errorf(n, "%s: %s", n.Key, strings.TrimPrefix(err.Error(), "schedule: "))
			return
		}
		*into = schedule
	}
}

// clashes reports addresses, logins and networks that cannot be read, or that
// belong to a client already.
func (d *decoder) clashes(all []directory.Clash) {
	p := claimPlaces{owned: map[claims]map[string]*node{}, told: map[claims]int{}}
	for _, c := range all {
		if c.Client == "" {
			d.Errorf(d.domainsAt[c.Text], "domains: %q: %v%s", c.Text, c.Err, domainMeant(c.Text))
			continue
		}
		client := d.clientList[d.clientByID[c.Client]]
		if c.Err != nil {
			d.Errorf(p.next(client, c, nil), "client %s: %s %q: %v%s", c.Client, c.Kind, c.Text, c.Err, meantOf(c))
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

// meantOf is what was meant by an entry that cannot be read.
func meantOf(c directory.Clash) string {
	if c.Kind != directory.Mailbox {
		return ""
	}
	if plain := strings.TrimSpace(c.Text); plain != c.Text {
		return fmt.Sprintf("; there is a blank at its end or beginning: write %q", plain)
	}
	if strings.HasPrefix(c.Text, "^") || strings.HasSuffix(c.Text, "$") {
		return "; an expression is written /between slashes/"
	}
	return wholeDomain(c.Text)
}

// wholeDomain says what to write for an address that is a domain alone; "" where it
// is not.
func wholeDomain(address string) string {
	name := strings.TrimPrefix(address, ".")
	if strings.ContainsAny(address, "@/ ") || !strings.Contains(name, ".") {
		return ""
	}
	return fmt.Sprintf("; for every address at the domain write @%s", name)
}
