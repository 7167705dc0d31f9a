// Package gate is the judgement itself: six stage events in, decisions out.
// It knows neither the milter protocol nor the policy file. Live mail,
// explaining, testing, replaying and shadowing all drive it, so that they
// cannot disagree.
package gate

import (
	"context"
	"log/slog"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/module"
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
	// Write writes entries, all of one kind.
	Write(entries ...*journal.Entry) error
	Traced(client netip.Addr) (protocol, rules bool)
}

// Parts are what a gate works with besides its policy.
type Parts struct {
	Records Recorder
	Journal Journal
	// Stasher keeps whole messages for those who inspect them.
	Stasher *module.Stasher
	// Observers are told each step of every judgement.
	Observers []Observer
	// Counters are told the fate of every message.
	Counters []Counter
	Log      *slog.Logger
	Now      func() time.Time
	// NewRef makes references; nil: they are made as live ones are. Who judges a
	// message once more gives it the reference that it had.
	NewRef func() string
	// Recall knows what was found of a message before; nil: nobody does. It is asked
	// where an Observer listens.
	Recall Recall
}

// Recall is for those who judge a message once more of which not all is there any
// more: no live mail has one.
type Recall interface {
	// Value is of an attribute, or why there is none; with known nobody else is
	// asked.
	Value(k rules.Key) (v rules.Value, known bool, err error)
	// Rule tells what became of a rule, with a recipient at rcptto as the client
	// wrote it; with known it is not tried.
	Rule(r *rules.Rule, recipient string) (gave rules.Weight, matched, known bool)
}

// Gate judges. It is safe for use by many goroutines.
type Gate struct {
	Parts
	refs   *refs
	texts  texts
	policy atomic.Pointer[prepared]
	split  atomic.Pointer[split] // nil: one policy judges all mail
	// bounded counts what passed a bound.
	bounded   boundCounts
	held      atomic.Int64 // octets of large headers
	observers []Observer
	// background is what still runs after its answer went out.
	background sync.WaitGroup
	// remembering has a place for each message whose recipients are being
	// remembered.
	remembering chan struct{}
	// turns are those of messages that cost much to be read.
	turns *budget.Turns
}

// prepared is a policy with what is derived from it once.
type prepared struct {
	Policy
	// uses are the gate, while this is in force, and the sessions that judge by
	// it.
	uses    atomic.Int64
	retired sync.Once
	// strip are the names of fields that only we may write, each once.
	strip []string
	whole bool // a rule looks at every field
	keeps bool // somebody reads whole messages
	// measures: a rule asks how many files there are, or how large.
	measures bool
	// What DNS is asked for as soon as the client, and the sender, is known.
	sessionKeys, messageKeys []rules.Key
	resultsWanted            resultsWanted
	remembers                bool // a rule asks for correspondents
	// tagField is the header field that has the Subject's tags of signed mail.
	tagField string
	wants    Wants
}

// resultsWanted is what the policy wants to know of who vouches for a message: the
// same is told to those who receive it.
type resultsWanted struct{ spf, dkim, dmarc bool }

// New makes a gate that judges by p.
func New(p *Policy, parts Parts) *Gate {
	g := &Gate{Parts: parts, refs: newRefs(parts.Now, parts.NewRef), texts: newTexts(), remembering: make(chan struct{}, maxRemembering), turns: budget.NewTurns(runtime.GOMAXPROCS(0) - 1)}
	g.observers = append([]Observer{ruleTrace{parts.Journal}}, parts.Observers...)
	g.Swap(p)
	return g
}

// Swap puts a new policy in force. Messages under way keep theirs.
func (g *Gate) Swap(p *Policy) {
	j := prepare(p)
	j.uses.Store(1)
	if before := g.policy.Swap(j); before != nil {
		before.release()
	}
}

// take is the policy in force, for a session to judge by until it is released.
func (g *Gate) take() *prepared {
	for {
		j := g.policy.Load()
		j.uses.Add(1)
		if g.policy.Load() == j {
			return j
		}
		j.release() // another came in force meanwhile: this one may be retired already
	}
}

// release ends a use.
func (j *prepared) release() {
	if j.uses.Add(-1) == 0 && j.Retired != nil {
		j.retired.Do(j.Retired)
	}
}

// prepare derives once what is asked of a policy for every message.
func prepare(p *Policy) *prepared {
	j := &prepared{Policy: *p, whole: slices.Contains(p.Rules.HeaderNames(rules.HeaderField), "*")}
	j.Modules = slices.Clone(p.Modules)
	j.measures = p.Rules.Uses(rules.AttachmentCount) || p.Rules.Uses(rules.AttachmentSize)
	j.keeps = p.Antivirus != nil || len(p.Modules) > 0 || p.Rules.Uses(rules.AttachmentName) || p.Rules.Uses(rules.AttachmentType) || p.Rules.Uses(rules.MIMEDefects) || j.measures
	names := append([]string{p.ReportHeader}, p.Rules.TagHeaders()...)
	if p.Antivirus != nil {
		for _, tag := range p.Antivirus.Tags.Headers {
			names = append(names, tag.Name)
		}
	}
	if p.Rules.TagsSigned() {
		if j.tagField = p.ReportHeader + "-Tag"; p.ReportHeader == "" {
			j.tagField = "X-Tollgate-Tag"
		}
		names = append(names, j.tagField)
	}
	for _, name := range names {
		same := func(other string) bool { return strings.EqualFold(name, other) }
		if name != "" && !slices.ContainsFunc(j.strip, same) {
			j.strip = append(j.strip, name)
		}
	}
	early := p.Rules.Refuses(rules.Connect) || p.Rules.Refuses(rules.Helo) || p.Rules.Refuses(rules.MailFrom)
	j.wants.MailFrom = p.RefuseAtOnce && early
	j.remembers = p.Rules.Uses(rules.Correspondent)
	asked := p.Rules.Asks(rules.AsksDNS)
	j.sessionKeys = knownAt(asked, rules.Connect, rules.Helo)
	j.messageKeys = knownAt(asked, rules.MailFrom, rules.MailFrom)
	j.resultsWanted = resultsWanted{spf: p.Rules.Uses(rules.SPF), dkim: p.Rules.Uses(rules.DKIM) || p.Rules.Uses(rules.DKIMDomain), dmarc: p.Rules.Uses(rules.DMARC) || p.Rules.Uses(rules.DMARCPolicy)}
	j.keeps = j.keeps || j.resultsWanted.dkim || j.resultsWanted.dmarc
	return j
}

// Policy is a copy of the one in force.
func (g *Gate) Policy() Policy { return g.policy.Load().Policy }

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
func (g *Gate) Wants() Wants {
	w := g.policy.Load().wants
	if sp := g.split.Load(); sp != nil {
		w.MailFrom = w.MailFrom || sp.judge.wants.MailFrom
	}
	return w
}

// within tells whether addr lies in one of the networks.
func within(addr netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}
