package gate

import (
	"net/netip"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/directory"
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

	Directory *directory.Directory
	Refuse    accounting.Block // which blocks refuse at RCPT

	OutboundNetworks      []netip.Prefix
	OutboundAuthenticated bool

	Rules   *rules.Policy
	Replies Replies

	Sharing accounting.Sharing
}

// Replies are the texts of refusals that no rule makes. All are set.
type Replies struct {
	Unknown, Foreign, Disabled, Expired, NotYetValid, Schedule, Class, Accounting *rules.Reply
}
