package gate

import (
	"cmp"
	"context"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/gate/header"
	"github.com/tollgate-mail/tollgate/internal/gate/lookup"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

// Message is one message of a session, from MAIL to its end.
type Message struct {
	s       *Session
	j       *prepared            // in force at its MAIL
	clients *directory.Directory // as they were at its MAIL; nil: nothing is known of them
	facts   facts                // that rules ask for
	env     Envelope
	from    mailbox // the sender
	// sends is the client that sends it, and pays for what no client receives;
	// nil for none.
	sends   *accounting.Client
	ref     string
	queueID string

	scope  // what mailfrom, headers and complete said
	counts // weight and tags, each rule once

	asked      int             // recipients seen, the current and refused ones included
	accepted   []recipient     // in order
	known      map[string]bool // the accepted ones, by the form in which addresses compare; nil: few
	current    *recipient      // at rcptto
	named      recipient       // by the last RCPT
	lookups    lookup.Set
	work       *budget.Budget
	auth       authentication
	inspection inspection
	written    map[string]bool // which recipients have written to the sender before
	barred     []barred        // recipients of sendmail(1) mail that may not have it
	deferred   int             // recipients refused for now
	refused    int             // recipients refused for good
	lately     string          // the stage of the last refusal

	header    header.Header
	body      int64
	answers   *mail.AnswerFinder // nil: what the body is does not matter
	headersIn bool

	subjectRead     bool
	subjectReadings []string

	remarks []string // for the journal
	passed  []string // thresholds, for the journal
	marks   []string // put on it, for the journal: fields as "Name: value"

	held     int64    // taken from the room for large headers
	overran  *refusal // the message passes a bound
	fault    string   // after an internal fault: where
	done     bool
	fated    bool       // its fate was told
	times    took.Times // where its time went
	measured bool       // it has ended: times is whole
	result   Result
	records  []accounting.Record // that were made durable
	judging  Recipient           // now
}

func newMessage(s *Session, e Envelope) *Message {
	m := &Message{s: s, j: s.j, clients: s.j.snapshot(), env: e, from: newMailbox(e.Sender, e.Resolved), ref: s.g.refs.make(), queueID: e.QueueID, fault: s.fault}
	m.sends = m.submitter()
	m.work = m.j.newWork()
	m.header.Options = header.Options{
		MaxFields: s.j.Limits.of(HeaderFields), MaxOctets: s.j.Limits.of(HeaderOctets),
		Ours: s.j.strip, Whole: s.j.whole, Unlabelled: s.j.FallbackCharset,
	}
	m.own()
	m.counts.reset(len(s.j.Rules.Rules()))
	m.count(s.atConnect.hits)
	m.count(s.atHelo.hits)
	if s.spent {
		m.overrun(RuleWork, rules.Helo)
	}
	return m
}

// own has the parts of a message know it: once it is made, and after it was copied.
func (m *Message) own() {
	m.facts = facts{m.s, m}
	m.auth.m, m.inspection.m, m.header.Work = m, m, m.work
}

// QueueID tells the queue id as soon as it is known.
func (m *Message) QueueID(id string) {
	if id != "" {
		m.queueID = id
	}
}

// Ref is the message's reference.
func (m *Message) Ref() string { return m.ref }

// recipients are the accepted ones as the client wrote them.
func (m *Message) recipients() []string {
	all := make([]string, len(m.accepted))
	for i := range m.accepted {
		all[i] = m.accepted[i].given()
	}
	return all
}

func (m *Message) authenticated() bool { return m.env.AuthType != "" && m.env.AuthUser != "" }

// outbound tells whether this message may go anywhere.
func (m *Message) outbound() bool {
	switch {
	case m.s.peer.Local:
		return true
	case m.j.OutboundAuthenticated && m.authenticated():
		return true
	}
	return m.fromOutboundNetwork()
}

func (m *Message) direction() string {
	if m.outbound() {
		return "outbound"
	}
	return "inbound"
}

// ended tells whether no further rule is tried for this message.
func (m *Message) ended() bool {
	return m.s.skip || m.fault != "" || m.overran != nil || m.s.atConnect.ended() || m.s.atHelo.ended() || m.scope.ended()
}

// white tells whether an accept ended the rules.
func (m *Message) white() bool { return m.welcome() != nil }

// welcome is the rule whose accept ended the rules, nil when none did.
func (m *Message) welcome() *rules.Rule {
	return cmp.Or(m.s.atConnect.accept, m.s.atHelo.accept, m.accept)
}

// pending is the refusal that stands, nil when none does. What rules refuse
// does not count for an exempt recipient.
func (m *Message) pending(exempt bool) *refusal {
	switch {
	case m.s.skip:
		return nil
	case m.overran != nil:
		return m.overran
	case m.fault != "" && !m.j.AcceptOnError:
		return &refusal{stage: m.fault, reason: "internal fault", reply: m.s.g.texts.fault}
	case exempt:
		return nil
	case m.s.atConnect.refusal != nil:
		return m.s.atConnect.refusal
	case m.s.atHelo.refusal != nil:
		return m.s.atHelo.refusal
	}
	return m.refusal
}

func (m *Message) mailFrom(ctx context.Context) Decision {
	m.judgeMail(ctx)
	r := m.pending(false)
	m.s.findObservers()
	if r == nil || !m.j.RefuseAtOnce || m.s.peer.Local {
		m.decided(rules.MailFrom, "", Pass, Reply{}, r)
		return Decision{}
	}
	// Where the answer is not heard because the connection began under a
	// policy with refuse_at = "rcpt", RCPT gives it again; then there is a
	// block for each recipient, and this one without any.
	d := Decision{Reply: m.answer(r)}
	d.Verdict = d.Reply.verdict()
	m.decided(rules.MailFrom, "", d.Verdict, d.Reply, r)
	m.block(r, d.Reply, "")
	m.noteRefusal(r, d.Verdict)
	return d
}

// judgeMail tries the rules of mailfrom.
func (m *Message) judgeMail(ctx context.Context) {
	if !m.ended() {
		m.lookups.Begin(ctx, &m.s.group, m.j.messageKeys, m.question)
		out := m.s.evaluate(ctx, rules.MailFrom, &m.facts)
		m.add(rules.MailFrom, out, &m.s.g.texts)
		m.count(out.Hits)
	}
}

// placeholder answers those of replies and tags.
func (m *Message) placeholder(name string) string {
	switch name {
	case "client_ip":
		return m.s.clientIP
	case "client_host":
		return m.s.peer.Host
	case "helo":
		return m.s.helo
	case "sender":
		return m.from.ASCII()
	case "recipient":
		switch {
		case m.current != nil:
			return m.current.ASCII()
		case len(m.accepted) > 0:
			return m.accepted[0].ASCII()
		}
	case "subject":
		subject := m.subject()
		return subject
	case "weight":
		return m.weight.String()
	case "virus":
		if in := m.inspection.begun; in != nil && in.scan != nil {
			return in.scan.Finding.Virus
		}
	case "queue_id":
		return m.queueID
	case "gateway":
		return m.j.Gateway
	case "ref":
		return m.ref
	}
	return ""
}

// answer makes the reply of a refusal for this message.
func (m *Message) answer(r *refusal) Reply {
	return reply(r.reply, m.ref, func(name string) string {
		if name == "rule" {
			return r.rule
		}
		if text, ok := captured(r.captures, name); ok {
			return text
		}
		return m.placeholder(name)
	})
}
