package gate

import (
	"errors"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// describe adds what is known of the message.
func (m *Message) describe(e *journal.Entry) {
	e.Ref = m.ref
	e.QueueID = m.queueID
	e.MessageID = m.head.fields.MessageID()
	e.TLS = m.env.TLSVersion
	if m.authenticated() {
		e.AuthUser = m.env.AuthUser
	}
	e.Direction = m.direction()
	e.Sender = m.env.Sender
	if e.Kind == journal.Trace && m.current != nil {
		e.Recipient = m.current.given
	}
	e.Subject, _ = m.subject()
	if m.headersIn {
		e.Size = m.size()
	}
}

// judged adds what the rules found.
func (m *Message) judged(e *journal.Entry) {
	e.Weight = m.weight.String()
	e.Rules = make([]journal.RuleHit, len(m.counted))
	for i, h := range m.counted {
		e.Rules[i] = journal.RuleHit{
			Name: h.Rule.Name, Stage: h.Rule.Stage.String(),
			Weight: h.Rule.Weight.String(), Shadow: h.Rule.Shadow,
		}
	}
	e.Modules = m.modules
}

// entry of a message in one of the journals.
func (m *Message) entry(kind string) *journal.Entry {
	e := m.s.entry(kind)
	e.Gateway = m.j.Gateway
	m.describe(e)
	m.judged(e)
	return e
}

func (m *Message) blockEntry(why *refusal, v Verdict, r Reply, recipient string) *journal.Entry {
	e := m.entry(journal.Blocks)
	e.Recipient = recipient
	e.Verdict = string(v)
	e.Stage, e.Rule, e.Reason = why.stage, why.rule, why.reason
	e.Reply = r.String()
	return e
}

// block journals the refusal of one recipient, before it is answered.
func (m *Message) block(why *refusal, r Reply, recipient string) {
	v := r.verdict()
	if why.as != "" {
		v = why.as
	}
	m.s.logIf(m.s.g.Journal.Block(m.blockEntry(why, v, r, recipient)))
}

// blockAll journals what becomes of every accepted recipient of a message
// that is not passed on to them.
func (m *Message) blockAll(why *refusal, r Result) error {
	entries := make([]*journal.Entry, 0, len(m.accepted))
	for _, to := range m.accepted {
		entries = append(entries, m.blockEntry(why, r.Verdict, r.Reply, to.given))
	}
	if len(entries) == 0 {
		return nil
	}
	err := m.s.g.Journal.Block(entries...)
	m.s.logIf(err)
	if err != nil {
		return errors.Join(errors.New("a block cannot be journalled"), err)
	}
	return nil
}

// record writes what became of the message.
func (m *Message) record(v Verdict, why *refusal, r Reply) {
	e := m.entry(journal.Messages)
	e.Recipients = m.recipients()
	e.Verdict = string(v)
	if why != nil {
		e.Stage, e.Rule, e.Reason = why.stage, why.rule, why.reason
	}
	switch {
	case m.s.skip:
		e.Reason = "skip_clients"
	case m.fault != "" && v == Accepted:
		e.Reason = "unjudged after an internal fault at " + m.fault
	}
	remarks := m.remarks
	if m.head.cut > 0 {
		remarks = append(remarks, "header too long: its last fields were not judged")
	}
	e.Detail = strings.Join(remarks, "; ")
	e.Reply = r.String()
	m.s.logIf(m.s.g.Journal.Message(e))
}
