package config

import (
	"bufio"
	"fmt"
	"net/netip"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
)

func (d *decoder) recipients(n *node) {
	d.recipientsAt = n
	before := len(d.Problems)
	d.Read(n, "[recipients]", d.recipientsFields())
	domains := n.Child("domains")
	if domains == nil {
		domains = n.Child("domains_file")
	}
	switch {
	case d.Problems[before:].Err() != nil:
		d.noMode = true
	case d.directory.AnyInDomains && domains == nil:
		d.Errorf(n, `[recipients] needs domains or domains_file: mode is "domains"`)
	case !d.directory.AnyInDomains && domains != nil && n.Child("mode") == nil:
		d.Errorf(domains, `domains are set, but mode is "known"; write mode = "domains"`)
	case !d.directory.AnyInDomains && domains != nil:
		d.Warnf(domains, `domains are without effect in mode "known"`)
	}
}

func (d *decoder) recipientsFields() []field {
	return []field{
		{Key: "mode", Read: d.Choice(&d.directory.AnyInDomains, "known", "domains")},
		{Key: "domains", Read: d.domains},
		{Key: "domains_file", Read: d.domainsFile},
		{Key: "delimiter", Read: d.delimiter},
		{Key: "refuse", Read: d.refuse},
	}
}

func (d *decoder) domains(n *node) {
	if n.Kind == document.Array && len(n.Children) == 0 {
		d.Errorf(n, `domains is empty: write the domains whose mail comes here, as domains = ["example.org"]`)
	}
	for _, c := range d.TextNodes(n) {
		d.domain(c, c.Value.(string))
	}
}

func (d *decoder) domain(at *node, s string) {
	if d.domainsAt[s] != nil {
		d.Errorf(at, "domains: %q stands there twice", s)
		return
	}
	// The directory says whether it is a domain.
	d.domainsAt[s] = at
	d.directory.Domains = append(d.directory.Domains, s)
}

// domainMeant says how a domain is written that somebody wrote as programs beside
// this one have it.
func domainMeant(s string) string {
	if _, after, ok := strings.Cut(s, "://"); ok {
		after, _, _ = strings.Cut(after, "/")
		if address.CheckDomain(after) == nil {
			return fmt.Sprintf("; did you mean %q?", after)
		}
	}
	if plain := strings.Trim(strings.TrimSpace(s), "."); plain != s && address.CheckDomain(plain) == nil {
		return fmt.Sprintf("; did you mean %q?", plain)
	}
	sub, subdomains := strings.CutPrefix(s, "*.")
	domain := sub
	if at := strings.LastIndexByte(s, '@'); at >= 0 && !subdomains {
		domain = s[at+1:]
	}
	switch {
	case domain == s || address.CheckDomain(domain) != nil:
		return ""
	case subdomains:
		return fmt.Sprintf("; for all its subdomains write %q", "."+domain)
	}
	return fmt.Sprintf("; did you mean %q?", domain)
}

// maxDomainsFile bounds a file of domains, in octets.
const maxDomainsFile = 256 << 20

// domainsFile reads a file with one domain a line, with comments as in lists.
func (d *decoder) domainsFile(n *node) {
	var path string
	d.Path(&path)(n)
	if path == "" {
		return
	}
	whole, err := document.ReadFile(path, maxDomainsFile)
	if err != nil {
		d.Errorf(n, "cannot read the domains %s: %v", path, err)
		return
	}
	before, problems := len(d.directory.Domains), len(d.Problems)
	copied := source.NewCopy()
	lines := bufio.NewScanner(copied.Of(strings.NewReader(whole)))
	for line := 1; lines.Scan(); line++ {
		text := lines.Text()
		if line == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if at := strings.IndexByte(text, '#'); at == 0 || at > 0 && strings.ContainsAny(text[at-1:at], " \t") {
			text = text[:at]
		}
		if text = strings.TrimSpace(text); text != "" {
			d.domain(&node{File: path, Line: line, Key: "domains_file", Value: text}, text)
		}
	}
	d.config.Sources = append(d.config.Sources, copied.File(path, source.Domains, ""))
	switch err := lines.Err(); {
	case err != nil:
		d.Errorf(n, "cannot read the domains %s: %v", path, document.Plain(err))
	case len(d.directory.Domains) == before && len(d.Problems) == problems:
		d.Errorf(n, "%s has no domain in it: write one a line", path)
	}
}

// delimiter reads characters of which each one separates the tag, as in
// Postfix's recipient_delimiter.
func (d *decoder) delimiter(n *node) {
	s, ok := d.ReadString(n)
	switch {
	case !ok:
	case strings.Trim(s, "+-=_.#!$%&'*/?^`{|}~") != "":
		d.Errorf(n, `delimiter %q: characters such as "+" separate the tag of an address; "" for none`, s)
	default:
		d.directory.Delimiter = s
	}
}

func (d *decoder) refuse(n *node) {
	d.gate.Refuse = 0
	for _, c := range d.TextNodes(n) {
		name := c.Value.(string)
		if b, err := accounting.ParseBlock(name); d.Among(c, name, accounting.BlockNames()) && err == nil {
			d.gate.Refuse |= b
		}
	}
}

func (d *decoder) outbound(n *node) {
	d.Read(n, "[outbound]", d.outboundFields())
	d.trusted(n.Child("networks"), d.gate.OutboundNetworks, "may send anywhere, which is an open relay")
}

// trusted warns of networks that are more than anybody's own; may is what their hosts
// are trusted with.
func (d *decoder) trusted(at *node, networks []netip.Prefix, may string) {
	if at == nil {
		return
	}
	for _, p := range networks {
		switch {
		case p.Bits() == 0:
			d.Warnf(at, "%s: %s is every address: whoever reaches Postfix %s", at.Key, p, may)
		case p.Bits() < 8 && !p.Addr().IsPrivate(): // no network that is one's own is as large (RFC 1918, RFC 4193)
			d.Warnf(at, "%s: %s is a large part of all addresses: whoever has one and reaches Postfix %s", at.Key, p, may)
		}
	}
}

func (d *decoder) outboundFields() []field {
	return []field{
		{Key: "networks", Read: d.Networks(&d.gate.OutboundNetworks)},
		{Key: "authenticated", Read: d.Boolean(&d.gate.OutboundAuthenticated)},
	}
}
