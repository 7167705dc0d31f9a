package gate

import (
	"context"

	"github.com/tollgate-mail/tollgate/rules"
)

// Split divides mail between the policy in force and another.
type Split struct {
	Policy *Policy
	// Session tells of a session that begins whether Policy judges its mail; nil: of
	// none.
	Session func(Peer) bool
	// Recipient tells of a recipient whether Policy judges a message to it; nil: it
	// is not asked. The first accepted one decides, and those of the other side are
	// refused for now: they can come in a transaction of their own.
	Recipient func(address string) bool
}

// split is one with what is derived from its policy.
type split struct {
	Split
	judge *prepared
}

// Split puts a second policy in force for a part of the mail, or with nil ends
// that: messages under way keep theirs.
func (g *Gate) Split(s *Split) {
	var next *split
	if s != nil {
		next = &split{*s, prepare(s.Policy)}
		next.judge.uses.Store(1)
	}
	if before := g.split.Swap(next); before != nil {
		before.judge.release()
	}
}

// Retire ends the use of a gate that judges no more: its policy is retired with
// its last session.
func (g *Gate) Retire() {
	g.Split(nil)
	g.policy.Load().release()
}

// takeFor is the policy for a session, to judge by until it is released.
func (g *Gate) takeFor(p Peer) *prepared {
	for {
		sp := g.split.Load()
		if sp == nil || sp.Session == nil || !sp.Session(p) {
			return g.take()
		}
		sp.judge.uses.Add(1)
		if g.split.Load() == sp {
			return sp.judge
		}
		sp.judge.release()
	}
}

// current tells whether a session's policy is the one that its next message is to
// be judged by.
func (s *Session) current() bool {
	if sp := s.g.split.Load(); sp != nil && sp.Session != nil && sp.Session(s.peer) {
		return s.j == sp.judge
	}
	return s.j == s.g.policy.Load()
}

// side has the message judged by the policy of its first recipient, and refuses a
// recipient of the other side.
func (m *Message) side(ctx context.Context, address string) *refusal {
	sp := m.s.g.split.Load()
	if sp == nil || sp.Recipient == nil || m.s.skip || m.fault != "" {
		return nil
	}
	other := sp.Recipient(address)
	if other == (m.j == sp.judge) || !other && sp.Session != nil && sp.Session(m.s.peer) {
		return nil
	}
	if len(m.accepted) > 0 {
		return m.at(rules.RcptTo, "canary", m.j.Replies.Class)
	}
	j := sp.judge
	if other {
		j.uses.Add(1)
		if m.s.g.split.Load() != sp {
			j.release() // it has just ended
			return nil
		}
	} else {
		j = m.s.g.take()
	}
	m.rejudge(ctx, j)
	return nil
}

// rejudge judges connect to mailfrom again, by another policy. What was answered
// stays answered.
func (m *Message) rejudge(ctx context.Context, j *prepared) {
	m.s.adopt(j)
	m.s.connect(ctx)
	m.s.judgeHelo(ctx)
	was := *m
	*m = *newMessage(m.s, was.env)
	m.ref, m.queueID, m.asked, m.work, m.fault = was.ref, was.queueID, was.asked, was.work, was.fault
	m.barred, m.deferred, m.refused, m.lately, m.judging = was.barred, was.deferred, was.refused, was.lately, was.judging
	m.own()
	m.judgeMail(ctx)
}

// Version is that of the policy that judges the message.
func (m *Message) Version() string { return m.j.Version }
