package gate

import (
	"net/netip"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/rules"
)

// Settings are what a policy says without anything living: what the policy file
// alone decides.
type Settings struct {
	Version       string // of the policy, in records and journals
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

	Sharing accounting.Sharing
	// ChargeSenders: what of outbound mail no client receives is charged to the
	// client that sends it.
	ChargeSenders bool

	Limits Limits
}

// Policy is everything the gate judges by. The gate keeps a copy: nothing that
// is done to a Policy afterwards changes what is in force. A reload makes a new
// one.
type Policy struct {
	Settings

	// Clients are the clients as they are now, and how their accounts stand;
	// nil: those of Directory, of whose accounts nothing is known.
	Clients Clients

	DNS    DNS    // nil: there is none to ask
	Memory Memory // nil: there is none

	Antivirus *Antivirus // nil: none
	Modules   []Module   // names are unique

	// Retired is called once, when another policy is in force and no session
	// judges by this one any more: what it alone used can end. It must not
	// wait. nil for nothing.
	Retired func()
}

// Clients may change while a policy is in force. Whose an address is, is asked
// of one snapshot from MAIL to the end of a message; whether a client may
// receive is asked at each RCPT.
type Clients interface {
	// Snapshot is nil while nothing is known of any client: then recipients are
	// deferred.
	Snapshot() *directory.Directory
	// Blocks are the reasons why a client may not receive at a time.
	Blocks(c *accounting.Client, t time.Time) accounting.Block
}

// snapshot is the directory for a message that begins.
func (p *Policy) snapshot() *directory.Directory {
	if p.Clients != nil {
		return p.Clients.Snapshot()
	}
	return p.Directory
}

// blocks are the reasons why a client may not receive now.
func (p *Policy) blocks(c *accounting.Client, t time.Time) accounting.Block {
	if p.Clients != nil {
		return p.Clients.Blocks(c, t)
	}
	return c.Blocks(t)
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

// Module is an extension module.
type Module struct {
	Inspector *module.Guard
	Factor    rules.Weight // its score times this is added to the weight
	// OnError is Continue or Tempfail: the module has no result.
	OnError rules.Action
}

// Replies are the texts of refusals that no rule makes. All are set.
type Replies struct {
	Unknown, Foreign, Disabled, Expired, NotYetValid, Schedule, Quota, Balance, Class, Accounting *rules.Reply

	// Senders are those for the blocks of the client that sends; what is not in
	// it is answered as to a recipient.
	Senders map[accounting.Block]*rules.Reply
}
