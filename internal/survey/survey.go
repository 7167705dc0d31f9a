// Package survey finds out how a gateway and what stands around it fare: it asks
// Postfix's commands, scanners, the store, DNS and the system, and changes
// nothing. What it finds is for package doctor to judge.
package survey

import (
	"context"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/confine"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/doctor"
	"github.com/tollgate-mail/tollgate/rules"
)

// patience is how long one question may take.
const patience = 5 * time.Second

// Source says where to look.
type Source struct {
	File     string // of the policy
	Places   config.Places
	Config   *config.Config // nil: the policy has errors
	Errors   int            // of the policy
	Status   *daemon.Status // nil: no daemon answers
	Version  string         // of who asks
	DNS      bool           // ask DNS, too
	Instance []string       // config folders of Postfix; none: all instances that there are
	Now      func() time.Time
}

// Gather finds out everything. What cannot be found out is said in the facts.
func Gather(ctx context.Context, s Source) doctor.Facts {
	f := doctor.Facts{Now: s.Now(), System: system(), Policy: doctor.Policy{File: s.File, Errors: s.Errors, StateDir: s.Places.StateDir, Journal: s.Places.JournalDir}}
	f.Policy.Changed = changed(s.File)
	f.Daemon.Binary = s.Version
	if st := s.Status; st != nil {
		f.Daemon = doctor.Daemon{
			Running: true, Version: st.Version, Binary: s.Version, Loaded: st.Policy.Loaded, Degraded: st.Degraded,
			Waiting: st.Spool.Waiting, Oldest: st.Spool.Oldest, Parked: st.Store.Parked,
			Unconfined: st.Confined.Setting == config.ConfineOff && confine.Able() == nil,
		}
	}
	f.Postfix = instances(ctx, s)
	f.Machine, f.Disks, f.Files = machine(s), disks(s, f.Postfix), files(s)
	if s.Config == nil {
		return f
	}
	policy(s.Config, &f.Policy)
	var asked sync.WaitGroup
	asked.Go(func() { f.Clamd = askClamd(ctx, s.Config) })
	asked.Go(func() { f.Rspamd = askRspamd(ctx, s.Config) })
	asked.Go(func() { f.Redis = askRedis(ctx, s) })
	if s.DNS {
		asked.Go(func() { f.DNS = askDNS(ctx, s.Config, &f.Policy, f.Postfix) })
	}
	asked.Wait()
	return f
}

// policy is what the checks need of it.
func policy(c *config.Config, p *doctor.Policy) {
	p.Gateway, p.Outbound = c.Gate.Gateway, c.Gate.OutboundNetworks
	clients := assemble.KeptClients(c).Directory()
	_, p.AnyOfOurs = clients.Domains()
	domains, all := clients.Reach()
	p.Domains, p.MoreDomains = domains, !all
	for _, k := range c.Gate.Rules.Asks(rules.AsksDNS) {
		if k.Attr == rules.DNSBL {
			p.Lists = append(p.Lists, k.Name)
		}
	}
	for _, r := range c.Gate.Rules.Rules() {
		p.Greylist = p.Greylist || r.Action == rules.Greylist
	}
}
