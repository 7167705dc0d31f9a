package gate

import (
	"context"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

// Rcpt judges one recipient, in the contract's order: a refusal pending from
// an earlier stage, the relay limits, the client's state, the class, the
// rules.
func (m *Message) Rcpt(ctx context.Context, r Recipient) Decision {
	defer m.s.spend(took.RcptTo, m.s.g.Now())
	m.QueueID(r.QueueID)
	m.asked++
	m.judging = r
	who := &m.named
	*who = m.newRecipient(r)
	m.current = who
	m.s.findObservers()
	defer func() { m.current = nil }()

	if r.Refused != nil {
		no := &refusal{stage: rules.RcptTo.String(), reason: "refused by the MTA"}
		m.block(no, *r.Refused, r.Address)
		m.noteRefusal(no, r.Refused.verdict())
		return Decision{}
	}
	no := m.side(ctx, r.Address)
	if no == nil {
		if m.current == nil { // judged again under another policy, which has its own clients
			*who = m.newRecipient(r)
			m.current = who
			m.s.findObservers()
		}
		no = m.judgeRcpt(ctx, who)
	}
	if no == nil && int64(len(m.accepted)) >= m.j.Limits.of(Recipients) {
		no = m.beyond(Recipients, rules.RcptTo)
	}
	// Postfix tries again for ever when a recipient of a local submission is
	// refused; what stands against it is answered at the end of the message.
	if no != nil && m.s.peer.Local && m.pending(exempt(who.owner)) == nil {
		m.barred = append(m.barred, barred{who: *who, why: *no})
	}
	if no == nil || m.s.peer.Local {
		m.admit(who)
		m.decided(rules.RcptTo, r.Address, Pass, Reply{}, no)
		return Decision{}
	}
	d := Decision{Reply: m.answer(no)}
	d.Verdict = d.Reply.verdict()
	m.decided(rules.RcptTo, r.Address, d.Verdict, d.Reply, no)
	m.block(no, d.Reply, r.Address)
	m.noteRefusal(no, d.Verdict)
	return d
}

// admit adds a recipient, once.
func (m *Message) admit(who *recipient) {
	if m.admitted(who.String()) {
		return
	}
	if m.accepted == nil {
		m.accepted = make([]recipient, 0, 2) // as most messages have
	}
	m.accepted = append(m.accepted, *who)
	if m.known != nil {
		m.known[who.String()] = true
	}
}

// fewRecipients are looked through faster than they are found in a map.
const fewRecipients = 8

func (m *Message) admitted(form string) bool {
	if m.known == nil && len(m.accepted) < fewRecipients {
		for i := range m.accepted {
			if m.accepted[i].String() == form {
				return true
			}
		}
		return false
	}
	if m.known == nil {
		m.known = make(map[string]bool, 2*fewRecipients)
		for i := range m.accepted {
			m.known[m.accepted[i].String()] = true
		}
	}
	return m.known[form]
}

// judgeRcpt returns what refuses a recipient, nil for nothing.
func (m *Message) judgeRcpt(ctx context.Context, who *recipient) *refusal {
	if m.s.skip {
		return nil
	}
	if r := m.pending(exempt(who.owner)); r != nil {
		return r
	}
	if m.clients == nil {
		// Not a word of who there is or is not (RFC 3463 X.3.0).
		return m.at(rules.RcptTo, "clients", m.j.Replies.Accounting)
	}
	if r := m.relayLimits(who.owner); r != nil {
		return r
	}
	if r := m.clientState(who.owner.Client); r != nil {
		return r
	}
	if r := m.senderState(who); r != nil {
		return r
	}
	// Where the MTA would deliver elsewhere than the client wrote, both must
	// be ours; but the postmaster of nowhere is always there (RFC 5321 §4.5.1),
	// whatever domain the MTA gives it.
	if who.two && who.Domain != "" {
		if r := m.relayLimits(who.other); r != nil {
			return r
		}
		if r := m.clientState(who.other.Client); r != nil {
			return r
		}
	}
	// What sendmail(1) submits cannot come in two transactions.
	if len(m.accepted) > 0 && exempt(who.owner) != m.unfiltered() && !m.s.peer.Local {
		return m.at(rules.RcptTo, "class", m.j.Replies.Class)
	}
	if m.ended() {
		return nil
	}
	out := m.s.evaluate(ctx, rules.RcptTo, &m.facts)
	m.count(out.Hits)
	if (out.Action == rules.Reject || out.Action == rules.Tempfail) && !exempt(who.owner) {
		return refuse(rules.RcptTo, out, &m.s.g.texts)
	}
	if !exempt(who.owner) {
		return m.greylist(ctx, out.Greylist)
	}
	return nil
}

// exempt tells whether rules refuse nothing for a recipient.
func exempt(a directory.Answer) bool { return a.Client != nil && a.Client.NoFilter }

// unfiltered tells the class of the message: that of its first recipient.
func (m *Message) unfiltered() bool { return len(m.accepted) > 0 && exempt(m.accepted[0].owner) }

func (m *Message) at(stage rules.Stage, reason string, reply *rules.Reply) *refusal {
	return &refusal{stage: stage.String(), reason: reason, reply: reply}
}

// relayLimits hold whatever a rule accepts.
func (m *Message) relayLimits(a directory.Answer) *refusal {
	if a.Standing == directory.Ours {
		return nil
	}
	if m.outbound() && a.Standing == directory.Foreign {
		return nil
	}
	if m.clients.Incomplete() {
		return m.at(rules.RcptTo, "clients", m.j.Replies.Accounting)
	}
	switch a.Standing {
	case directory.Unknown, directory.NoDomain:
		return m.at(rules.RcptTo, "unknown", m.j.Replies.Unknown)
	}
	return m.at(rules.RcptTo, "foreign", m.j.Replies.Foreign)
}

// barred is a recipient of sendmail(1) mail that may not have it. Postfix
// would try a refused recipient of its own again for ever, so the message is
// refused as a whole at its end.
type barred struct {
	who recipient
	why refusal
}

// bar is the refusal of the message for its barred recipients, nil when there
// are none. It is for good whatever the state of a client says: nobody comes
// again with what was submitted here.
func (m *Message) bar() *refusal {
	if len(m.barred) == 0 {
		return nil
	}
	why := m.barred[0].why
	why.reply = lasting(why.reply)
	why.as = Rejected
	return &why
}

// lasting is a reply with its codes for good: 450 4.2.1 becomes 550 5.2.1, 452
// becomes 552.
func lasting(r *rules.Reply) *rules.Reply {
	if r.Code >= 500 {
		return r
	}
	l := *r
	if l.Code = 550; r.Code == 452 {
		l.Code = 552
	}
	if strings.HasPrefix(l.Enhanced, "4") {
		l.Enhanced = "5" + l.Enhanced[1:]
	}
	return &l
}

// blockBarred journals each barred recipient; who else does not get the
// message is named there.
func (m *Message) blockBarred(r Result) error {
	bad := make(map[string]bool, len(m.barred))
	for i := range m.barred {
		bad[m.barred[i].who.String()] = true
	}
	var others []string
	for i := range m.accepted {
		if !bad[m.accepted[i].String()] {
			others = append(others, m.accepted[i].given())
		}
	}
	tail := ""
	if len(others) > 0 {
		tail = "; the whole message is refused, also for " + strings.Join(others, ", ")
	}
	entries := make([]*journal.Entry, 0, len(m.barred))
	for i := range m.barred {
		b := &m.barred[i]
		why := b.why
		why.reason += tail
		m.current = &b.who
		reply := m.answer(&refusal{rule: why.rule, reply: lasting(why.reply)})
		entries = append(entries, m.blockEntry(&why, r.Verdict, reply, b.who.given()))
		m.current = nil
	}
	return m.journalBlocks(entries)
}
