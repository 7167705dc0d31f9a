package gate

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

// charge makes the usage records of an accepted or held message durable.
func (m *Message) charge(ctx context.Context, v Verdict) error {
	if m.s.skip {
		return nil
	}
	records := m.usage(v)
	if len(records) == 0 {
		return nil
	}
	begun := m.s.g.Now()
	err := m.s.g.Records.Append(ctx, records)
	m.s.spend(took.Account, begun)
	switch {
	case err == nil:
		m.records = records
		if m.s.hasObservers() {
			m.s.tell(Charged{slices.Clone(records)})
		}
	case errors.Is(err, spool.ErrUncertain):
		// They may have become durable after all, and the message is now
		// deferred: it will be charged when it comes again.
		m.void(records, "the spool was too slow")
	}
	return err
}

// usage is what each client owes for this message.
func (m *Message) usage(v Verdict) []accounting.Record {
	end := m.s.g.Now().UTC().Truncate(time.Millisecond)
	queueID := m.queueID
	if queueID == "" {
		queueID = m.ref // an MTA that tells no queue id: the reference is as unique
	}
	base := accounting.Record{
		Time: end, Gateway: m.j.Gateway, QueueID: queueID, MessageID: m.messageID(), Ref: m.ref,
		Sender: m.j.text(m.from.Text()), Direction: m.direction(),
		Verdict: string(v), Weight: m.weight.String(), Rules: m.names(), Policy: m.j.Version,
	}
	base.ClientIP = m.s.clientIP
	base.ID = m.j.Gateway + "/" + queueID + "/" + strconv.FormatInt(end.UnixMilli(), 10)
	payers, tariffs, sent := m.payers()
	records := accounting.Charge(base, m.size(), payers, m.j.Sharing)
	for i := range records {
		r := &records[i]
		r.Tariff, r.TariffVersion = tariffs.of(r.Client)
		if sent[r.Recipient] {
			r.Payer = accounting.BySender
		}
	}
	return records
}

// payers are the accepted recipients, each once, whose tariffs are to be looked
// at, and for which of them the client pays that sends.
func (m *Message) payers() ([]accounting.Payer, tariffs, map[string]bool) {
	payers := make([]accounting.Payer, 0, len(m.accepted))
	var known map[string]bool
	if len(m.accepted) > fewRecipients {
		known = make(map[string]bool, len(m.accepted))
	}
	var owners tariffs
	var sent map[string]bool
	for i := range m.accepted {
		owner := &m.accepted[i].owner
		if known[owner.Address] || known == nil && slices.ContainsFunc(payers, func(p accounting.Payer) bool { return p.Recipient == owner.Address }) {
			continue
		}
		if known != nil {
			known[owner.Address] = true
		}
		p := accounting.Payer{Recipient: owner.Address}
		if c := m.payer(&m.accepted[i]); c != nil {
			p.Client = c.ID
			owners.add(c)
			if owner.Client == nil {
				if sent == nil {
					sent = make(map[string]bool, len(m.accepted))
				}
				sent[strings.ToValidUTF8(p.Recipient, "\uFFFD")] = true // as records have it
			}
		}
		payers = append(payers, p)
	}
	return payers, owners, sent
}

// tariffs are those of the clients of a message: nearly always one client's.
type tariffs struct {
	first  *accounting.Client
	others map[string]*accounting.Client
}

func (t *tariffs) add(c *accounting.Client) {
	switch {
	case t.first == nil:
		t.first = c
	case t.first == c:
	case t.others == nil:
		t.others = map[string]*accounting.Client{c.ID: c}
	default:
		t.others[c.ID] = c
	}
}

func (t *tariffs) of(client string) (tariff, version string) {
	c := t.first
	if c == nil || c.ID != client {
		c = t.others[client]
	}
	if c == nil {
		return "", ""
	}
	return c.Tariff, c.TariffVersion
}

// voidTimeout is how long void records may take to become durable.
const voidTimeout = time.Minute

// void takes records back, in the background: whoever waits for the answer
// to a message must not wait for this too.
func (m *Message) void(records []accounting.Record, reason string) {
	now := m.s.g.Now()
	voids := make([]accounting.Record, len(records))
	for i, r := range records {
		voids[i] = accounting.VoidOf(r, now)
	}
	g, ref := m.s.g, m.ref
	g.Log.Warn("usage records are voided", "ref", ref, "records", len(records), "reason", reason)
	g.background.Add(1)
	go func() {
		defer g.background.Done()
		ctx, cancel := context.WithTimeout(context.Background(), voidTimeout)
		defer cancel()
		if err := g.Records.Append(ctx, voids); err != nil {
			g.Log.Error("void records cannot be kept: the message stays charged", "ref", ref, "first", records[0].ID, "error", err)
		}
	}()
}

// Unanswered voids the records of a completed message: the answer could not be
// written or came too late, and the MTA has deferred the message.
func (m *Message) Unanswered(reason string) {
	if len(m.records) == 0 {
		return
	}
	m.void(m.records, reason)
	m.records = nil
}

// Wait until what runs in the background has ended.
func (g *Gate) Wait() { g.background.Wait() }

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
