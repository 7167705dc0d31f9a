package gate

import (
	"context"
	"net/netip"
	"time"

	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

// Memory is what gateways remember of mail before. Its errors are passing
// faults; none of them keeps mail.
type Memory interface {
	// Greylist notes that a client tries a recipient for a sender, and tells how
	// much longer it has to wait, 0 when it may pass, and why.
	Greylist(ctx context.Context, t Try) (wait time.Duration, why string, err error)
	// Wrote tells whether local has written to remote before.
	Wrote(ctx context.Context, local, remote string, now time.Time) (bool, error)
	// Remember notes that local has written to each of remote.
	Remember(ctx context.Context, local string, remote []string, now time.Time) error
}

// NeedsMemory tells whether a rule greylists or asks for correspondents.
func (p *Settings) NeedsMemory() bool {
	if len(p.Rules.Asks(rules.AsksState)) > 0 {
		return true
	}
	for _, r := range p.Rules.Rules() {
		if r.Action == rules.Greylist && !r.Shadow {
			return true
		}
	}
	return false
}

// Try is a client's try to deliver.
type Try struct {
	Client            netip.Addr
	Sender, Recipient string
	Now               time.Time
}

// rememberTimeout is how long what is remembered of one message may take, and
// maxRemembering how many messages at once: a memory that is away must cost no
// room here.
const (
	rememberTimeout = 10 * time.Second
	maxRemembering  = 64
)

// greylist refuses a recipient for now when a rule wants it greylisted and its
// time has not come. Who sends through us as of right is not greylisted; when
// the memory is away nobody is.
func (m *Message) greylist(ctx context.Context, by *rules.Rule) *refusal {
	if by == nil || m.outbound() || m.j.Memory == nil || !m.s.peer.Addr.IsValid() {
		return nil
	}
	begun := m.s.g.Now()
	wait, why, err := m.j.Memory.Greylist(ctx, Try{
		Client: m.s.peer.Addr, Sender: m.from.String(), Recipient: m.current.owner.Address, Now: begun,
	})
	m.s.spend(took.Memory, begun)
	if err != nil {
		m.s.g.Log.Warn("greylisting is not possible now", "ref", m.ref, "error", err)
		return nil
	}
	if wait <= 0 {
		return nil
	}
	return &refusal{
		stage: rules.RcptTo.String(), rule: by.Name, reason: "greylisted: " + why + ", to come back in " + wait.Round(time.Second).String(),
		reply: orElse(by.Reply, m.s.g.texts.greylisted), as: Greylisted,
	}
}

// correspondent tells whether the current recipient, or later any accepted one,
// has written to the sender before.
func (m *Message) correspondent(ctx context.Context) (rules.Value, error) {
	if m.from.Null() {
		return rules.BoolValue(false), nil
	}
	if m.j.Memory == nil {
		return rules.Value{}, errUninspected
	}
	asked := m.accepted
	if m.current != nil {
		asked = []recipient{*m.current}
	}
	for i := range asked {
		wrote, err := m.wrote(ctx, asked[i].correspondent())
		if wrote || err != nil {
			return rules.BoolValue(wrote), err
		}
	}
	return rules.BoolValue(false), nil
}

// wrote asks once for each recipient of the message.
func (m *Message) wrote(ctx context.Context, local string) (bool, error) {
	if w, ok := m.written[local]; ok {
		return w, nil
	}
	begun := m.s.g.Now()
	w, err := m.j.Memory.Wrote(ctx, local, m.from.String(), begun)
	m.s.spend(took.Memory, begun)
	if err != nil {
		return false, err
	}
	if m.written == nil {
		m.written = make(map[string]bool)
	}
	m.written[local] = w
	return w, nil
}

// senderCorrespondent is the sender as its correspondents will write to it:
// without the tag.
func (m *Message) senderCorrespondent() string {
	if m.clients == nil {
		return m.from.Address.String()
	}
	found := m.clients.Find(m.from.Address)
	if bare, tagged := m.clients.Untagged(m.from.Address, found); tagged {
		return bare.String()
	}
	return found.Address
}

// remembers tells whether it is to be noted whom the message goes to.
func (m *Message) remembers() bool {
	return m.j.Memory != nil && m.j.remembers && !m.from.Null() && m.outbound()
}

// remember notes whom an accepted outbound message went to, in the background.
func (m *Message) remember() {
	if !m.remembers() {
		return
	}
	if m.header.Fields.Automatic() || m.answers.Found() {
		return // a stranger whom a program answers is nobody's correspondent
	}
	var remote []string
	for _, to := range m.accepted {
		if to.owner.Standing != directory.Ours {
			remote = append(remote, to.String())
		}
	}
	if len(remote) == 0 {
		return
	}
	g, memory, local, ref, now := m.s.g, m.j.Memory, m.senderCorrespondent(), m.ref, m.s.g.Now()
	select {
	case g.remembering <- struct{}{}:
	default:
		g.Log.Warn("correspondents are not remembered: too many wait for it", "ref", ref)
		return
	}
	g.background.Go(func() {
		defer func() { <-g.remembering }()
		ctx, cancel := context.WithTimeout(context.Background(), rememberTimeout)
		defer cancel()
		if err := memory.Remember(ctx, local, remote, now); err != nil {
			g.Log.Warn("correspondents are not remembered", "ref", ref, "error", err)
		}
	})
}
