package gate

import (
	"net/netip"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/rules"
)

// Policy is everything the gate judges by. It is immutable; a reload makes a
// new one.
type Policy struct {
	Gateway       string // in records and journals; unique among gateways
	RefuseAtOnce  bool   // answer what connect, helo and mailfrom refuse at MAIL, not at RCPT
	AcceptOnError bool   // an internal fault lets mail pass unjudged instead of deferring it
	ReportHeader  string // "" for none
	SkipClients   []netip.Prefix
	// FallbackCharset is that of header octets that nothing labels: a name, or
	// charset.Auto, which "" stands for.
	FallbackCharset string

	Directory *directory.Directory
	Refuse    accounting.Block // which blocks refuse at RCPT

	OutboundNetworks      []netip.Prefix
	OutboundAuthenticated bool

	Rules   *rules.Policy
	Replies Replies

	DNS    DNS    // nil: there is none to ask
	Memory Memory // nil: there is none

	Antivirus *Antivirus // nil: none
	Modules   []Module   // names are unique

	Sharing accounting.Sharing

	Limits Limits
}

// Antivirus has whole messages scanned. No rule switches it off.
type Antivirus struct {
	Scanner *module.Guard
	Engine  string // for the journal: "clamav"
	// Action on an infected message: Reject, Discard, Hold, or Continue, which
	// only marks it.
	Action rules.Action
	Reply  *rules.Reply // of Reject; nil: the action's own
	Tags   rules.Tags   // of Continue and Hold
	// OnError is Tempfail or Accept: the scanner was away, too slow or unsure.
	OnError rules.Action
	// Oversize is Accept, Tempfail or Reject: larger than the scanner's limit.
	Oversize rules.Action
}

// Keep goes on with the guards of a policy before whose settings are the same,
// so that health, places and messages under way stay with them. It is for a
// policy that is not yet in force.
func (p *Policy) Keep(before []*module.Guard) {
	same := func(g *module.Guard) *module.Guard {
		for _, old := range before {
			if g.Same(old) {
				return old
			}
		}
		return g
	}
	if p.Antivirus != nil {
		p.Antivirus.Scanner = same(p.Antivirus.Scanner)
	}
	for i := range p.Modules {
		p.Modules[i].Inspector = same(p.Modules[i].Inspector)
	}
}

// Guards are those of all inspectors, the antivirus first.
func (p *Policy) Guards() []*module.Guard {
	var all []*module.Guard
	if p.Antivirus != nil {
		all = append(all, p.Antivirus.Scanner)
	}
	for _, m := range p.Modules {
		all = append(all, m.Inspector)
	}
	return all
}

// Module is an extension module.
type Module struct {
	Inspector *module.Guard
	Factor    rules.Weight // its score times this is added to the weight
	// OnError is Continue or Tempfail: the module has no result.
	OnError rules.Action
}

// Replies are the texts of refusals that no rule makes. All are set.
type Replies struct {
	Unknown, Foreign, Disabled, Expired, NotYetValid, Schedule, Class, Accounting *rules.Reply
}
