package config

import (
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
)

func (d *decoder) recipients(n *node) {
	d.recipientsAt = n
	before := len(d.problems)
	d.read(n, "[recipients]", d.recipientsFields())
	domains := n.child("domains")
	switch {
	case d.problems[before:].Err() != nil:
		d.noMode = true
	case d.directory.AnyInDomains && domains == nil:
		d.errorf(n, `[recipients] needs domains: mode is "domains"`)
	case !d.directory.AnyInDomains && domains != nil && n.child("mode") == nil:
		d.errorf(domains, `domains are set, but mode is "known"; write mode = "domains"`)
	case !d.directory.AnyInDomains && domains != nil:
		d.warnf(domains, `domains are without effect in mode "known"`)
	}
}

func (d *decoder) recipientsFields() []field {
	return []field{
		{key: "mode", read: d.choice(&d.directory.AnyInDomains, "known", "domains")},
		{key: "domains", read: d.domains},
		{key: "delimiter", read: d.delimiter},
		{key: "refuse", read: d.refuse},
	}
}

func (d *decoder) domains(n *node) {
	if n.kind == array && len(n.children) == 0 {
		d.errorf(n, `domains is empty: write the domains whose mail comes here, as domains = ["example.org"]`)
	}
	for _, c := range d.textNodes(n) {
		s := c.value.(string)
		if d.domainsAt[s] != nil {
			d.errorf(c, "domains: %q stands there twice", s)
			continue
		}
		// The directory says whether it is a domain.
		d.domainsAt[s] = c
		d.directory.Domains = append(d.directory.Domains, s)
	}
}

// delimiter reads characters of which each one separates the tag, as in
// Postfix's recipient_delimiter.
func (d *decoder) delimiter(n *node) {
	s, ok := d.readString(n)
	switch {
	case !ok:
	case strings.Trim(s, "+-=_.#!$%&'*/?^`{|}~") != "":
		d.errorf(n, `delimiter %q: characters such as "+" separate the tag of an address; "" for none`, s)
	default:
		d.directory.Delimiter = s
	}
}

// refusals are the names of recipients.refuse and the states they stand for.
// What balances and quotas will say cannot be the case yet.
var refusals = []struct {
	name  string
	block accounting.Block
}{
	{"disabled", accounting.Disabled},
	{"expired", accounting.Expired},
	{"not_yet_valid", accounting.NotYetValid},
	{"balance", 0},
	{"quota", 0},
	{"schedule", accounting.OutOfSchedule},
}

func everyRefusal() (all accounting.Block) {
	for _, r := range refusals {
		all |= r.block
	}
	return all
}

func (d *decoder) refuse(n *node) {
	names := make([]string, len(refusals))
	for i, r := range refusals {
		names[i] = r.name
	}
	d.gate.Refuse = 0
	for _, c := range d.textNodes(n) {
		name := c.value.(string)
		if d.among(c, name, names) {
			d.gate.Refuse |= refusals[slices.Index(names, name)].block
		}
	}
}

func (d *decoder) outbound(n *node) { d.read(n, "[outbound]", d.outboundFields()) }

func (d *decoder) outboundFields() []field {
	return []field{
		{key: "networks", read: d.networks(&d.gate.OutboundNetworks)},
		{key: "authenticated", read: d.boolean(&d.gate.OutboundAuthenticated)},
	}
}
