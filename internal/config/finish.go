package config

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
	"github.com/tollgate-mail/tollgate/rules"
)

// versionLength is how much of the hash names a version, in hexadecimal digits.
const versionLength = 12

// finish makes what needs more than one section.
func (d *decoder) finish(root *node) {
	if g := root.Child("gateway"); g == nil || g.Kind == document.Table && g.Child("name") == nil {
		d.hostName(root)
	}
	d.finishClients(root)
	d.finishGreylist()
	for _, e := range d.extensions {
		d.finishModule(e)
	}
	policy, problems := rules.CompileEach(d.source, d.reading())
	for _, p := range problems {
		if !p.Warning || !d.brokenAt[p.Pos] {
			d.Problems = append(d.Problems, p)
		}
	}
	d.gate.Rules = policy
	d.config.Hash = source.Hash(d.form, d.config.Sources)
	d.gate.Version = d.config.Hash[:versionLength]
	d.config.Gate = d.gate
	d.checkResolver(root)
	d.config.Location = d.zone
	d.config.Lists = len(d.source.Lists)
	d.config.ListSizes = make(map[string]int, len(d.source.Lists))
	for name, l := range d.source.Lists {
		if l != nil {
			d.config.ListSizes[name] = l.Len()
		}
	}
}

// checkResolver tells of servers of the system that nobody is asked by.
func (d *decoder) checkResolver(root *node) {
	if d.gate.Rules == nil || !d.gate.NeedsDNS() || len(d.config.Resolver) > 0 {
		return
	}
	names, err := dnscheck.CheckResolvConf("")
	if err != nil {
		d.Warnf(root, "%v", err)
	}
	for _, name := range names {
		d.Warnf(root, "resolv.conf: nameserver %q is no address and is not asked", name)
	}
}

func (d *decoder) finishClients(root *node) {
	d.finishClientSources(root)
	d.finishTariffs()
	clients := make([]*accounting.Client, len(d.clientList))
	unfiltered := false
	for i, c := range d.clientList {
		c.Location = d.zone
		clients[i] = c.Client
		unfiltered = unfiltered || c.NoFilter
	}
	dir, clashes := directory.New(d.directory, clients)
	d.clashes(clashes)
	d.checkSenders()
	d.gate.Directory = dir
	d.config.Directory, d.config.Clients = d.directory, clients
	if len(clients) == 0 && !d.moreClients && !d.noMode && !d.directory.AnyInDomains {
		at := root
		if d.recipientsAt != nil {
			at = d.recipientsAt
		}
		d.Warnf(at, `nobody receives mail: recipients mode is "known", and there is no client`)
	}
	if unfiltered && d.gate.RefuseAtOnce {
		d.Warnf(d.refuseAt, `with refuse_at = "at_once" clients with filter = false are refused, too, by rules of connect, helo and mailfrom`)
	}
}

// Fewer says what there is less of than in the policy before: a file that was
// cut reads like one that somebody shortened.
func (c *Config) Fewer(before *Config) []string {
	var all []string
	fewer := func(what string, now, then int) {
		if now < then {
			all = append(all, fmt.Sprintf("%s, which is %d fewer than before", what, then-now))
		}
	}
	rules, were := len(c.Gate.Rules.Rules()), len(before.Gate.Rules.Rules())
	fewer(plural(rules, "rule"), rules, were)
	rules, were = len(c.Gate.Rules.Thresholds(math.MaxInt64)), len(before.Gate.Rules.Thresholds(math.MaxInt64))
	fewer(plural(rules, "threshold"), rules, were)
	clients, had := len(c.Gate.Directory.Clients()), len(before.Gate.Directory.Clients())
	fewer(plural(clients, "client"), clients, had)
	for _, name := range slices.Sorted(maps.Keys(before.ListSizes)) {
		now, there := c.ListSizes[name]
		if !there {
			all = append(all, fmt.Sprintf("list %s: the policy has it no more", name))
			continue
		}
		fewer(fmt.Sprintf("list %s: %d %s", name, now, entries(now)), now, before.ListSizes[name])
	}
	return all
}

func entries(n int) string {
	if n == 1 {
		return "entry"
	}
	return "entries"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
