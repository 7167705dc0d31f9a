// Package gate is the judgement itself: six stage events in, decisions out.
// It knows neither the milter protocol nor the policy file. Live mail,
// explaining, testing, replaying and shadowing all drive it, so that they
// cannot disagree.
package gate

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/rules"
)

// Recorder makes the usage records of one message durable, all or none. An
// error that wraps accounting.ErrUncertain leaves that open; any other means
// that nothing was kept.
type Recorder interface {
	Append(ctx context.Context, records []accounting.Record) error
}

// Journal is where the gate writes what it did.
type Journal interface {
	Message(e *journal.Entry) error
	Block(entries ...*journal.Entry) error
	Trace(e *journal.Entry) error
	Traced(client netip.Addr) (protocol, rules bool)
}

// Parts are what a gate works with besides its policy.
type Parts struct {
	Records Recorder
	Journal Journal
	Log     *slog.Logger
	Now     func() time.Time
}

// Gate judges. It is safe for use by many goroutines.
type Gate struct {
	Parts
	refs   *refs
	texts  texts
	policy atomic.Pointer[judge]
	// background is what still runs after its answer went out.
	background sync.WaitGroup
}

// judge is a policy with what is derived from it once.
type judge struct {
	*Policy
	// strip are the names of fields that only we may write, each once.
	strip []string
	whole bool // a rule looks at every field
	wants Wants
}

// New makes a gate that judges by p.
func New(p *Policy, parts Parts) *Gate {
	g := &Gate{Parts: parts, refs: newRefs(parts.Now), texts: newTexts()}
	g.Swap(p)
	return g
}

// Swap puts a new policy in force. Messages under way keep theirs.
func (g *Gate) Swap(p *Policy) {
	j := &judge{Policy: p, whole: slices.Contains(p.Rules.HeaderNames(rules.HeaderField), "*")}
	for _, name := range append([]string{p.ReportHeader}, p.Rules.TagHeaders()...) {
		same := func(other string) bool { return strings.EqualFold(name, other) }
		if name != "" && !slices.ContainsFunc(j.strip, same) {
			j.strip = append(j.strip, name)
		}
	}
	early := p.Rules.Refuses(rules.Connect) || p.Rules.Refuses(rules.Helo) || p.Rules.Refuses(rules.MailFrom)
	j.wants.MailFrom = p.RefuseAtOnce && early
	g.policy.Store(j)
}

// Policy is the one in force.
func (g *Gate) Policy() *Policy { return g.policy.Load().Policy }

// Wants tells which events need an answer at once under the policy in force;
// the others can be told without waiting. RCPT TO and the end of a message
// always need one.
type Wants struct {
	Connect, Helo, MailFrom, Data, Header, Headers, Body bool
}

// Wants of the policy in force. What CONNECT and HELO refuse is answered at
// MAIL at the earliest: Postfix would put its own text in place of ours. What
// the header refuses is answered at the end of the message, since the client
// hears nothing before it has sent the body anyway.
func (g *Gate) Wants() Wants { return g.policy.Load().wants }

// within tells whether addr lies in one of the networks.
func within(addr netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}
