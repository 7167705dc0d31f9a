package gate

import (
	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/rules"
)

// submitter is the client that sends the message, nil where nobody is charged for
// sending. A sender address is believed of who has authenticated, and where the
// networks that may send anywhere are: whoever may not could put his mail on
// anybody's account.
//
// Mail of sendmail(1) comes from the loopback address, without a login: it is
// somebody's where a client has that network, or by its sender where that network
// may send anywhere.
func (m *Message) submitter() *accounting.Client {
	if !m.j.ChargeSenders || m.clients == nil || m.s.skip || !m.outbound() {
		return nil
	}
	from := directory.Submission{Addr: m.s.peer.Addr}
	if m.authenticated() {
		from.Login = m.env.AuthUser
	}
	if m.authenticated() || m.fromOutboundNetwork() {
		m.from.each(func(a address.Address) { from.Senders = append(from.Senders, a) })
	}
	return m.clients.Submitter(from)
}

func (m *Message) fromOutboundNetwork() bool {
	return m.s.peer.Addr.IsValid() && within(m.s.peer.Addr, m.j.OutboundNetworks)
}

// payer is the client that a recipient's share is charged to: who owns the
// recipient, else who sends; nil for nobody.
func (m *Message) payer(r *recipient) *accounting.Client {
	if r.owner.Client != nil {
		return r.owner.Client
	}
	return m.sends
}

// payerID is for the journal.
func (m *Message) payerID(r *recipient) string {
	if c := m.payer(r); c != nil && !m.s.skip {
		return c.ID
	}
	return ""
}

// senderState refuses a recipient that the client that sends would pay for, when
// that may not send now.
func (m *Message) senderState(who *recipient) *refusal {
	if who.owner.Client != nil || !m.j.ChargeSenders || !m.outbound() {
		return nil
	}
	if m.sends == nil && m.clients.Incomplete() {
		// It may be one of those that could not be read.
		return m.at(rules.RcptTo, "clients", m.j.Replies.Accounting)
	}
	b := m.answering(m.sends)
	r := m.stateRefusal(b)
	if reply := m.j.Replies.Senders[b]; r != nil && reply != nil {
		r.reply = reply
	}
	return r
}

// clientState refuses what may not receive now.
func (m *Message) clientState(c *accounting.Client) *refusal { return m.stateRefusal(m.answering(c)) }

// answering is the one reason that answers why a client may not receive or send now,
// 0 for none.
func (m *Message) answering(c *accounting.Client) accounting.Block {
	if c == nil {
		return 0
	}
	return (m.j.blocks(c, m.s.g.Now()) & m.j.Refuse).Answer()
}

// stateRefusal answers a block, as to a recipient; nil where there is none.
func (m *Message) stateRefusal(b accounting.Block) *refusal {
	switch b {
	case accounting.Disabled:
		return m.at(rules.RcptTo, b.String(), m.j.Replies.Disabled)
	case accounting.Expired:
		return m.at(rules.RcptTo, b.String(), m.j.Replies.Expired)
	case accounting.NotYetValid:
		return m.at(rules.RcptTo, b.String(), m.j.Replies.NotYetValid)
	case accounting.OutOfSchedule:
		return m.at(rules.RcptTo, b.String(), m.j.Replies.Schedule)
	case accounting.OverQuota:
		return m.at(rules.RcptTo, b.String(), m.j.Replies.Quota)
	case accounting.OutOfBalance:
		return m.at(rules.RcptTo, b.String(), m.j.Replies.Balance)
	}
	return nil
}
